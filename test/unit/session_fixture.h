/* An engine for sessions without a process around it: a configuration given as text, a spool in a private folder under /tmp.
 * Shared by unit tests and fuzz targets; failures abort. */
#ifndef REMEX_TEST_SESSION_FIXTURE_H
#define REMEX_TEST_SESSION_FIXTURE_H

#include "acl/acl.h"
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/engine.h"
#include "proc/wire.h"
#include "routers/router.h"
#include "sys/log_selector.h"
#include "transports/transport.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
session_require(bool good)
{
    if (!good)
        abort();
}

/* Text of a configuration without spool_directory, which is put in front. */
static const struct conf *
session_conf(struct arena *a, struct str spool, const char *text)
{
    struct diags *diags = diags_new(a, 5);
    struct source *source = ARENA_NEW(a, struct source);
    source->name = STR_LIT("/test/conf");
    source->text = str_printf(a, "spool_directory = %.*s\n%s", STR_ARG(spool), text);
    struct conf_request *rq = ARENA_NEW(a, struct conf_request);
    *rq = (struct conf_request){.source = source,
                                .max_files = 1,
                                .routers = &router_class,
                                .transports = &transport_class,
                                .acl = &acl_section,
                                .main_opts = &conf_main_opts};
    const struct conf *c = conf_read(a, rq, diags);
    session_require(c != NULL);
    conf_main_complete(c->main, STR_LIT("mx.example.org"));
    return c;
}

/* An engine of a thread. */
static void
session_engine(struct arena *a, const struct conf *c, struct engine *e)
{
    struct wiring w = wire_command_line(a, c);
    struct str spool = c->main->spool_directory.text;
    (void)mkdir(str_cstr(a, spool), 0700);
    *e = (struct engine){.arena = a,
                         .conf = c,
                         .eval = w.eval,
                         .vm = w.vm,
                         .caller = {.uid = getuid(), .gid = getgid(), .trusted = true},
                         .queue = STR_EMPTY,
                         .selectors = ~(uint64_t)0 >> (64 - LOG_SELECTORS),
                         .calls = &durable_unsynced};
    e->caller.login = STR_LIT("tester");
    e->caller.name = STR_EMPTY;
    e->mail_uid = getuid();
    e->mail_gid = getgid();
    e->log.file_path = str_printf(a, "%.*s/%%s", STR_ARG(spool));
}

#endif
