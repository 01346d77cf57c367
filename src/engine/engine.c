/* The context of the engine; see engine.h. */
#include "engine/engine.h"

#include "conf/main_options.h"

struct spool_place
engine_place(const struct engine *e)
{
    const struct conf_main *c = e->conf->main;
    return (struct spool_place){
        .root = str_cstr(e->arena, c->spool_directory.text),
        .queue = e->queue.n > 0 ? str_cstr(e->arena, e->queue) : NULL,
        .split = c->split_spool_directory,
    };
}
