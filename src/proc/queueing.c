/* When a message is delivered; see queueing.h. Source: specification, options -odb, -odi, -odq, -odqs, queue_only,
 * queue_only_file, queue_only_load, queue_only_override. */
#include "proc/queueing.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "sys/machine.h"

#include <unistd.h>

/* The last -od option wins. False: none was given. */
static bool
asked_for(const struct mode *m, enum reception_delivery *when)
{
    static const struct {
        const char *name;
        enum reception_delivery when;
    } rows[] = {
        {"-odb", RECEPTION_BACKGROUND}, {"-odf", RECEPTION_WAIT},   {"-odi", RECEPTION_WAIT},
        {"-odq", RECEPTION_QUEUE},      {"-odqs", RECEPTION_ROUTE},
    };
    bool found = false;
    for (size_t i = 0; i < m->cli->settings.n; i++) {
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            if (str_eqz(str_from_cstr(m->cli->settings.v[i].row->name), rows[k].name)) {
                *when = rows[k].when;
                found = true;
            }
        }
    }
    return found;
}

/* queue_only_file: names, those behind "smtp" hold back only what goes out by SMTP. */
static void
look_for_files(const struct conf_main *c, bool *queue, bool *route)
{
    struct arena *a = arena_new();
    struct strlist_split l = strlist_split_start(c->queue_only_file.text, ':');
    struct str item;
    while (strlist_split_next(&l, a, &item)) {
        bool smtp = str_starts(item, "smtp/");
        const char *path = str_cstr(a, smtp ? str_sub(item, 4, item.n) : item);
        if (path == NULL || path[0] != '/' || access(path, F_OK) != 0)
            continue;
        *(smtp ? route : queue) = true;
    }
    arena_free(a);
}

/* Once it was too high it counts as such for the rest of the session, unless it is to be looked at for each message. */
static bool
is_loaded(const struct conf_main *c, struct session *s)
{
    if (c->queue_only_load < 0)
        return false;
    if (s != NULL && s->was_loaded && c->queue_only_load_latch)
        return true;
    bool loaded = machine_load_average() > c->queue_only_load;
    if (s != NULL)
        s->was_loaded = s->was_loaded || loaded;
    return loaded;
}

/* *loaded: it is the load that makes messages wait, and nothing else. */
static enum reception_delivery
choose(const struct mode *m, const struct engine *e, bool *loaded)
{
    const struct conf_main *c = m->conf->main;
    enum reception_delivery when = RECEPTION_BACKGROUND;
    bool asked = asked_for(m, &when), queue = false, route = false;
    *loaded = false;
    if (c->mua_wrapper)
        return RECEPTION_WAIT;
    look_for_files(c, &queue, &route);
    bool overridden =
        asked && c->queue_only_override; /* not the load: -odi may not add to it */
    if (queue || (!overridden && c->queue_only))
        return RECEPTION_QUEUE;
    if (is_loaded(c, e->eval->session)) {
        *loaded = when != RECEPTION_QUEUE;
        return RECEPTION_QUEUE;
    }
    if (route && when != RECEPTION_QUEUE)
        return RECEPTION_ROUTE;
    return when;
}

enum reception_delivery
queueing_choose(const struct mode *m, const struct engine *e)
{
    bool loaded;
    return choose(m, e, &loaded);
}

enum reception_delivery
queueing_choose_for(const struct mode *m, struct engine *e, struct str id)
{
    bool loaded;
    enum reception_delivery when = choose(m, e, &loaded);
    if (loaded && maillog_selected(e, LOG_SELECTOR_DELAY_DELIVERY))
        maillog(e, MAILLOG_MAIN, id, "no immediate delivery: load average %.2f",
                (double)machine_load_average() / 1000);
    return when;
}
