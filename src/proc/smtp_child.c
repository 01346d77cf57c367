/* One connection in a process of its own; see role_smtp.h.
 *
 * The process is a copy of the smtp role: it has no privilege and no listening socket, and tells the role of messages and
 * of ETRN over one socket.
 */
#include "conf/list.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/smtp_session.h"
#include "proc/queueing.h"
#include "proc/role_smtp.h"
#include "sys/file.h"
#include "sys/machine.h"
#include "sys/peer_address.h"
#include "sys/signals.h"

#include "base/arena.h"

#include <poll.h>
#include <unistd.h>

enum { ETRN_WAIT_MS = 30000 };

struct session_run {
    struct smtp_role *s;
    const struct smtp_connection *c;
    struct engine *e;
    struct smtp_setup setup;
    int up;
};

/* --- what the session asks for --- */

static bool
is_crowded(const struct session_run *k, struct str id)
{
    int64_t most = k->e->conf->main->smtp_accept_queue;
    if (most <= 0 || k->c->connected <= most)
        return false;
    maillog(k->e, MAILLOG_MAIN, id,
            "no immediate delivery: too many connections (%u, max %lld)", k->c->connected,
            (long long)most);
    return true;
}

static void
accepted(void *ctx, struct str id, struct str queue, enum smtp_due due)
{
    struct session_run *k = ctx;
    enum reception_delivery when = queueing_choose(k->s->role->m, k->e, QUEUEING_SMTP);
    if (due != SMTP_DUE_NOW || when == RECEPTION_QUEUE || is_crowded(k, id))
        return;
    struct ipc_field f[] = {
        {.text = id}, {.text = queue.n > 0 ? queue : STR_EMPTY}, {.number = when}};
    (void)role_send(k->up, IPC_ARRIVED, f, -1);
}

static bool
etrn(void *ctx, struct str argument)
{
    struct session_run *k = ctx;
    struct ipc_message msg;
    struct ipc_field f[] = {{.number = 0}, {.text = argument}};
    struct pollfd p = {.fd = k->up, .events = POLLIN};
    return argument.n <= IPC_TEXT_MAX && !str_has_nul(argument) &&
           role_send(k->up, IPC_ETRN, f, -1) && poll(&p, 1, ETRN_WAIT_MS) > 0 &&
           ipc_receive(&ipc_protocol, k->up, IPC_KIND_SMTP, IPC_KIND_SESSION, &msg) == IPC_OK &&
           msg.type == IPC_ETRN_ANSWER && msg.f[1].number != 0;
}

/* --- who may come when it is crowded --- */

static bool
is_reserved_for(struct session_run *k)
{
    const struct conf_main *c = k->e->conf->main;
    struct eval *eval = k->e->eval;
    struct list_answer answer;
    const struct list_question q = {
        .kind = LIST_HOST,
        .subject = eval->session->sender_host_address,
        .list = c->smtp_reserve_hosts.text,
        .what = STR_LIT("smtp_reserve_hosts"),
    };
    return str_is_set(c->smtp_reserve_hosts.text) &&
           list_match(eval, k->e->vm, &q, &answer) == OUT_OK;
}

static void
refuse(struct session_run *k, const char *what)
{
    struct arena *a = k->e->eval->session->arena;
    struct str text = str_printf(a, "421 %.*s: %s; please try again later\r\n",
                                 STR_ARG(k->e->conf->main->primary_hostname), what);
    (void)file_write_all(k->c->fd, text.p, text.n);
}

/* The last places, and those of a busy machine, are for smtp_reserve_hosts. */
static bool
is_turned_away(struct session_run *k)
{
    const struct conf_main *c = k->e->conf->main;
    struct str peer = peer_text(k->e->eval->session->arena, k->e, false);
    bool full = c->smtp_accept_max > 0 && c->smtp_accept_reserve > 0 &&
                k->c->connected + c->smtp_accept_reserve > c->smtp_accept_max;
    if (full && !is_reserved_for(k)) {
        maillog(k->e, MAILLOG_MAIN, STR_NULL,
                "temporarily refused connection from %.*s: not in reserve list: connected=%u "
                "max=%lld reserve=%lld",
                STR_ARG(peer), k->c->connected, (long long)c->smtp_accept_max,
                (long long)c->smtp_accept_reserve);
        refuse(k, "Too many concurrent SMTP connections");
        return true;
    }
    int64_t load = c->smtp_load_reserve >= 0 ? machine_load_average() : -1;
    if (load <= c->smtp_load_reserve || c->smtp_load_reserve < 0 || is_reserved_for(k))
        return false;
    maillog(k->e, MAILLOG_MAIN, STR_NULL,
            "temporarily refused connection from %.*s: not in reserve list and load average = "
            "%.2f",
            STR_ARG(peer), (double)load / 1000);
    refuse(k, "Too much load");
    return true;
}

/* --- the session --- */

static struct session *
make_session(struct arena *a, const struct smtp_connection *c)
{
    struct peer_address own;
    struct session *s = ARENA_NEW(a, struct session);
    s->arena = a;
    s->sender_host_address = ip_text(a, &c->ip);
    s->sender_host_port = c->port;
    s->interface_port = -1;
    if (peer_address_own(a, c->fd, &own)) {
        s->interface_address = own.text;
        s->interface_port = own.port;
    }
    return s;
}

_Noreturn void
smtp_child_live(struct smtp_role *s, const struct smtp_connection *c, int up)
{
    struct arena *a = arena_new();
    struct role *r = s->role;
    struct session_run k = {
        .s = s,
        .c = c,
        .e = r->e,
        .up = up,
        .setup = {.kind = SMTP_KIND_INTERACTIVE,
                  .in = c->fd,
                  .out = c->fd,
                  .socket = true,
                  .connections = c->connected,
                  .timeout_s = -1,
                  .protocol = STR_NULL,
                  .authenticated_sender = STR_NULL,
                  .accepted = accepted,
                  .etrn = etrn},
    };
    k.setup.ctx = &k;
    signals_release(r->signals);
    r->m->eval->process.pid = getpid();
    r->e->eval->session = make_session(a, c);
    peer_set_names(r->e, r->e->eval->session);
    if (!is_turned_away(&k))
        (void)smtp_session_run(r->e, &k.setup);
    _exit(0);
}
