/* What waits for a delivery process; see job_list.h. */
#include "proc/job_list.h"

#include "base/crc32c.h"
#include "sys/await.h"

#include <stdlib.h>
#include <string.h>

const struct job *
job_list_at(const struct job_list *l, size_t i)
{
    return &l->v[(l->first + i) % l->cap];
}

/* --- by id --- */

/* Ids are of this machine: nobody chooses them to be alike. */
static uint32_t *
bucket_of(const struct job_list *l, struct str id)
{
    return &l->buckets[crc32c(0, id.p, id.n) & (l->cap - 1)];
}

static void
link_in(struct job_list *l, size_t place)
{
    struct job *j = &l->v[place];
    if (j->kind != JOB_ATTEMPT)
        return;
    uint32_t *bucket = bucket_of(l, j->id);
    j->chain = *bucket;
    *bucket = (uint32_t)place + 1;
}

static void
link_out(struct job_list *l, size_t place)
{
    struct job *j = &l->v[place];
    if (j->kind != JOB_ATTEMPT)
        return;
    uint32_t *p = bucket_of(l, j->id);
    while (*p != place + 1)
        p = &l->v[*p - 1].chain;
    *p = j->chain;
}

struct job *
job_list_find(const struct job_list *l, struct str id)
{
    if (l->n == 0)
        return NULL;
    for (uint32_t i = *bucket_of(l, id); i > 0; i = l->v[i - 1].chain)
        if (str_eq(l->v[i - 1].id, id))
            return &l->v[i - 1];
    return NULL;
}

/* --- the ring --- */

static bool
grow(struct job_list *l)
{
    struct job_list new = {.cap = l->cap > 0 ? 2 * l->cap : 64, .n = l->n};
    new.v = calloc(new.cap, sizeof *new.v);
    new.buckets = calloc(new.cap, sizeof *new.buckets);
    if (new.v == NULL || new.buckets == NULL) {
        free(new.v);
        free(new.buckets);
        return false;
    }
    for (size_t i = 0; i < l->n; i++) {
        new.v[i] = *job_list_at(l, i);
        link_in(&new, i);
    }
    free(l->v);
    free(l->buckets);
    *l = new;
    return true;
}

/* Both texts in one piece of memory; p of the first owns it. */
static bool
copy_texts(struct job *j, struct str id, struct str queue)
{
    char *p = malloc((size_t)id.n + queue.n + 1);
    if (p == NULL)
        return false;
    if (id.n > 0)
        memcpy(p, id.p, id.n);
    if (queue.n > 0)
        memcpy(p + id.n, queue.p, queue.n);
    j->id = str_tainted(str_from(p, id.n));
    j->queue = str_tainted(str_from(p + id.n, queue.n));
    return true;
}

static bool
add(struct job_list *l, struct job j, struct str id, struct str queue)
{
    if ((l->n == l->cap && !grow(l)) || !copy_texts(&j, id, queue))
        return false;
    size_t place = (l->first + l->n++) % l->cap;
    j.since_ms = await_now_ms();
    l->v[place] = j;
    link_in(l, place);
    return true;
}

/* The same message, known to be elsewhere now: it keeps its turn. */
static bool
replace(struct job *old, struct str queue, unsigned when)
{
    struct job j = *old;
    if (!copy_texts(&j, old->id, queue))
        return false;
    j.when = when;
    job_free(old);
    *old = j;
    return true;
}

bool
job_list_add(struct job_list *l, struct str id, struct str queue, unsigned when)
{
    struct job *old = job_list_find(l, id);
    if (old != NULL)
        return replace(old, queue, when);
    return l->n < JOB_LIST_MAX &&
           add(l, (struct job){.kind = JOB_ATTEMPT, .when = when}, id, queue);
}

bool
job_list_add_run(struct job_list *l, uint64_t option, struct str argument)
{
    return job_list_runs(l) < JOB_LIST_RUNS_MAX &&
           add(l, (struct job){.kind = JOB_RUN, .option = option}, argument, STR_EMPTY);
}

struct job
job_list_take(struct job_list *l)
{
    struct job j = *job_list_at(l, 0);
    link_out(l, l->first);
    l->first = (l->first + 1) % l->cap;
    l->n--;
    return j;
}

void
job_free(struct job *j)
{
    free((void *)(uintptr_t)j->id.p);
    j->id = j->queue = STR_NULL;
}

size_t
job_list_runs(const struct job_list *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += job_list_at(l, i)->kind == JOB_RUN;
    return n;
}

bool
job_list_has_run(const struct job_list *l, struct str argument)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct job *j = job_list_at(l, i);
        if (j->kind == JOB_RUN && j->option == JOB_NO_OPTION && str_eq(j->id, argument))
            return true;
    }
    return false;
}

void
job_list_free(struct job_list *l)
{
    while (l->n > 0) {
        struct job j = job_list_take(l);
        job_free(&j);
    }
    free(l->v);
    free(l->buckets);
    *l = (struct job_list){.v = NULL};
}
