/* Messages that wait for a host; see remote_wait.h. A record a pair: key "transport/host/id", no value. */
#include "engine/remote_wait.h"

#include "engine/mua_wrapper.h"
#include "engine/retry_hints.h"
#include "engine/run_memory.h"
#include "sys/hints.h"

#include <unistd.h>

static struct str
prefix_of(struct arena *a, struct str transport, struct str host)
{
    return str_lowered(a, STR_JOIN(a, transport, STR_LIT("/"), host, STR_LIT("/")));
}

static struct str
key_of(struct arena *a, struct str transport, struct str host, struct str id)
{
    return str_cat(a, prefix_of(a, transport, host), id);
}

void
remote_wait_add(struct delivery *d, struct str transport, struct str host)
{
    struct str key = key_of(d->arena, transport, host, d->id);
    if (mua_wrapper_is_on(d) || key.n > HINTS_KEY_MAX ||
        run_memory_wait(d->engine->run, d->engine, key))
        return;
    (void)hints_add(retry_store(d->engine), HINTS_WAIT, &key, 1, REMOTE_WAIT_VERSION);
}

void
remote_wait_remove(struct delivery *d, struct str transport, struct str host)
{
    if (!mua_wrapper_is_on(d))
        remote_wait_forget(d->engine, transport, host, d->id);
}

void
remote_wait_forget(struct engine *e, struct str transport, struct str host, struct str id)
{
    struct arena *a = arena_new();
    struct str value, key = key_of(a, transport, host, id);
    struct hints *h = retry_store(e);
    run_memory_flush(e->run, e);
    if (hints_get(h, a, HINTS_WAIT, key, REMOTE_WAIT_VERSION, &value))
        (void)hints_delete(h, HINTS_WAIT, key);
    arena_free(a);
}

/* Notes outlive messages that went another way. */
static bool
is_queued(struct engine *e, struct str id)
{
    struct spool_place place = engine_place(e);
    struct message_id parsed;
    int dir = message_id_parse(id, &parsed) ? spool_find_directory(&place, &parsed) : -1;
    if (dir >= 0)
        close(dir);
    return dir >= 0;
}

struct str
remote_wait_first(struct engine *e, struct arena *a, struct str transport, struct str host,
                  struct str from)
{
    struct str prefix = prefix_of(a, transport, host);
    struct str start = from.n > 0 ? str_cat(a, prefix, from) : STR_EMPTY, key;
    run_memory_flush(e->run, e);
    for (;;) {
        key = hints_first(retry_store(e), a, HINTS_WAIT, prefix, start);
        if (!str_is_set(key))
            return STR_NULL;
        struct str id = str_sub(key, prefix.n, key.n);
        if (is_queued(e, id))
            return str_untaint_by_rule(id, "our own record");
        remote_wait_forget(e, transport, host, id);
        start = key;
    }
}
