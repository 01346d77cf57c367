/* Maps of texts that are made from mapped texts. */
#include "conf/textmap.h"

#include "base/arena.h"

struct one_run {
    struct textmap map;
    struct textmap_run run;
};

/* The number of the run that byte `at` lies in. */
static uint32_t
run_at(const struct textmap *m, size_t at)
{
    uint32_t low = 0;
    uint32_t high = m->n;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (m->runs[mid].at <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* A run that starts at `at` of a mapped text, moved to `to` of another one. */
static struct textmap_run
run_moved(const struct textmap_run *r, size_t at, size_t to)
{
    struct textmap_run moved = *r;
    if (!r->fixed && at > r->at)
        moved.col += (uint32_t)(at - r->at);
    moved.at = (uint32_t)to;
    return moved;
}

struct textmap_run
textmap_run_moved(const struct textmap *m, size_t at, size_t to)
{
    return run_moved(&m->runs[run_at(m, at)], at, to);
}

size_t
textmap_next_run(const struct textmap *m, size_t at)
{
    if (m == NULL || m->n == 0)
        return STR_NPOS;
    uint32_t next = run_at(m, at) + 1;
    return next < m->n ? m->runs[next].at : STR_NPOS;
}

void
textmap_append(struct arena *a, struct textmap_runs *out, const struct textmap *m, size_t at,
               size_t n, size_t to)
{
    if (n == 0)
        return;
    for (uint32_t i = run_at(m, at); i < m->n && (m->runs[i].at < at + n); i++) {
        size_t from = m->runs[i].at > at ? m->runs[i].at : at;
        struct textmap_run r = run_moved(&m->runs[i], from, to + (from - at));
        vec_push(a, &out->list, r);
    }
}

const struct textmap *
textmap_sub(struct arena *a, const struct textmap *m, size_t at, size_t n)
{
    if (m == NULL || m->n == 0)
        return NULL;
    uint32_t first = run_at(m, at);
    uint32_t last = first;
    while (last + 1 < m->n && m->runs[last + 1].at < at + n)
        last++;
    if (first == last) {
        struct one_run *one = arena_alloc(a, sizeof *one);
        one->run = run_moved(&m->runs[first], at, 0);
        one->map = (struct textmap){m->source, &one->run, 1, m->last_line};
        return &one->map;
    }
    struct textmap *sub = ARENA_NEW(a, struct textmap);
    struct textmap_runs runs = {.list = {.n = 0}};
    textmap_append(a, &runs, m, at, n, 0);
    *sub = (struct textmap){m->source, runs.list.v, (uint32_t)runs.list.n, m->last_line};
    return sub;
}

const struct textmap *
textmap_joined(struct arena *a, const struct textmap *x, size_t x_at, const struct textmap *y,
               size_t y_at)
{
    if (y == NULL || y->n == 0)
        return NULL;
    VEC(struct textmap_run) runs = {.n = 0};
    struct textmap_run here = y->runs[0];
    here.fixed = true;
    here.at = 0;
    vec_push(a, &runs, here);
    bool same_source = x != NULL && x->source == y->source;
    for (uint32_t i = 0; same_source && i < x->n; i++) {
        struct textmap_run r = x->runs[i];
        r.at += (uint32_t)x_at;
        vec_push(a, &runs, r);
    }
    for (uint32_t i = 0; i < y->n; i++) {
        struct textmap_run r = y->runs[i];
        r.at += (uint32_t)y_at;
        vec_push(a, &runs, r);
    }
    struct textmap *m = ARENA_NEW(a, struct textmap);
    *m = (struct textmap){y->source, runs.v, (uint32_t)runs.n, y->last_line};
    return m;
}
