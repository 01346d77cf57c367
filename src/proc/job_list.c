/* What waits for a delivery process; see job_list.h. */
#include "proc/job_list.h"

#include "sys/await.h"

#include <stdlib.h>
#include <string.h>

static const struct job *
at(const struct job_list *l, size_t i)
{
    return &l->v[(l->first + i) % l->cap];
}

static bool
grow(struct job_list *l)
{
    size_t cap = l->cap > 0 ? 2 * l->cap : 64;
    struct job *v = calloc(cap, sizeof *v);
    if (v == NULL)
        return false;
    for (size_t i = 0; i < l->n; i++)
        v[i] = *at(l, i);
    free(l->v);
    l->v = v;
    l->cap = cap;
    l->first = 0;
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
    j.since_ms = await_now_ms();
    l->v[(l->first + l->n++) % l->cap] = j;
    return true;
}

bool
job_list_add(struct job_list *l, struct str id, struct str queue, unsigned when)
{
    return l->n < JOB_LIST_MAX &&
           add(l, (struct job){.kind = JOB_ATTEMPT, .when = when}, id, queue);
}

bool
job_list_add_run(struct job_list *l, uint64_t option, struct str argument)
{
    return job_list_runs(l) < JOB_LIST_RUNS_MAX &&
           add(l, (struct job){.kind = JOB_RUN, .option = option}, argument, STR_EMPTY);
}

const struct job *
job_list_first(const struct job_list *l)
{
    return at(l, 0);
}

struct job
job_list_take(struct job_list *l)
{
    struct job j = *at(l, 0);
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
        n += at(l, i)->kind == JOB_RUN;
    return n;
}

bool
job_list_has_run(const struct job_list *l, struct str argument)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct job *j = at(l, i);
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
    *l = (struct job_list){.v = NULL};
}
