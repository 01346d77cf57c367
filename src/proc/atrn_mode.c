/* -atrn <host> <domains>: calls a provider, says ATRN, and takes in over the connection what it sends then. Source: RFC 2645.
 *
 * A router is asked for the way to the provider as if for an address in a domain of its name, with $atrn_mode C. The transport that it
 * gives connects, and authenticates; what comes then is an SMTP session as any other, in which the provider is the client. All of it
 * happens without privilege (reception.h).
 */
#include "proc/atrn_mode.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "engine/remote_hosts.h"
#include "engine/route.h"
#include "engine/smtp_session.h"
#include "engine/transport_setup.h"
#include "proc/engine_start.h"
#include "proc/queueing.h"
#include "proc/reception.h"
#include "transports/smtp_client.h"

#include <stdio.h>
#include <string.h>

enum { MS = 1000 };

struct atrn {
    struct mode *mode;
    struct engine *engine;
    struct arena *arena;
    struct reception *reception;
    struct str host, domains;
    /* What a transport needs: a delivery of no message in the spool. */
    struct address *to, view;
    struct delivery d;
    struct transport_job job;
    struct smtp_client *client;
};

static bool
fail(struct atrn *k, struct str text)
{
    maillog(k->engine, MAILLOG_MAIN, STR_NULL, "ATRN to %.*s: %.*s", STR_ARG(k->host),
            STR_ARG(text));
    (void)fprintf(stderr, "%s: ATRN to %.*s: %.*s\n", k->mode->cli->program, STR_ARG(k->host),
                  STR_ARG(text));
    return false;
}

/* --- the way to the provider --- */

static void
make_models(struct atrn *k)
{
    struct eval *e = k->engine->eval;
    struct arena *a = k->arena;
    struct message *m = ARENA_NEW(a, struct message);
    struct session *s = ARENA_NEW(a, struct session);
    m->arena = s->arena = a;
    m->sender = STR_EMPTY;
    m->body_fd = -1;
    m->size = -1;
    e->message = m;
    e->session = s;
    e->atrn_mode = STR_LIT("C");
    e->atrn_host = k->host;
}

static bool
route(struct atrn *k)
{
    struct engine *e = k->engine;
    struct str text = str_printf(k->arena, "postmaster@%.*s", STR_ARG(k->host));
    struct address *a = route_envelope_address(k->arena, text, 0);
    struct routing r = {.engine = e,
                        .message = e->eval->message,
                        .purpose = ROUTE_FOR_DELIVERY,
                        .arena = k->arena};
    if (route_address(&r, a) != ROUTE_DELIVER || r.deliver.n == 0)
        return fail(k, str_is_set(r.why.log) ? r.why.log : STR_LIT("no router knows the way"));
    k->to = r.deliver.v[0];
    if (k->to->transport == NULL || transport_driver_of(k->to->transport) != &transport_smtp)
        return fail(k, STR_LIT("the router's transport is none of SMTP"));
    k->d = (struct delivery){.engine = e,
                             .arena = k->arena,
                             .message = e->eval->message,
                             .session = e->eval->session,
                             .id = STR_EMPTY};
    k->job = transport_setup_base(&k->d, k->to->transport, &k->to, 1);
    k->job.body_fd = -1;
    k->job.return_path = STR_EMPTY;
    transport_setup_view(&k->view, k->to->transport, &k->to, 1);
    e->eval->address = &k->view;
    return true;
}

/* --- the call --- */

static bool
ask(struct atrn *k)
{
    struct smtp_client *c = k->client;
    int64_t wait_ms = c->opt->command_timeout * MS;
    struct str command = smtp_client_put(c, k->arena, "ATRN%s%.*s", k->domains.n > 0 ? " " : "",
                                         STR_ARG(k->domains));
    if (!str_is_set(command))
        return fail(k, STR_LIT("a domain with a line end in it"));
    (void)smtp_client_flush(c, wait_ms);
    enum reply_end got = smtp_client_reply(c, k->arena, wait_ms);
    if (got == REPLY_READ && c->reply.code == 250)
        return true;
    return fail(k, smtp_client_why(c, k->arena, got, command, 0, 0).log);
}

static bool
call_host(struct atrn *k, const struct host_target *host, struct str *why)
{
    struct smtp_target target;
    struct smtp_end end;
    struct why fault;
    transport_setup_host(&k->view, host, host->port);
    if (!remote_hosts_target(&k->d, k->to->transport, host, &target, &fault)) {
        *why = fault.log;
        return false;
    }
    k->client = smtp_client_open(&k->job, &target, &end);
    if (k->client == NULL)
        *why =
            str_is_set(end.why.log) ? end.why.log : str_from_cstr(strerror(end.why.sys_errno));
    return k->client != NULL;
}

static bool
call(struct atrn *k)
{
    struct remote_hosts hosts = {.own = false};
    struct str text = STR_LIT("no host");
    struct why why;
    if (!remote_hosts_choose(&k->d, k->to->transport, k->to, false, &hosts, &why))
        return fail(k, why.log);
    for (size_t at = 0; at < hosts.v.n; at++) {
        if (!str_is_set(hosts.v.v[at].address) &&
            remote_hosts_find(&k->d, k->to->transport, &hosts, at) != OUT_OK)
            continue;
        if (call_host(k, &hosts.v.v[at], &text))
            return ask(k);
    }
    return fail(k, text);
}

/* --- the session in the other direction --- */

static void
deliver(void *ctx, struct engine *e, struct str id, struct str queue, enum smtp_due due)
{
    struct atrn *k = ctx;
    if (due == SMTP_DUE_NOW)
        reception_deliver(k->reception, id, queue, queueing_choose_for(k->mode, e, id));
}

/* The provider is the client from now on. */
static struct session *
make_session(struct atrn *k, struct arena *a)
{
    const struct smtp_client *c = k->client;
    struct session *s = ARENA_NEW(a, struct session);
    s->arena = a;
    s->sender_host_address = str_tainted(str_dup(a, c->host.address));
    s->sender_host_port = c->port;
    s->interface_address = str_dup(a, c->own_address);
    s->interface_port = c->own_port;
    s->sender_ident = k->engine->caller.login;
    tls_state_copy(&s->tls_in, a, &c->tls_state);
    return s;
}

static int
serve(struct atrn *k)
{
    struct smtp_client *c = k->client;
    struct arena *a = arena_new();
    struct smtp_setup setup = {.kind = SMTP_KIND_INTERACTIVE,
                               .in = c->fd,
                               .out = c->fd,
                               .socket = true,
                               .turned = true,
                               .tls_of = c->tls,
                               .secure = c->secure,
                               .timeout_s = -1,
                               .protocol = STR_NULL,
                               .authenticated_sender = STR_NULL,
                               .accepted = deliver,
                               .ctx = k};
    setup.delayed = queueing_choose(k->mode, k->engine) == RECEPTION_QUEUE;
    k->engine->eval->session = make_session(k, a);
    k->engine->eval->message = NULL;
    k->engine->eval->address = NULL;
    c->secure = NULL; /* the session's */
    int status = smtp_session_run(k->engine, &setup);
    k->engine->eval->session = NULL;
    arena_free(a);
    c->broken = true; /* nothing more is said */
    return status;
}

static int
run(struct reception *r, void *ctx)
{
    struct atrn *k = ctx;
    k->engine = r->engine;
    k->reception = r;
    k->arena = arena_new();
    make_models(k);
    int status = route(k) && call(k) ? serve(k) : 1;
    smtp_client_close(k->client, NULL);
    k->engine->eval->session = NULL;
    k->engine->eval->message = NULL;
    arena_free(k->arena);
    return status;
}

int
atrn_mode_run(struct mode *m)
{
    const struct cli *cli = m->cli;
    if (cli->args.n < 1 || cli->args.n > 2) {
        (void)fprintf(stderr, "%s: -atrn wants a host, and may have domains\n", cli->program);
        return 1;
    }
    struct engine *e = engine_start(m);
    if (e == NULL)
        return 1;
    struct atrn k = {.mode = m,
                     .host = str_untaint_by_rule(cli->args.v[0], "argument of an admin user"),
                     .domains = cli->args.n > 1 ? cli->args.v[1] : STR_EMPTY};
    return reception_run(e, run, &k);
}
