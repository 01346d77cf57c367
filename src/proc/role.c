/* How a process of the daemon begins; see role.h. */
#include "proc/role.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "proc/bundle.h"
#include "proc/config.h"
#include "proc/engine_start.h"
#include "proc/inspect_service.h"
#include "proc/process_log.h"
#include "proc/role_limits.h"
#include "sys/account.h"
#include "sys/jail.h"
#include "sys/process.h"
#include "sys/signals.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- words between processes --- */

bool
role_send(int to, enum ipc_type type, const struct ipc_field *f, int fd)
{
    return to >= 0 && ipc_send(&ipc_protocol, to, type, f, fd) == IPC_OK;
}

bool
role_offer(int to, enum ipc_type type, const struct ipc_field *f)
{
    return to >= 0 && ipc_offer(&ipc_protocol, to, type, f, -1) == IPC_OK;
}

struct held_connection
role_held_of(const struct ipc_message *msg)
{
    return (struct held_connection){.id = msg->f[0].text,
                                    .place = msg->f[1].text,
                                    .sender = msg->f[2].text,
                                    .recipients = msg->f[3].text,
                                    .fd = msg->fd};
}

void
role_pass_held(int to, enum ipc_type type, const struct held_connection *h)
{
    const struct ipc_field f[] = {
        {.text = h->id}, {.text = h->place}, {.text = h->sender}, {.text = h->recipients}};
    if (to >= 0)
        (void)ipc_offer(&ipc_protocol, to, type, f, h->fd);
    close(h->fd);
}

void
role_say_lost(struct role *r)
{
    (void)role_send(r->control, IPC_LOST, NULL, -1);
}

void
role_say_ready(struct role *r)
{
    (void)role_send(r->control, IPC_READY, NULL, -1);
}

/* The master is gone: nothing new comes, what is under way is finished. */
static void
lose_master(struct role *r)
{
    close(r->control);
    r->control = -1;
    r->retiring = r->last = true;
}

bool
role_hear(struct role *r, struct ipc_message *msg)
{
    if (r->control < 0)
        return false;
    switch (ipc_receive(&ipc_protocol, r->control, IPC_KIND_MASTER, r->kind, msg)) {
    case IPC_OK:
        break;
    case IPC_AGAIN:
        return false;
    case IPC_CLOSED:
    case IPC_FORGED:
        lose_master(r);
        return false;
    }
    if (msg->type != IPC_RETIRE)
        return true;
    r->retiring = true;
    r->last = r->last || msg->f[0].number != 0;
    return false;
}

void
role_tell_state(const struct role *r, pid_t pid, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    process_log_write(r->e, pid, text);
}

/* --- beginning --- */

/* Messages that come in belong to the mail user. */
static void
be_known_as_mail_user(struct role *r)
{
    struct engine *e = r->e;
    const struct passwd *pw = account_user_of_id(r->m->arena, e->mail_uid);
    e->caller.uid = e->mail_uid;
    e->caller.gid = e->mail_gid;
    e->caller.login = pw != NULL ? str_from_cstr(pw->pw_name)
                                 : str_printf(r->m->arena, "%u", (unsigned)e->mail_uid);
    e->caller.name = STR_EMPTY;
    r->m->eval->process.caller_uid = e->mail_uid;
    r->m->eval->process.caller_gid = e->mail_gid;
}

bool
role_become_mail_user(struct role *r)
{
    struct engine *e = r->e;
    if (!e->can_become)
        return true;
    e->can_become = false;
    e->log.own = false;
    if (jail_drop_bounding() && priv_become(e->mail_uid, e->mail_gid))
        return true;
    maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%s process: unable to give up root",
            ipc_kind_name(r->kind));
    return false;
}

/* What the master says first. */
static bool
take_hello(struct role *r, int *conf_fd, bool *door)
{
    struct ipc_message msg;
    const unsigned any =
        IPC_KIND_SMTP | IPC_KIND_QUEUE | IPC_KIND_DELIVER | IPC_KIND_AGENT | IPC_KIND_INSPECT;
    if (ipc_receive(&ipc_protocol, ROLE_FD, IPC_KIND_MASTER, any, &msg) != IPC_OK)
        return false;
    *conf_fd = msg.fd;
    if (msg.type != IPC_HELLO)
        return false;
    r->control = ROLE_FD;
    r->kind = (enum ipc_kind)msg.f[0].number;
    r->number = (unsigned)msg.f[1].number;
    r->generation = (unsigned)msg.f[2].number;
    *door = msg.f[3].number != 0;
    return (r->kind & any) != 0 && (r->kind & (r->kind - 1u)) == 0;
}

/* Where the inspect process is asked. */
static bool
take_door(struct role *r)
{
    struct ipc_message msg;
    if (ipc_receive(&ipc_protocol, ROLE_FD, IPC_KIND_MASTER, r->kind, &msg) != IPC_OK)
        return false;
    if (msg.type != IPC_PEER || msg.f[0].number != IPC_KIND_INSPECT)
        return false;
    r->m->eval->inspect = inspect_service_of_door(r->m->arena, msg.fd);
    return true;
}

/* The command line of the daemon, read again. */
static const struct cli *
parse_arguments(struct arena *a, const struct bundle *b)
{
    struct cli *cli = ARENA_NEW(a, struct cli);
    char **argv = ARENA_ARRAY(a, char *, b->args.n + 1);
    for (size_t i = 0; i < b->args.n; i++) {
        argv[i] = str_cstr(a, b->args.v[i]);
        if (argv[i] == NULL)
            return NULL;
    }
    return cli_parse(a, (int)b->args.n, argv, cli) ? cli : NULL;
}

/* Completes the mode by what the master handed over. */
static bool
take_configuration(struct role *r, int fd)
{
    struct bundle *b = ARENA_NEW(r->m->arena, struct bundle);
    bool read = bundle_read(r->m->arena, fd, b);
    close(fd);
    if (!read)
        return false;
    r->m->bundle = b;
    r->m->cli = parse_arguments(r->m->arena, b);
    if (r->m->cli == NULL || !config_load(r->m))
        return false;
    const char *spool = str_cstr(r->m->arena, r->m->conf->main->spool_directory.text);
    if (spool != NULL && chdir(spool) != 0)
        spool = NULL; /* relative names then mean what they meant for the master */
    r->e = engine_make(r->m);
    if (r->e != NULL)
        be_known_as_mail_user(r);
    return r->e != NULL;
}

static int
work(struct role *r)
{
    switch (r->kind) {
    case IPC_KIND_SMTP:
        return role_smtp(r);
    case IPC_KIND_QUEUE:
        return role_queue(r);
    case IPC_KIND_DELIVER:
        return role_deliver(r);
    case IPC_KIND_AGENT:
        return role_agent(r);
    case IPC_KIND_INSPECT:
        return role_inspect(r);
    case IPC_KIND_MASTER:
    case IPC_KIND_WORKER:
    case IPC_KIND_SESSION:
        break;
    }
    return 1;
}

int
role_run(struct mode *m)
{
    struct role r = {.m = m, .control = -1, .signals = -1};
    int fd = -1;
    bool door = false;
    bool own = geteuid() == getuid() && getegid() == getgid();
    if ((!own && !priv_drop_to_real()) || !process_is_started_by_parent(ROLE_FD) ||
        !take_hello(&r, &fd, &door)) {
        (void)fprintf(stderr, "%s: -bI:role is what the daemon calls for itself\n",
                      m->cli->program);
        return 1;
    }
    process_detach(m->cli->program);
    r.signals = signals_take();
    if (r.signals < 0 || !take_configuration(&r, fd) || (door && !take_door(&r)))
        return 1;
    role_limits_set(&r);
    return work(&r);
}
