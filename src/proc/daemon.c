/* The daemon's beginning; see daemon.h. */
#include "proc/daemon.h"

#include "base/arena.h"
#include "base/num.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "proc/daemon_start.h"
#include "proc/engine_start.h"
#include "proc/pid_file.h"
#include "sys/process.h"
#include "sys/signals.h"
#include "sys/submit_wire.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* To the logs and to whoever started it. */
static int
give_up(const struct mode *m, struct engine *e, struct str text)
{
    maillog_line(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, text);
    (void)m;
    return 1;
}

/* Who set that option is a user at a terminal: told in words without a time. */
static int
refuse_wrapper(struct engine *e)
{
    struct str text = STR_LIT("Daemon cannot be run when mua_wrapper is set");
    (void)fprintf(stderr, "%.*s\n", STR_ARG(text));
    maillog_line(e, MAILLOG_MAIN | MAILLOG_PANIC | MAILLOG_QUIET, STR_NULL, text);
    return 1;
}

static struct str
usual_pid_path(struct mode *m)
{
    const struct xstr *x = &m->conf->main->pid_file_path;
    struct str text;
    if (x->text.n > 0 && vm_expand_x(m->vm, x, &text) == VM_OK && text.n > 0)
        return str_dup(m->arena, text);
    return str_printf(m->arena, "%.*s/exim-daemon.pid",
                      STR_ARG(m->conf->main->spool_directory.text));
}

/* -oP; else the usual file when the daemon listens where it usually does. One that only runs the queue has it when no other daemon
 * does. */
static struct str
pid_path(struct mode *m, bool listens)
{
    struct str given = cli_value(m->cli, "-oP");
    if (str_is_set(given))
        return str_untaint_by_rule(given, "file that an admin user names");
    if (cli_has(m->cli, "-oX") || m->cli->mode == CLI_WAIT_DAEMON)
        return STR_NULL;
    struct str usual = usual_pid_path(m);
    return listens || !pid_file_is_taken(usual) ? usual : STR_NULL;
}

/* -oPX: the file of a daemon that has ended. */
static int
remove_pid_file(struct mode *m)
{
    const char *path = str_cstr(m->arena, pid_path(m, true));
    return path != NULL && (unlink(path) == 0 || errno == ENOENT) ? 0 : 1;
}

static void
write_pid_file(struct master_setup *s)
{
    if (!str_is_set(s->pid_file) || pid_file_write(s->pid_file))
        return;
    maillog(s->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "failed to open pid file %.*s: %s", STR_ARG(s->pid_file), strerror(errno));
    s->pid_file = STR_NULL;
}

/* Sockets, from whom they may come. */
static bool
get_sockets(struct master_setup *s, struct str *error)
{
    struct mode *m = s->mode;
    if (s->waits) {
        *error = STR_LIT("the standard input is no socket that listens (-bw)");
        s->given = true;
        return daemon_start_inherit(m->arena, s, &s->interfaces);
    }
    s->given = s->listens && !cli_has(m->cli, "-oX") &&
               daemon_start_inherit(m->arena, s, &s->interfaces);
    if (s->given || !s->listens)
        return true;
    return daemon_start_find(m, &s->interfaces, error) &&
           daemon_start_open(m, s->engine, &s->interfaces, NULL, error);
}

/* Of a daemon that listens for the network too. */
static void
open_submission(struct master_setup *s)
{
    const struct conf_main *c = s->mode->conf->main;
    s->submit = -1;
    if (!s->listens || c->submit_socket.n == 0)
        return;
    const char *path = str_cstr(s->mode->arena, c->submit_socket);
    s->submit = path != NULL ? submit_wire_listen(path) : -1;
    if (s->submit < 0)
        maillog(s->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to make the socket %.*s (submit_socket): %s", STR_ARG(c->submit_socket),
                strerror(errno));
}

/* One that only runs the queue has no option for that; a service manager that waits to hear from it wants it as it started it. */
static bool
stays_in_foreground(const struct mode *m, bool listens)
{
    const struct cli *cli = m->cli;
    return cli_has(cli, "-bdf") || cli->mode == CLI_WAIT_DAEMON || cli->debug || cli->verbose ||
           (!listens && m->service.path[0] != '\0');
}

int
daemon_run(struct mode *m)
{
    struct str error = STR_NULL, wait = cli_value(m->cli, "-bw");
    int ready = -1; /* who started us in the background hears it when the PID file is there */
    struct master_setup s = {
        .mode = m,
        .listens = cli_has(m->cli, "-bd") || cli_has(m->cli, "-bdf"),
        .waits = m->cli->mode == CLI_WAIT_DAEMON,
        .pid_file = STR_NULL,
    };
    if (cli_has(m->cli, "-oPX"))
        return remove_pid_file(m);
    if (geteuid() == 0 && !priv_become(0, 0)) {
        (void)fprintf(stderr, "%s: cannot become root\n", m->cli->program);
        return 1;
    }
    s.engine = engine_make(m);
    if (s.engine == NULL)
        return 1;
    if (m->conf->main->mua_wrapper)
        return refuse_wrapper(s.engine);
    if (str_is_set(wait) && wait.n > 0)
        (void)num_parse_interval(wait, &s.wait_s);
    if (!get_sockets(&s, &error))
        return give_up(m, s.engine, error);
    s.signals = signals_take();
    if (!stays_in_foreground(m, s.listens) && !process_to_background(&ready))
        return give_up(
            m, s.engine,
            str_printf(m->arena, "fork() failed when starting daemon: %s", strerror(errno)));
    open_submission(&s);
    s.pid_file = pid_path(m, s.listens);
    write_pid_file(&s);
    process_is_ready(ready);
    daemon_start_log(&s);
    return master_run(&s);
}
