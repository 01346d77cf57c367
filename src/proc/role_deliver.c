/* The deliver role: starts the processes that deliver, by fork alone, so that they have the configuration already.
 *
 * A worker makes one attempt after the other as the queue process asks, as the mail user and with no other power: what is to be done as
 * a user the agent has done. It ends when the queue process is gone or has enough of it, and outlives this process.
 */
#include "proc/role.h"

#include "base/arena.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/become_agent.h"
#include "engine/delivery.h"
#include "engine/maillog.h"
#include "engine/queue_run.h"
#include "engine/remote_pool.h"
#include "engine/turned.h"
#include "lookups/lookup_cache.h"
#include "proc/engine_start.h"
#include "proc/reception.h"
#include "proc/role_jail.h"
#include "proc/submit_server.h"
#include "proc/tls_start.h"
#include "sys/caps.h"
#include "sys/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct deliver {
    struct role *role;
    int queue;                      /* -1: none yet */
    int submit;                     /* where ordinary users call; -1: nowhere */
    pid_t calls[SUBMIT_SERVER_MAX]; /* what serves them; 0: free */
    int door;                       /* of the agent; -1: none yet, or there is none */
    bool becomes;                   /* an agent is there, or is to come */
};

/* --- a worker --- */

static void
reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

/* Each job finds the engine as it was at the start. */
static void
reset(struct engine *e)
{
    lookup_cache_flush(e->eval->lookups);
    list_cache_forget(e->eval->lists);
    held_connection_drop(e);
    e->queue_run = e->eval->queue_running = false;
    e->forced = e->queue_reports = e->first_stage = e->local_only = false;
    e->queue = STR_EMPTY;
}

/* A message of the fast lane. The first one makes our own segment, for what is to be noted. */
static enum delivery_end
attempt_in_lane(struct engine *e, const struct lane_ref *ref, bool local_only)
{
    struct durable_fault f;
    const struct lane_settings s = {
        .spool = engine_place(e).root, .calls = e->calls, .segment_size = LANE_SEGMENT_NOTES};
    if (e->lane == NULL && (e->lane = lane_open(&s, &f)) == NULL) {
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%s", f.text);
        return DELIVERY_ERROR;
    }
    e->local_only = local_only;
    enum delivery_end end = delivery_run_lane(e, ref);
    reset(e);
    return end;
}

static enum delivery_end
attempt(struct engine *e, const struct ipc_message *msg)
{
    char queue[IPC_TEXT_MAX + 1];
    struct lane_ref ref;
    struct str where = msg->f[1].text;
    if (!message_id_parse(msg->f[0].text, NULL))
        return DELIVERY_ABSENT;
    if (lane_ref_read(where, &ref)) {
        enum delivery_end end = attempt_in_lane(e, &ref, msg->f[2].number == RECEPTION_ROUTE);
        if (end != DELIVERY_ABSENT)
            return end;
        where = STR_EMPTY; /* it may have moved meanwhile */
    }
    if (where.n > 0)
        memcpy(queue, where.p, where.n);
    queue[where.n] = '\0';
    if (strchr(queue, '/') != NULL || queue[0] == '.')
        return DELIVERY_ABSENT;
    e->queue = str_from(queue, where.n);
    e->local_only = msg->f[2].number == RECEPTION_ROUTE;
    struct str id = str_untaint_by_rule(msg->f[0].text, "message id");
    enum delivery_end end = delivery_run(e, id, DELIVERY_ARRIVED);
    reset(e);
    return end;
}

static struct queue_run
run_of_option(const struct cli *cli, const struct cli_runner *r)
{
    return (struct queue_run){
        .two_stage = r->two_stage,
        .only_new = r->only_new,
        .force = r->force || cli->queue.force,
        .force_frozen = r->force_frozen || cli->queue.force_frozen,
        .local_only = r->local_only,
        .recipient = cli->queue.recipient,
        .sender = cli->queue.sender,
        .recipient_regex = cli->queue.recipient_regex,
        .sender_regex = cli->queue.sender_regex,
        .recipient_force = cli->queue.recipient_force,
        .sender_force = cli->queue.sender_force,
        .words = cli->queue.words,
    };
}

/* By an option, for ETRN (number behind the options), or for what came while nobody was there to hear of it. */
static void
run(struct role *r, const struct ipc_message *msg)
{
    const struct cli *cli = r->m->cli;
    struct queue_run q = {.words = STR_EMPTY};
    uint64_t option = msg->f[0].number;
    struct str what = msg->f[1].text;
    if (r->e->held != NULL && str_eq(r->e->held->id, what) && turned_run(r->e)) {
        reset(r->e);
        return;
    }
    if (option < cli->runners.n) {
        q = run_of_option(cli, &cli->runners.v[option]);
        struct str name = cli->runners.v[option].name;
        r->e->queue =
            str_is_set(name) ? str_untaint_by_rule(name, "queue of an admin user") : STR_EMPTY;
    } else if (what.n > 0) {
        q.recipient = what;
        q.words = str_printf(r->e->arena, "-R %.*s", STR_ARG(what));
    } else {
        q.only_new = true;
        q.words = STR_LIT("-qi");
    }
    r->e->queue_reports = cli_has(cli, "-odq");
    (void)queue_run(r->e, &q);
    reset(r->e);
}

/* Waits for the next job. Connections that nobody used for a while are closed meanwhile. */
static bool
next_job(struct role *r, int socket, struct ipc_message *msg)
{
    struct pollfd p = {.fd = socket, .events = POLLIN};
    for (int wait_ms; (wait_ms = remote_pool_wait_ms(r->e)) >= 0;) {
        if (poll(&p, 1, wait_ms) > 0)
            break;
        delivery_run_idle(r->e);
        reset(r->e);
        reap();
    }
    return ipc_receive(&ipc_protocol, socket, IPC_KIND_QUEUE, IPC_KIND_WORKER, msg) == IPC_OK;
}

/* For the attempt that follows. */
static void
take_held(struct engine *e, const struct ipc_message *msg)
{
    const struct held_connection h = role_held_of(msg);
    held_connection_drop(e);
    e->held = held_connection_keep(&h);
}

static _Noreturn void
work(struct role *r, int socket)
{
    struct ipc_message msg;
    signals_release(r->signals);
    r->m->eval->process.pid = getpid();
    r->e->log.kept = log_kept_new(r->e->arena);
    r->e->pool = remote_pool_new(r->e);
    while (next_job(r, socket, &msg)) {
        if (msg.type == IPC_HELD_FOR) {
            take_held(r->e, &msg);
            continue;
        }
        struct ipc_field done = {.number = DELIVERY_DONE};
        if (msg.type == IPC_ATTEMPT)
            done.number = attempt(r->e, &msg);
        else
            run(r, &msg);
        reap();
        if (!role_send(socket, IPC_DONE, &done, -1))
            break;
    }
    remote_pool_end(r->e);
    lane_close(r->e->lane);
    _exit(0);
}

static void
start_worker(struct deliver *d)
{
    struct role *r = d->role;
    int fds[2];
    if (!ipc_pair(fds)) {
        maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to make a socket for deliveries: %s", strerror(errno));
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        close(d->queue);
        if (r->control >= 0)
            close(r->control);
        work(r, fds[1]);
    }
    close(fds[1]);
    if (pid < 0)
        maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to start a process for deliveries: %s", strerror(errno));
    struct ipc_field f = {.number = (uint64_t)pid};
    if (pid > 0)
        (void)role_send(d->queue, IPC_WORKER, &f, fds[0]);
    close(fds[0]);
}

/* --- the role --- */

static void
lose_queue(struct deliver *d)
{
    if (d->queue >= 0)
        close(d->queue);
    d->queue = -1;
}

static void
hear_master(struct deliver *d)
{
    struct ipc_message msg;
    if (!role_hear(d->role, &msg))
        return;
    if (msg.type == IPC_PEER && msg.f[0].number == IPC_KIND_QUEUE) {
        lose_queue(d);
        d->queue = msg.fd;
    } else if (msg.type == IPC_PEER && msg.f[0].number == IPC_KIND_AGENT && d->door < 0 &&
               d->becomes) {
        struct engine *e = d->role->e;
        d->door = msg.fd;
        e->become = become_agent_new(e->arena, d->door);
        e->can_become = true;
    } else if (msg.type == IPC_SUBMIT && d->submit < 0) {
        d->submit = msg.fd;
    } else if (msg.fd >= 0) {
        close(msg.fd);
    }
}

/* --- calls of users --- */

static pid_t *
free_call(struct deliver *d)
{
    for (size_t i = 0; i < SUBMIT_SERVER_MAX; i++)
        if (d->calls[i] == 0)
            return &d->calls[i];
    return NULL;
}

/* Not before there is somebody to tell of the message: it would be in the queue, and wait for a queue run. */
static bool
may_take_call(struct deliver *d)
{
    return d->queue >= 0 && free_call(d) != NULL;
}

static void
take_call(struct deliver *d)
{
    pid_t *place = free_call(d);
    if (place != NULL)
        *place = submit_server_take(d->role, d->submit, d->queue);
}

static bool
has_calls(const struct deliver *d)
{
    for (size_t i = 0; i < SUBMIT_SERVER_MAX; i++)
        if (d->calls[i] != 0)
            return true;
    return false;
}

static void
reap_calls(struct deliver *d)
{
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
        for (size_t i = 0; i < SUBMIT_SERVER_MAX; i++)
            if (d->calls[i] == pid)
                d->calls[i] = 0;
}

static void
hear_queue(struct deliver *d)
{
    struct ipc_message msg;
    switch (ipc_receive_now(&ipc_protocol, d->queue, IPC_KIND_QUEUE, IPC_KIND_DELIVER, &msg)) {
    case IPC_OK:
        /* The master tells of the door first; nothing is delivered without it. */
        if (!d->becomes || d->door >= 0)
            start_worker(d);
        return;
    case IPC_AGAIN:
        return;
    case IPC_CLOSED:
    case IPC_FORGED:
        lose_queue(d);
        role_say_lost(d->role);
        return;
    }
}

static void
take_signals(struct deliver *d)
{
    int sig;
    while ((sig = signals_next(d->role->signals)) != 0) {
        if (sig == SIGCHLD)
            reap_calls(d);
        else if (sig == SIGTERM)
            d->role->retiring = true;
        else if (sig == SIGUSR1)
            role_tell_state(d->role, getpid(), "starting deliveries");
    }
}

int
role_deliver(struct role *r)
{
    struct deliver d = {.role = r, .queue = -1, .submit = -1, .door = -1};
    d.becomes = r->e->can_become && !r->m->conf->main->deliver_drop_privilege;
    if (!role_become_mail_user(r) || !caps_no_new_privileges())
        return 1;
    tls_start_client(r->e);
    /* Without an agent deliveries are made from here, and need what any program needs. */
    if (d.becomes && !role_jail(r, true))
        return 1;
    role_say_ready(r);
    /* While retiring it serves the queue process, which goes when nothing is left to do. */
    while (!r->retiring || d.queue >= 0 || has_calls(&d)) {
        if (r->retiring && d.submit >= 0) {
            close(d.submit);
            d.submit = -1;
        }
        struct pollfd p[] = {{.fd = r->signals, .events = POLLIN},
                             {.fd = r->control, .events = POLLIN},
                             {.fd = d.queue, .events = POLLIN},
                             {.fd = may_take_call(&d) ? d.submit : -1, .events = POLLIN}};
        if (poll(p, 4, -1) < 0)
            continue;
        if (p[3].revents != 0)
            take_call(&d);
        if (p[2].revents != 0)
            hear_queue(&d);
        if (p[1].revents != 0)
            hear_master(&d);
        if (p[0].revents != 0)
            take_signals(&d);
    }
    return 0;
}
