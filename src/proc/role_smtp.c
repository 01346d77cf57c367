/* The smtp role: accepts connections and serves them, without any privilege.
 *
 * Connections are counted over all smtp processes (sys/seats.h). What the sessions take in is told to the queue process. Source:
 * specification, options smtp_accept_max, smtp_accept_max_per_host, smtp_accept_queue, smtp_accept_reserve,
 * smtp_load_reserve.
 */
#include "proc/role_smtp.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "proc/role_jail.h"
#include "proc/smtp_admit.h"
#include "proc/smtp_threads.h"
#include "proc/tls_start.h"
#include "sys/await.h"
#include "sys/listen.h"
#include "sys/peer_address.h"
#include "sys/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ACCEPT_AT_ONCE = 16, /* connections of one socket before others have their turn */
    RETIRE_LOOK_MS = 50,
    TELL_MS = 500, /* between two words to a master that waits for connections */
};

/* --- the queue process --- */

static void
set_queue(struct smtp_role *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    if (s->queue >= 0)
        close(s->queue);
    s->queue = fd;
    pthread_mutex_unlock(&s->lock);
}

/* The lock is held. What cannot be sent now waits for the next queue process. */
static void
tell_pending(struct smtp_role *s)
{
    while (s->queue >= 0 && s->pending.n > 0) {
        const struct job *j = job_list_at(&s->pending, 0);
        struct ipc_field f[] = {{.text = j->id}, {.text = j->queue}, {.number = j->when}};
        if (!role_send(s->queue, IPC_ARRIVED, f, -1))
            return;
        struct job done = job_list_take(&s->pending);
        job_free(&done);
    }
}

void
smtp_role_held(struct smtp_role *s, const struct held_connection *h)
{
    pthread_mutex_lock(&s->lock);
    role_pass_held(s->queue, IPC_HELD, h);
    pthread_mutex_unlock(&s->lock);
}

void
smtp_role_arrived(struct smtp_role *s, struct str id, struct str queue, unsigned when)
{
    pthread_mutex_lock(&s->lock);
    (void)job_list_add(&s->pending, id, queue, when);
    tell_pending(s);
    pthread_mutex_unlock(&s->lock);
}

bool
smtp_role_ask(struct smtp_role *s, uint64_t ticket, struct str argument)
{
    struct ipc_field f[] = {{.number = ticket}, {.text = argument}};
    pthread_mutex_lock(&s->lock);
    bool ok = role_send(s->queue, IPC_ETRN, f, -1);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static struct smtp_child *
child_of_ticket(struct smtp_role *s, uint64_t ticket)
{
    for (size_t i = 0; i < s->children.n; i++) {
        if (s->children.v[i].ticket == ticket)
            return &s->children.v[i];
    }
    return NULL;
}

static void
hear_queue(struct smtp_role *s)
{
    struct ipc_message msg;
    enum ipc_result r =
        ipc_receive_now(&ipc_protocol, s->queue, IPC_KIND_QUEUE, IPC_KIND_SMTP, &msg);
    if (r == IPC_AGAIN)
        return;
    if (r != IPC_OK) {
        set_queue(s, -1);
        role_say_lost(s->role);
        return;
    }
    if (s->threads != NULL) {
        smtp_threads_answer(s->threads, msg.f[0].number, msg.f[1].number != 0);
        return;
    }
    struct smtp_child *c = child_of_ticket(s, msg.f[0].number);
    if (msg.type == IPC_ETRN_ANSWER && c != NULL)
        (void)role_offer(c->fd, IPC_ETRN_ANSWER, msg.f);
}

/* --- sessions --- */

/* False: there is nothing more from it for now. */
static bool
hear_child(struct smtp_role *s, struct smtp_child *c)
{
    struct ipc_message msg;
    enum ipc_result r =
        ipc_receive_now(&ipc_protocol, c->fd, IPC_KIND_SESSION, IPC_KIND_SMTP, &msg);
    if (r == IPC_AGAIN)
        return false;
    if (r == IPC_FORGED)
        maillog(s->role->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "SMTP session process %d sent what is no message: it is closed", (int)c->pid);
    if (r != IPC_OK) {
        close(c->fd);
        c->fd = -1;
        return false;
    }
    if (msg.type == IPC_HELD) {
        const struct held_connection h = role_held_of(&msg);
        smtp_role_held(s, &h);
        return true;
    }
    if (msg.type == IPC_ARRIVED) {
        smtp_role_arrived(s, msg.f[0].text, msg.f[1].text, (unsigned)msg.f[2].number);
        return true;
    }
    struct ipc_field no[] = {{.number = c->ticket}, {.number = 0}};
    if (!smtp_role_ask(s, c->ticket, msg.f[1].text))
        (void)role_offer(c->fd, IPC_ETRN_ANSWER, no);
    return true;
}

static void
reap(struct smtp_role *s)
{
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < s->children.n; i++) {
            struct smtp_child *c = &s->children.v[i];
            if (c->pid != pid)
                continue;
            if (WIFSIGNALED(status))
                maillog(s->role->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                        "SMTP session process %d ended by signal %d", (int)pid,
                        WTERMSIG(status));
            while (c->fd >= 0 && hear_child(s, c))
                continue;
            if (c->fd >= 0)
                close(c->fd); /* somebody else has a copy */
            seats_leave(s->seats, s->owner, c->seat);
            s->children.v[i] = s->children.v[--s->children.n];
            break;
        }
    }
}

/* --- accepting --- */

/* Nothing of ours but its own socket stays open in a session. */
static void
close_for_child(struct smtp_role *s)
{
    for (size_t i = 0; i < s->listeners.n; i++)
        close(s->listeners.v[i].fd);
    for (size_t i = 0; i < s->children.n; i++) {
        if (s->children.v[i].fd >= 0)
            close(s->children.v[i].fd);
    }
    if (s->queue >= 0)
        close(s->queue);
    if (s->role->control >= 0)
        close(s->role->control);
}

static bool
start_session(struct smtp_role *s, const struct smtp_connection *c)
{
    int fds[2];
    if (!ipc_pair(fds))
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        close_for_child(s);
        smtp_child_live(s, c, fds[1]);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return false;
    }
    struct smtp_child one = {
        .fd = fds[0], .pid = pid, .seat = c->seat, .ticket = ++s->tickets, .ip = c->ip};
    vec_push(s->role->m->arena, &s->children, one);
    return true;
}

/* By a thread, or by a process of its own. False: not possible; the socket is closed. */
static bool
serve(struct smtp_role *s, const struct smtp_connection *c)
{
    if (s->threads != NULL)
        return smtp_threads_add(s->threads, c);
    bool ok = start_session(s, c);
    close(c->fd);
    return ok;
}

static void
take_connection(struct smtp_role *s, struct smtp_connection *c)
{
    struct arena *a = arena_new();
    struct session *model = ARENA_NEW(a, struct session);
    model->arena = a;
    model->sender_host_address = ip_text(a, &c->ip);
    model->sender_host_port = c->port;
    model->interface_port = -1;
    s->role->e->eval->session = model;
    peer_set_names(s->role->e, model);
    if (smtp_admit(s, c) && !serve(s, c)) {
        maillog(s->role->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "daemon: accept process fork failed: %s", strerror(errno));
        seats_leave(s->seats, s->owner, c->seat);
    }
    s->role->e->eval->session = NULL;
    arena_free(a);
}

/* For -bw<time>. */
static void
tell_master(struct smtp_role *s)
{
    int64_t now = await_now_ms();
    if (s->role->m->cli->mode != CLI_WAIT_DAEMON || now - s->told_ms < TELL_MS)
        return;
    s->told_ms = now;
    (void)role_send(s->role->control, IPC_CALLED, NULL, -1);
}

/* smtp_backlog_monitor */
static void
watch_backlog(struct smtp_role *s, int fd)
{
    int64_t most = s->role->e->conf->main->smtp_backlog_monitor;
    int n = most > 0 ? listen_waiting(fd) : 0;
    if (n <= most)
        return;
    struct arena *a = arena_new();
    struct peer_address own = {.text = STR_EMPTY};
    (void)peer_address_own(a, fd, &own);
    maillog(s->role->e, MAILLOG_MAIN, STR_NULL, "listen backlog %d on socket [%.*s]:%d", n,
            STR_ARG(own.text), own.port);
    arena_free(a);
}

static void
accept_some(struct smtp_role *s, const struct smtp_listener *l)
{
    bool keepalive = s->role->e->conf->main->smtp_accept_keepalive;
    watch_backlog(s, l->fd);
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct smtp_connection c = {.fd = listen_accept(l->fd, keepalive), .tls = l->tls};
        if (c.fd < 0)
            return;
        tell_master(s);
        if (listen_peer(c.fd, &c.ip, &c.port))
            take_connection(s, &c);
        else
            close(c.fd);
    }
}

/* --- the role --- */

static void
stop_listening(struct smtp_role *s)
{
    for (size_t i = 0; i < s->listeners.n; i++)
        close(s->listeners.v[i].fd);
    s->listeners.n = 0;
    (void)role_send(s->role->control, IPC_DEAF, NULL, -1);
}

static void
take_message(struct smtp_role *s, const struct ipc_message *msg)
{
    struct arena *a = s->role->m->arena;
    if (msg->type == IPC_LISTEN) {
        struct smtp_listener one = {.fd = msg->fd, .tls = msg->f[0].number != 0};
        vec_push(a, &s->listeners, one);
    } else if (msg->type == IPC_PEER && msg->f[0].number == IPC_KIND_QUEUE) {
        set_queue(s, msg->fd);
        pthread_mutex_lock(&s->lock);
        tell_pending(s);
        pthread_mutex_unlock(&s->lock);
    } else if (msg->type == IPC_SEATS && s->seats == NULL) {
        s->owner = (unsigned)msg->f[0].number;
        s->seats = seats_open(msg->fd);
        close(msg->fd);
    } else if (msg->type == IPC_TLS_VAULT && s->vault < 0) {
        s->vault = msg->fd;
    } else if (msg->type == IPC_GONE && s->seats != NULL) {
        seats_leave_all(s->seats, (unsigned)msg->f[0].number);
    } else if (msg->fd >= 0) {
        close(msg->fd);
    }
}

static void
hear_master(struct smtp_role *s)
{
    struct ipc_message msg;
    bool before = s->role->retiring;
    if (role_hear(s->role, &msg))
        take_message(s, &msg);
    if (s->role->retiring && !before)
        stop_listening(s);
}

static size_t
sessions(const struct smtp_role *s)
{
    return s->threads != NULL ? smtp_threads_count(s->threads) : s->children.n;
}

static void
tell_state(struct smtp_role *s)
{
    struct arena *a = arena_new();
    role_tell_state(s->role, getpid(), "smtp: %zu sessions", sessions(s));
    for (size_t i = 0; i < s->children.n; i++)
        role_tell_state(s->role, s->children.v[i].pid,
                        "handling incoming connection from [%.*s]",
                        STR_ARG(ip_text(a, &s->children.v[i].ip)));
    arena_free(a);
}

static void
take_signals(struct smtp_role *s)
{
    int sig;
    while ((sig = signals_next(s->role->signals)) != 0) {
        if (sig == SIGCHLD) {
            if (s->threads == NULL) /* else they are programs that threads wait for */
                reap(s);
        } else if (sig == SIGTERM && !s->role->retiring) {
            s->role->retiring = true;
            stop_listening(s);
        } else if (sig == SIGUSR1) {
            tell_state(s);
        }
    }
}

static void
turn(struct smtp_role *s)
{
    size_t listeners = s->listeners.n, children = s->children.n;
    struct pollfd *p = calloc(3 + listeners + children, sizeof *p);
    if (p == NULL)
        abort();
    p[0] = (struct pollfd){.fd = s->role->signals, .events = POLLIN};
    p[1] = (struct pollfd){.fd = s->role->control, .events = POLLIN};
    p[2] = (struct pollfd){.fd = s->queue, .events = POLLIN};
    for (size_t i = 0; i < listeners; i++)
        p[3 + i] = (struct pollfd){.fd = s->listeners.v[i].fd, .events = POLLIN};
    for (size_t i = 0; i < children; i++)
        p[3 + listeners + i] = (struct pollfd){.fd = s->children.v[i].fd, .events = POLLIN};
    /* The end of a thread's session is looked for when it is awaited. */
    int wait_ms = s->role->retiring && s->threads != NULL ? RETIRE_LOOK_MS : -1;
    if (poll(p, 3 + listeners + children, wait_ms) > 0) {
        for (size_t i = 0; i < children; i++)
            if (p[3 + listeners + i].revents != 0)
                (void)hear_child(s, &s->children.v[i]);
        if (p[2].revents != 0)
            hear_queue(s);
        for (size_t i = 0; i < listeners; i++)
            if (p[3 + i].revents != 0)
                accept_some(s, &s->listeners.v[i]);
        if (p[0].revents != 0)
            take_signals(s);
        if (p[1].revents != 0)
            hear_master(s);
    }
    free(p);
}

int
role_smtp(struct role *r)
{
    struct smtp_role s = {
        .role = r, .queue = -1, .vault = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct ipc_message msg;
    if (!role_become_mail_user(r))
        return 1;
    /* The page of counts comes first: nothing is accepted without it. */
    while (s.seats == NULL && role_hear(r, &msg))
        take_message(&s, &msg);
    if (s.seats == NULL)
        return 1;
    seats_leave_all(s.seats, s.owner); /* of one that had this number and died */
    tls_start_server(r->e, s.vault);
    if (!role_jail(r, true))
        return 1;
    if (r->m->conf->main->smtp_sessions_per_process != 1)
        s.threads = smtp_threads_new(&s);
    role_say_ready(r);
    while (!r->retiring || sessions(&s) > 0)
        turn(&s);
    if (s.threads != NULL)
        smtp_threads_close_lane(s.threads);
    return 0;
}
