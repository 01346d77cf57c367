/* The master's processes; see child_table.h. */
#include "proc/child_table.h"

#include "base/arena.h"

#include <unistd.h>

enum { DELAY_MIN_MS = 100, DELAY_MAX_MS = 60000 };

struct role_child *
child_table_of_pid(struct child_table *t, pid_t pid)
{
    for (size_t i = 0; i < t->v.n; i++) {
        if (t->v.v[i]->pid == pid)
            return t->v.v[i];
    }
    return NULL;
}

/* A place that nothing runs in and nothing will. */
static bool
is_over(const struct role_child *c)
{
    return c->pid == 0 && c->again_ms == 0;
}

struct role_child *
child_table_find(const struct child_table *t, enum ipc_kind kind, unsigned generation)
{
    for (size_t i = 0; i < t->v.n; i++) {
        struct role_child *c = t->v.v[i];
        if (c->kind == kind && c->generation == generation && !is_over(c))
            return c;
    }
    return NULL;
}

void
child_table_sweep(struct child_table *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->v.n; i++) {
        struct role_child *c = t->v.v[i];
        if (!is_over(c)) {
            t->v.v[kept++] = c;
        } else if (c->fd >= 0) {
            close(c->fd);
            c->fd = -1;
        }
    }
    t->v.n = kept;
}

struct role_child *
child_table_add(struct child_table *t, struct arena *a, enum ipc_kind kind, unsigned number,
                unsigned generation)
{
    struct role_child *c = ARENA_NEW(a, struct role_child);
    *c =
        (struct role_child){.kind = kind, .number = number, .generation = generation, .fd = -1};
    vec_push(a, &t->v, c);
    return c;
}

int64_t
child_table_delay(unsigned deaths)
{
    int64_t ms = DELAY_MIN_MS;
    for (unsigned i = 1; i < deaths && ms < DELAY_MAX_MS; i++)
        ms *= 2;
    return ms < DELAY_MAX_MS ? ms : DELAY_MAX_MS;
}
