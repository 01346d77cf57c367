/* The engine of a process of the command line; see engine_start.h. */
#include "proc/engine_start.h"

#include "acl/acl_run.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "conf/organisation.h"
#include "conf/resolve.h"
#include "engine/become.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/peer_name.h"
#include "filter/fn_arg.h"
#include "proc/context.h"
#include "proc/notice.h"
#include "proc/wire.h"
#include "sys/hints.h"
#include "sys/log_selector.h"

#include <stdio.h>
#include <unistd.h>

/* exim_user and exim_group of the configuration, else of the site file, else who we are. */
static bool
find_mail_user(const struct mode *m, struct engine *e)
{
    const struct conf_main *c = m->conf->main;
    bool root = geteuid() == 0;
    if (!root) {
        e->mail_uid = geteuid();
        e->mail_gid = getegid();
        return true;
    }
    bool known = site_find_user(m->arena, m->site, &e->mail_uid, &e->mail_gid);
    if (c->exim_user.set)
        e->mail_uid = (uid_t)c->exim_user.id;
    if (c->exim_group.set)
        e->mail_gid = (gid_t)c->exim_group.id;
    return known || (c->exim_user.set && c->exim_group.set);
}

static void
set_selectors(const struct mode *m, struct engine *e)
{
    const char *error;
    struct str wrong;
    e->selectors = log_selector_default();
    if (str_is_set(m->conf->main->log_selector))
        (void)log_selector_apply(m->conf->main->log_selector, &e->selectors, &error, &wrong);
    e->eval->log_selectors = e->selectors;
}

static void
set_log(const struct mode *m, struct engine *e)
{
    e->log = notice_settings(m->arena, m->conf, m->site);
    e->log.own = geteuid() == 0;
    e->log.uid = e->mail_uid;
    e->log.gid = e->mail_gid;
}

/* A list wants to know what the client's host is called. */
static enum outcome
find_peer(void *ctx)
{
    struct engine *e = ctx;
    struct session *s = e->eval->session;
    enum outcome o = peer_name_find(e, s);
    if (o == OUT_OK)
        peer_set_names(e, s);
    return o;
}

/* What functions of the language have to tell. */
static void
log_line(void *ctx, bool panic, struct str text)
{
    struct engine *e = ctx;
    const struct message *m = e->eval->message;
    unsigned to = MAILLOG_MAIN | (panic ? (unsigned)MAILLOG_PANIC : 0u);
    /* Some texts of the reference end with a newline, which log readers see as an empty line. */
    bool blank = text.n > 0 && text.p[text.n - 1] == '\n';
    maillog_line(e, to | (blank ? (unsigned)MAILLOG_BLANK : 0u), m != NULL ? m->id : STR_NULL,
                 str_sub(text, 0, text.n - blank));
}

struct engine *
engine_make(struct mode *m)
{
    struct engine *e = ARENA_NEW(m->arena, struct engine);
    struct submitter who = context_submitter(m);
    *e = (struct engine){
        .arena = m->arena,
        .conf = m->conf,
        .eval = m->eval,
        .vm = m->vm,
        .site = m->site,
        .caller = {.uid = m->caller.uid,
                   .gid = m->caller.gid,
                   .login = who.login,
                   .name = who.name,
                   .trusted = m->trusted,
                   .admin = m->admin},
        .can_become = geteuid() == 0,
        .become = &become_by_fork,
        .dont_deliver = cli_has(m->cli, "-N"),
        .verbose = m->cli->verbose || cli_has(m->cli, "-N"),
        .queue = STR_EMPTY,
        .calls = m->conf->main->disable_fsync ? &durable_unsynced : &durable_kernel,
    };
    e->eval->log = log_line;
    e->eval->log_ctx = e;
    e->eval->find_peer = find_peer;
    if (!find_mail_user(m, e)) {
        (void)fprintf(stderr,
                      "%s: there is no mail user \"%.*s\"; the site file names another\n",
                      m->cli->program, STR_ARG(m->site->user));
        return NULL;
    }
    set_selectors(m, e);
    set_log(m, e);
    return e;
}

/* An argument as log_selector = +arguments shows it. */
static void
add_argument(struct buf *b, const char *text, bool top_bit)
{
    bool quoted = text[0] == '\0';
    for (const char *p = text; *p != '\0'; p++)
        quoted = quoted || ascii_space(*p);
    buf_addz(b, quoted ? " \"" : " ");
    fn_add_escaped(b, str_from_cstr(text), top_bit);
    if (quoted)
        buf_addc(b, '"');
}

/* Not for the processes of the daemon, which nobody called. */
static void
log_arguments(struct mode *m, struct engine *e)
{
    struct buf b = buf_in(m->arena, 0);
    if (!maillog_selected(e, LOG_SELECTOR_ARGUMENTS) || m->cli->mode == CLI_ROLE)
        return;
    struct str directory = m->eval->process.directory;
    buf_printf(&b, "cwd=%.*s %d args:", STR_ARG(directory), m->argc);
    for (int i = 0; i < m->argc; i++)
        add_argument(&b, m->argv[i], m->conf->main->print_topbitchars);
    maillog_line(e, MAILLOG_MAIN | MAILLOG_TABS, STR_NULL, buf_str(&b));
}

struct engine *
engine_start(struct mode *m)
{
    struct engine *e = engine_make(m);
    if (e == NULL)
        return NULL;
    log_arguments(m, e);
    const struct conf_main *c = m->conf->main;
    bool drop = (c->deliver_drop_privilege || c->mua_wrapper) && e->can_become;
    e->can_become = e->can_become && !drop;
    e->dropped = drop;
    if (drop ? !priv_become(e->mail_uid, e->mail_gid) : !priv_lower(e->mail_uid, e->mail_gid)) {
        (void)fprintf(stderr, "%s: unable to become the mail user\n", m->cli->program);
        return NULL;
    }
    return e;
}

void
engine_start_shared(struct engine *e)
{
    struct str error = STR_NULL;
    resolve_prepare(e->eval);
    organisation_prepare(e->eval);
    struct str path =
        str_printf(e->arena, "%.*s/db", STR_ARG(e->conf->main->spool_directory.text));
    e->hints = hints_open(e->arena, str_cstr(e->arena, path), &error);
    if (str_is_set(error))
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%.*s", STR_ARG(error));
    acl_runner_set_hints(e->eval->acls, e->hints);
}

struct engine *
engine_start_thread(const struct engine *e, struct arena *a)
{
    struct wiring w = wire_command_line(a, e->conf);
    struct engine *t = ARENA_NEW(a, struct engine);
    *t = *e;
    t->arena = a;
    t->eval = w.eval;
    t->vm = w.vm;
    t->log.kept = log_kept_new(a);
    t->policy = NULL;
    t->queues = NULL;
    t->eval->process = e->eval->process;
    t->eval->clock = e->eval->clock;
    t->eval->tls = e->eval->tls;
    t->eval->log = log_line;
    t->eval->log_ctx = t;
    t->eval->find_peer = find_peer;
    t->eval->dns = e->eval->dns;
    t->eval->suffixes = e->eval->suffixes;
    t->eval->inspect = e->eval->inspect;
    acl_runner_set_hints(t->eval->acls, e->hints);
    return t;
}
