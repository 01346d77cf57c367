/* The dovecot authenticator: asks Dovecot whether a client is who it says it is. Source: Dovecot's "Authentication Protocol", version 1. */
#include "auths/auth_talk.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "sys/line_socket.h"

#include <errno.h>

struct auth_dovecot {
    struct str server_socket;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_STR(struct auth_dovecot, server_socket, NULL, 0,
        "Authentication socket of Dovecot."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "dovecot authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_dovecot),
};

/* --- the dialogue: lines of fields with tabs between --- */

enum {
    WAIT_MS = 30000,
    LINES_MAX = 100, /* of the greeting */
    REQUEST_ID = 1,
};

struct dialogue {
    struct auth_talk *t;
    struct line_socket socket;
};

static enum auth_end
lost(struct dialogue *d)
{
    d->t->log = str_printf(d->t->arena, "authentication socket %s",
                           errno != 0 ? strerror(errno) : "connection was closed");
    return AUTH_DEFER;
}

/* The field number i, counting from 0. */
static struct str
field(struct str line, unsigned i)
{
    size_t at = 0, tab;
    for (; i > 0; i--) {
        tab = str_chr(line, '\t', at);
        if (tab == STR_NPOS)
            return STR_EMPTY;
        at = tab + 1;
    }
    tab = str_chr(line, '\t', at);
    return str_sub(line, at, (tab == STR_NPOS ? line.n : tab) - at);
}

/* The value of a field NAME=value; unset: there is none. */
static struct str
named(struct str line, const char *name)
{
    size_t n = strlen(name);
    for (unsigned i = 2; i < LINES_MAX; i++) {
        struct str f = field(line, i);
        if (f.n == 0)
            return STR_NULL;
        if (str_starts(f, name) && f.n > n && f.p[n] == '=')
            return str_sub(f, n + 1, f.n);
    }
    return STR_NULL;
}

static bool
has_mechanism(struct str line, struct str mechanism)
{
    return str_eqz(field(line, 0), "MECH") && str_ieq(field(line, 1), mechanism);
}

/* Reads what the server can do. */
static enum auth_end
greet(struct dialogue *d, struct str mechanism)
{
    struct str line;
    bool known = false;
    if (!line_socket_send(&d->socket, str_printf(d->t->arena, "VERSION\t1\t0\nCPID\t%lld\n",
                                                 (long long)d->t->eval->process.pid)))
        return lost(d);
    for (unsigned i = 0; i < LINES_MAX; i++) {
        if (!line_socket_read(&d->socket, &line))
            return lost(d);
        known = known || has_mechanism(line, mechanism);
        if (str_eqz(field(line, 0), "VERSION") && !str_eqz(field(line, 1), "1")) {
            d->t->log = STR_LIT("authentication socket protocol version mismatch");
            return AUTH_DEFER;
        }
        if (!str_eqz(field(line, 0), "DONE"))
            continue;
        if (!known)
            d->t->log =
                str_printf(d->t->arena, "mechanism %.*s is not available", STR_ARG(mechanism));
        return known ? AUTH_OK : AUTH_DEFER;
    }
    d->t->log = STR_LIT("authentication socket greeting is too long");
    return AUTH_DEFER;
}

static struct str
request(struct dialogue *d, struct str mechanism)
{
    const struct auth_talk *t = d->t;
    const struct session *s = t->session;
    struct buf b = buf_in(t->arena, 0);
    buf_printf(&b, "AUTH\t%d\t%.*s\tservice=smtp", REQUEST_ID, STR_ARG(mechanism));
    if (t->secured)
        buf_addz(&b, "\tsecured");
    if (s->tls_in.verified != 0)
        buf_addz(&b, "\tvalid-client-cert");
    if (s->sender_host_address.n > 0)
        buf_printf(&b, "\trip=%.*s", STR_ARG(s->sender_host_address));
    if (s->interface_address.n > 0)
        buf_printf(&b, "\tlip=%.*s", STR_ARG(s->interface_address));
    buf_addz(&b, "\tnologin");
    if (str_is_set(t->initial))
        buf_printf(&b, "\tresp=%.*s", STR_ARG(base64_encode(t->arena, t->initial)));
    buf_addc(&b, '\n');
    return buf_str(&b);
}

/* What the server asks goes to the client, and its answer back. */
static enum auth_end
pass_on(struct dialogue *d, struct str line)
{
    struct auth_talk *t = d->t;
    struct str prompt, answer;
    if (!auth_talk_decode(t->arena, field(line, 2), &prompt))
        return AUTH_DEFER;
    enum auth_end e = t->ask(t, prompt, &answer);
    if (e != AUTH_OK)
        return e;
    return line_socket_send(&d->socket, str_printf(t->arena, "CONT\t%d\t%.*s\n", REQUEST_ID,
                                                   STR_ARG(base64_encode(t->arena, answer))))
               ? AUTH_OK
               : lost(d);
}

static enum auth_end
converse(struct dialogue *d)
{
    struct str line;
    for (unsigned i = 0; i < AUTH_ROUNDS_MAX; i++) {
        if (!line_socket_read(&d->socket, &line))
            return lost(d);
        struct str word = field(line, 0), user = named(line, "user");
        if (str_is_set(user) && !str_eqz(word, "CONT")) {
            auth_talk_clear(d->t);
            auth_talk_add(d->t, user);
        }
        if (str_eqz(word, "OK"))
            return str_is_set(user) ? auth_talk_server_condition(d->t) : AUTH_FAIL;
        if (str_eqz(word, "FAIL"))
            return str_find(line, STR_LIT("\ttemp"), 0) != STR_NPOS ? AUTH_DEFER : AUTH_FAIL;
        enum auth_end e = str_eqz(word, "CONT") ? pass_on(d, line) : AUTH_OK;
        if (e != AUTH_OK)
            return e;
    }
    return AUTH_FAIL;
}

static enum auth_end
server(struct auth_talk *t)
{
    const struct auth_dovecot *own = t->d->own.fields;
    const struct auth_generic *g = t->d->generic.fields;
    struct dialogue d = {.t = t};
    if (!line_socket_open(t->arena, &d.socket, own->server_socket, WAIT_MS))
        return lost(&d);
    enum auth_end e = greet(&d, g->public_name);
    if (e == AUTH_OK && !line_socket_send(&d.socket, request(&d, g->public_name)))
        e = lost(&d);
    if (e == AUTH_OK)
        e = converse(&d);
    line_socket_close(&d.socket);
    return e;
}

const struct auth_driver auth_dovecot = {
    .base =
        {
            .name = STR_INIT("dovecot"),
            .opts = &opts,
            .check = auth_check,
        },
    .server = server,
};
