/* What a queue run remembers; see run_memory.h. */
#include "engine/run_memory.h"

#include "base/arena.h"
#include "base/map.h"
#include "engine/remote_wait.h"
#include "engine/retry_hints.h"
#include "sys/await.h"
#include "sys/hints.h"
#include "transports/smtp_client.h"

#include <unistd.h>

struct failure {
    struct smtp_end end;
    int64_t until_ms;
};

struct run_memory {
    struct arena *arena, *notes; /* of the run; of what is to be written */
    pid_t process;               /* whose notes they are: a child writes none of them */
    struct map *failures;
    VEC(struct str) waits;
};

static void
free_notes(void *ctx)
{
    struct run_memory *m = ctx;
    arena_free(m->notes);
}

struct run_memory *
run_memory_new(struct arena *a)
{
    struct run_memory *m = ARENA_NEW(a, struct run_memory);
    m->arena = a;
    m->notes = arena_new();
    m->process = getpid();
    m->failures = map_new(a, MAP_CASEFUL);
    arena_on_free(a, free_notes, m);
    return m;
}

/* --- hosts --- */

static struct str
failure_key(struct arena *a, struct str transport, struct str key)
{
    return STR_JOIN(a, transport, STR_LIT("/"), key);
}

static struct failure *
find(const struct run_memory *m, struct str transport, struct str key)
{
    struct arena_mark mark = arena_mark(m->arena);
    struct failure *f = map_get(m->failures, failure_key(m->arena, transport, key));
    arena_reset(m->arena, mark);
    return f;
}

static struct str
keep(struct arena *a, struct str s)
{
    return str_is_set(s) ? str_dup(a, s) : STR_NULL;
}

/* Texts of an end that was remembered before take up room until the run is over: once in RUN_MEMORY_S for a host. */
static struct smtp_end
copy_end(struct arena *a, const struct smtp_end *end)
{
    struct smtp_end c = *end;
    c.why.enhanced = keep(a, end->why.enhanced);
    c.why.peer = keep(a, end->why.peer);
    c.why.log = keep(a, end->why.log);
    c.why.host = keep(a, end->why.host);
    c.why.host_ip = keep(a, end->why.host_ip);
    c.command = keep(a, end->command);
    c.reply = keep(a, end->reply);
    return c;
}

void
run_memory_failed(struct run_memory *m, struct str transport, struct str key,
                  const struct smtp_end *end)
{
    if (m == NULL || end->fate != SMTP_HOST_DEFER || !end->connecting)
        return;
    struct failure *f = find(m, transport, key);
    if (f == NULL) {
        if (map_count(m->failures) == RUN_MEMORY_HOSTS_MAX)
            return;
        f = ARENA_NEW(m->arena, struct failure);
        map_set(m->failures, failure_key(m->arena, transport, key), f);
    }
    f->end = copy_end(m->arena, end);
    f->until_ms = await_now_ms() + RUN_MEMORY_S * 1000;
}

const struct smtp_end *
run_memory_find(const struct run_memory *m, struct str transport, struct str key)
{
    if (m == NULL)
        return NULL;
    const struct failure *f = find(m, transport, key);
    return f != NULL && await_now_ms() < f->until_ms ? &f->end : NULL;
}

/* --- messages that wait --- */

bool
run_memory_wait(struct run_memory *m, struct engine *e, struct str key)
{
    if (m == NULL || m->process != getpid())
        return false;
    vec_push(m->notes, &m->waits, str_dup(m->notes, key));
    if (m->waits.n == RUN_MEMORY_WAITS_MAX)
        run_memory_flush(m, e);
    return true;
}

void
run_memory_flush(struct run_memory *m, struct engine *e)
{
    if (m == NULL || m->process != getpid() || m->waits.n == 0)
        return;
    (void)hints_add(retry_store(e), HINTS_WAIT, m->waits.v, m->waits.n, REMOTE_WAIT_VERSION);
    arena_clear(m->notes);
    m->waits.v = NULL;
    m->waits.n = m->waits.cap = 0;
}
