/* One connection in a process of its own; see role_smtp.h.
 *
 * The process is a copy of the smtp role: it has no privilege and no listening socket, and tells the role of messages and
 * of ETRN over one socket.
 */
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/cutthrough.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/smtp_session.h"
#include "proc/queueing.h"
#include "proc/role_smtp.h"
#include "proc/smtp_admit.h"
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

static void
accepted(void *ctx, struct engine *e, struct str id, struct str queue, enum smtp_due due)
{
    struct session_run *k = ctx;
    struct held_connection h;
    if (due != SMTP_DUE_NOW)
        return;
    enum reception_delivery when = queueing_choose_for(k->s->role->m, k->e, id);
    if (when == RECEPTION_QUEUE || smtp_admit_is_crowded(k->e, k->c->connected, id))
        return;
    if (cutthrough_hand_over(e, e->eval->message->arena, id, &h))
        role_pass_held(k->up, IPC_HELD, &h);
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

/* The run that follows finds the connection. */
static bool
turn(void *ctx, const struct held_connection *h)
{
    struct session_run *k = ctx;
    role_pass_held(k->up, IPC_HELD, h);
    return etrn(ctx, h->id);
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
                  .tls = c->tls,
                  .connections = c->connected,
                  .timeout_s = -1,
                  .protocol = STR_NULL,
                  .authenticated_sender = STR_NULL,
                  .accepted = accepted,
                  .etrn = etrn,
                  .turn = turn},
    };
    k.setup.ctx = &k;
    signals_release(r->signals);
    r->m->eval->process.pid = getpid();
    r->e->eval->session = make_session(a, c);
    peer_set_names(r->e, r->e->eval->session);
    (void)smtp_session_run(r->e, &k.setup);
    _exit(0);
}
