/* The smtp role: accepts connections and serves them, without any privilege.
 *
 * Connections are counted over all smtp processes (sys/seats.h). What the sessions take in is told to the queue process. Source:
 * specification, options smtp_accept_max, smtp_accept_max_per_host, smtp_accept_queue, smtp_accept_reserve,
 * smtp_load_reserve.
 */
#include "proc/role_smtp.h"

#include "base/arena.h"
#include "base/num.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "sys/listen.h"
#include "sys/machine.h"
#include "sys/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACCEPT_AT_ONCE = 16 /* connections of one socket before others have their turn */ };

/* --- the queue process --- */

static void
lose_queue(struct smtp_role *s)
{
    if (s->queue >= 0)
        close(s->queue);
    s->queue = -1;
}

static void
tell_pending(struct smtp_role *s)
{
    while (s->queue >= 0 && s->pending.n > 0) {
        const struct job *j = job_list_first(&s->pending);
        struct ipc_field f[] = {{.text = j->id}, {.text = j->queue}, {.number = j->when}};
        if (!role_send(s->queue, IPC_ARRIVED, f, -1)) {
            lose_queue(s);
            return;
        }
        struct job done = job_list_take(&s->pending);
        job_free(&done);
    }
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
        ipc_receive(&ipc_protocol, s->queue, IPC_KIND_QUEUE, IPC_KIND_SMTP, &msg);
    if (r == IPC_AGAIN)
        return;
    if (r != IPC_OK) {
        lose_queue(s);
        return;
    }
    struct smtp_child *c = child_of_ticket(s, msg.f[0].number);
    if (msg.type == IPC_ETRN_ANSWER && c != NULL)
        (void)role_send(c->fd, IPC_ETRN_ANSWER, msg.f, -1);
}

/* --- sessions --- */

static void
hear_child(struct smtp_role *s, struct smtp_child *c)
{
    struct ipc_message msg;
    enum ipc_result r =
        ipc_receive(&ipc_protocol, c->fd, IPC_KIND_SESSION, IPC_KIND_SMTP, &msg);
    if (r == IPC_AGAIN)
        return;
    if (r != IPC_OK) {
        close(c->fd);
        c->fd = -1;
        return;
    }
    if (msg.type == IPC_ARRIVED) {
        (void)job_list_add(&s->pending, msg.f[0].text, msg.f[1].text,
                           (unsigned)msg.f[2].number);
        tell_pending(s);
        return;
    }
    struct ipc_field f[] = {{.number = c->ticket}, {.text = msg.f[1].text}};
    struct ipc_field no[] = {{.number = c->ticket}, {.number = 0}};
    if (!role_send(s->queue, IPC_ETRN, f, -1))
        (void)role_send(c->fd, IPC_ETRN_ANSWER, no, -1);
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
            while (c->fd >= 0)
                hear_child(s, c);
            seats_leave(s->seats, s->owner, c->seat);
            s->children.v[i] = s->children.v[--s->children.n];
            break;
        }
    }
}

/* --- accepting --- */

/* A line to a client that is not served; it may not hold us up. */
static void
turn_away(const struct smtp_connection *c, const char *text)
{
    (void)send(c->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(c->fd);
}

static void
log_refusal(struct smtp_role *s, const char *why)
{
    struct engine *e = s->role->e;
    if (!maillog_selected(e, LOG_SELECTOR_CONNECTION_REJECT))
        return;
    struct str peer = peer_text(e->eval->session->arena, e, false);
    maillog(e, MAILLOG_MAIN, STR_NULL, "Connection from %.*s refused: %s", STR_ARG(peer), why);
}

/* smtp_accept_max_per_host, expanded for the client; 0: any number. */
static int64_t
most_of_host(struct smtp_role *s)
{
    struct engine *e = s->role->e;
    const struct xstr *x = &e->conf->main->smtp_accept_max_per_host;
    struct str text;
    int64_t n = 0;
    if (!str_is_set(x->text))
        return 0;
    enum vm_status st = vm_expand_x(e->vm, x, &text);
    if (st == VM_OK && num_parse_int(str_trim(text), &n) == NUM_OK)
        return n;
    if (st == VM_ERROR || st == VM_DEFER)
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "expansion of smtp_accept_max_per_host failed for %.*s: %.*s",
                STR_ARG(peer_text(e->eval->session->arena, e, false)),
                STR_ARG(vm_error(e->vm)));
    return 0;
}

/* False: there are too many, the client has been told. */
static bool
take_seat(struct smtp_role *s, struct smtp_connection *c)
{
    const struct conf_main *m = s->role->e->conf->main;
    c->seat = seats_take(s->seats, s->owner, &c->ip, &c->connected);
    if (c->seat < 0 || (m->smtp_accept_max > 0 && c->connected > m->smtp_accept_max)) {
        log_refusal(s, "too many connections");
        turn_away(c, "421 Too many concurrent SMTP connections; please try again later.\r\n");
        return false;
    }
    int64_t load = m->smtp_load_reserve >= 0 && !str_is_set(m->smtp_reserve_hosts.text)
                       ? machine_load_average()
                       : -1;
    if (load >= 0 && load > m->smtp_load_reserve) {
        char why[64];
        (void)snprintf(why, sizeof why, "load average = %.2f", (double)load / 1000);
        log_refusal(s, why);
        turn_away(c, "421 Too much load; please try again later.\r\n");
        return false;
    }
    int64_t most = most_of_host(s);
    if (most <= 0 || seats_of_host(s->seats, &c->ip) <= (uint64_t)most)
        return true;
    log_refusal(s, "too many connections from that IP address");
    turn_away(c, "421 Too many concurrent SMTP connections from this IP address; please try "
                 "again later.\r\n");
    return false;
}

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
    lose_queue(s);
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
    if (!take_seat(s, c)) {
        seats_leave(s->seats, s->owner, c->seat);
    } else if (start_session(s, c)) {
        close(c->fd);
    } else {
        maillog(s->role->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "daemon: accept process fork failed: %s", strerror(errno));
        turn_away(c, "421 Local configuration error; please try again later.\r\n");
        seats_leave(s->seats, s->owner, c->seat);
    }
    s->role->e->eval->session = NULL;
    arena_free(a);
}

static void
accept_some(struct smtp_role *s, const struct smtp_listener *l)
{
    bool keepalive = s->role->e->conf->main->smtp_accept_keepalive;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct smtp_connection c = {.fd = listen_accept(l->fd, keepalive), .tls = l->tls};
        if (c.fd < 0)
            return;
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
        lose_queue(s);
        s->queue = msg->fd;
        tell_pending(s);
    } else if (msg->type == IPC_SEATS && s->seats == NULL) {
        s->owner = (unsigned)msg->f[0].number;
        s->seats = seats_open(msg->fd);
        close(msg->fd);
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

static void
tell_state(struct smtp_role *s)
{
    struct arena *a = arena_new();
    role_tell_state(s->role, getpid(), "smtp: %zu sessions", s->children.n);
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
    if (poll(p, 3 + listeners + children, -1) > 0) {
        for (size_t i = 0; i < children; i++)
            if (p[3 + listeners + i].revents != 0)
                hear_child(s, &s->children.v[i]);
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
    struct smtp_role s = {.role = r, .queue = -1};
    struct ipc_message msg;
    if (!role_become_mail_user(r))
        return 1;
    /* The page of counts comes first: nothing is accepted without it. */
    while (s.seats == NULL && role_hear(r, &msg))
        take_message(&s, &msg);
    if (s.seats == NULL)
        return 1;
    seats_leave_all(s.seats, s.owner); /* of one that had this number and died */
    role_say_ready(r);
    while (!r->retiring || s.children.n > 0)
        turn(&s);
    tell_pending(&s);
    return 0;
}
