/* The context of the engine; see engine.h. */
#include "engine/engine.h"

#include "base/arena.h"
#include "base/map.h"
#include "conf/main_options.h"
#include "sys/entropy.h"

#include <string.h>
#include <unistd.h>

struct queue_kept {
    struct str name;
    const char *text;
};

/* NULL: a name with a NUL is none. */
static const struct queue_kept *
keep(struct engine *e, struct str name)
{
    if (e->queues == NULL)
        e->queues = map_new(e->arena, MAP_CASEFUL);
    struct queue_kept *k = map_get(e->queues, name);
    if (k != NULL || memchr(name.p, '\0', name.n) != NULL)
        return k;
    k = ARENA_NEW(e->arena, struct queue_kept);
    k->text = str_cstr(e->arena, name);
    k->name = str_dup(e->arena, name);
    map_set(e->queues, k->name, k);
    return k;
}

struct str
engine_keep_queue(struct engine *e, struct str name)
{
    const struct queue_kept *k = name.n > 0 ? keep(e, name) : NULL;
    return k != NULL ? k->name : STR_EMPTY;
}

struct spool_place
engine_place(struct engine *e)
{
    const struct conf_main *c = e->conf->main;
    const struct queue_kept *k = e->queue.n > 0 ? keep(e, e->queue) : NULL;
    if (e->root == NULL)
        e->root = str_cstr(e->arena, c->spool_directory.text);
    return (struct spool_place){
        .root = e->root,
        .queue = k != NULL ? k->text : NULL,
        .split = c->split_spool_directory,
        .kept = e->input,
    };
}

int64_t
engine_deliverer(struct engine *e)
{
    while (e->deliverer == 0 || e->deliverer_process != getpid()) {
        uint64_t n;
        entropy_fill(&n, sizeof n);
        e->deliverer = (int64_t)(n >> 1);
        e->deliverer_process = getpid();
    }
    return e->deliverer;
}

void
engine_deliverer_change(struct engine *e)
{
    e->deliverer = 0;
}

struct account_rules
engine_account_rules(const struct engine *e)
{
    const struct conf_main *c = e->conf->main;
    return (struct account_rules){.retries = c->finduser_retries,
                                  .longest = c->max_username_length};
}
