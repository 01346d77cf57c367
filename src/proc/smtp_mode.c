/* SMTP on the standard input; see smtp_mode.h.
 *
 * A socket there is a connection that inetd has accepted: the peer is who is at its other end. Else it is the caller, who may
 * claim another origin when trusted. Source: specification, options -bs, -bS, -bh, -oM.
 */
#include "proc/smtp_mode.h"

#include "base/arena.h"
#include "base/num.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/cutthrough.h"
#include "engine/lane_keep.h"
#include "engine/maillog.h"
#include "engine/peer_name.h"
#include "engine/smtp_session.h"
#include "mail/ip.h"
#include "proc/context.h"
#include "proc/engine_start.h"
#include "proc/queueing.h"
#include "proc/reception.h"
#include "sys/peer_address.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct smtp_run {
    struct mode *mode;
    struct engine *engine;
    struct reception *reception;
    struct smtp_setup setup;
    struct arena *arena;
};

enum { PORT_PRIVILEGED = 1024 };

/* A connection that its callouts have kept for it. */
static void
hand_over_held(struct smtp_run *k, struct engine *e, struct str id,
               enum reception_delivery when)
{
    struct held_connection h;
    if (when != RECEPTION_QUEUE && cutthrough_hand_over(e, e->eval->message->arena, id, &h))
        reception_held(k->reception, &h);
}

static void
deliver(void *ctx, struct engine *e, struct str id, struct str queue, enum smtp_due due)
{
    struct smtp_run *k = ctx;
    if (due != SMTP_DUE_NOW)
        return;
    enum reception_delivery when = queueing_choose_for(k->mode, k->engine, id);
    hand_over_held(k, e, id, when);
    reception_deliver(k->reception, id, queue, when);
}

static void
deliver_in_lane(void *ctx, struct engine *e, struct str id, const struct lane_ref *ref,
                enum smtp_due due)
{
    struct smtp_run *k = ctx;
    enum reception_delivery when = RECEPTION_QUEUE;
    if (due == SMTP_DUE_NOW)
        when = queueing_choose_for(k->mode, k->engine, id);
    hand_over_held(k, e, id, when);
    if (when != RECEPTION_QUEUE)
        reception_deliver_lane(k->reception, ref, when);
    else
        lane_keep_files(e, ref);
}

static bool
etrn(void *ctx, struct str argument)
{
    struct smtp_run *k = ctx;
    return reception_run_queue(k->reception, argument);
}

/* The run that follows finds the connection. */
static bool
turn(void *ctx, const struct held_connection *h)
{
    struct smtp_run *k = ctx;
    reception_held(k->reception, h);
    return reception_run_queue(k->reception, h->id);
}

/* -os */
static int64_t
timeout_given(const struct mode *m)
{
    struct str text = cli_value(m->cli, "-os");
    int64_t s;
    return str_is_set(text) && num_parse_interval(text, &s) ? s : -1;
}

/* Who is at the other end of a socket. False: there is none, or nobody is allowed to hand it over. */
static bool
take_socket(struct smtp_run *k, struct session *s, bool *refused)
{
    struct peer_address peer, own;
    *refused = false;
    if (k->setup.kind != SMTP_KIND_INTERACTIVE ||
        !peer_address_of(k->arena, STDIN_FILENO, &peer))
        return false;
    const struct engine *e = k->engine;
    bool mail_user = e->caller.uid == 0 || e->caller.uid == e->mail_uid;
    if (peer_address_own(k->arena, STDIN_FILENO, &own)) {
        s->interface_address = own.text;
        s->interface_port = own.port;
    }
    *refused = !mail_user && own.port >= PORT_PRIVILEGED;
    s->sender_host_address = peer.text;
    s->sender_host_port = peer.port;
    k->setup.socket = true;
    return true;
}

/* An address as it is written in logs: shortest form. */
static void
tidy(struct arena *a, struct str *address)
{
    struct ip ip;
    if (str_is_set(*address) && ip_parse(*address, &ip))
        *address = ip_text(a, &ip);
}

static void
take_caller(struct smtp_run *k, struct session *s)
{
    struct mode *m = k->mode;
    struct message claimed = {.arena = k->arena, .received_protocol = STR_NULL};
    s->sender_ident = k->engine->caller.login;
    if (m->trusted)
        context_claims(m, s, &claimed);
    tidy(k->arena, &s->sender_host_address);
    if (!str_is_set(s->sender_host_address) && !str_is_set(s->authenticated_id))
        s->authenticated_id = k->engine->caller.login;
    if (k->setup.kind == SMTP_KIND_BATCH)
        k->setup.protocol = claimed.received_protocol;
    k->setup.authenticated_sender = claimed.authenticated_sender;
}

/* The host of -bh, or of -oMa when that comes later. */
static struct str
pretended_host(const struct cli *cli)
{
    static const char *const names[] = {"-bh", "-bhc", "-oMa"};
    struct str last = STR_EMPTY;
    for (size_t i = 0; i < cli->settings.n; i++)
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            if (strcmp(cli->settings.v[i].row->name, names[k]) == 0)
                last = cli->settings.v[i].value;
    return last;
}

static void
take_pretended(struct smtp_run *k, struct session *s)
{
    struct mode *m = k->mode;
    struct message claimed = {.arena = k->arena, .received_protocol = STR_NULL};
    int port = 0;
    k->engine->callouts_skipped = !cli_has(m->cli, "-bhc");
    context_claims(m, s, &claimed);
    (void)cli_split_address(k->arena, pretended_host(m->cli), &s->sender_host_address, &port);
    s->sender_host_port = port;
    tidy(k->arena, &s->sender_host_address);
    k->setup.authenticated_sender = claimed.authenticated_sender;
    (void)printf("\n**** SMTP testing session as if from host %.*s\n"
                 "**** but without any ident (RFC 1413) callback.\n"
                 "**** This is not for real!\n\n",
                 STR_ARG(s->sender_host_address));
    (void)fflush(stdout);
}

/* fast_lane_everywhere: with segments of its own. Without them everything is in the standing lane. */
static int
run_session(struct smtp_run *k)
{
    struct engine *e = k->engine;
    struct durable_fault f;
    const struct lane_settings s = {
        .spool = engine_place(e).root, .calls = e->calls, .segment_size = 2 << 20};
    if (e->conf->main->fast_lane_everywhere && !e->conf->main->mua_wrapper &&
        k->setup.kind == SMTP_KIND_INTERACTIVE)
        e->lane = lane_open(&s, &f);
    if (e->lane != NULL)
        k->setup.accepted_in_lane = deliver_in_lane;
    int status = smtp_session_run(e, &k->setup);
    lane_close(e->lane);
    e->lane = NULL;
    return status;
}

static int
run(struct reception *r, void *ctx)
{
    struct smtp_run *k = ctx;
    bool refused = false;
    k->engine = r->engine;
    k->reception = r;
    k->arena = arena_new();
    struct session *s = ARENA_NEW(k->arena, struct session);
    s->arena = k->arena;
    s->interface_port = -1;
    if (k->setup.kind == SMTP_KIND_TEST)
        take_pretended(k, s);
    else if (!take_socket(k, s, &refused))
        take_caller(k, s);
    k->setup.failed = &r->failed;
    k->setup.delayed = queueing_choose(k->mode, k->engine) == RECEPTION_QUEUE;
    int status = 1;
    k->engine->eval->session = s;
    if (k->setup.socket && k->engine->conf->main->mua_wrapper)
        maillog(k->engine, MAILLOG_MAIN | MAILLOG_PANIC | MAILLOG_QUIET, STR_NULL,
                "Input from inetd is not supported when mua_wrapper is set");
    else if (refused)
        (void)fprintf(stderr, "%s: permission denied (unprivileged user, unprivileged port)\n",
                      k->mode->cli->program);
    else
        status = run_session(k);
    k->engine->eval->session = NULL;
    arena_free(k->arena);
    return status;
}

static int
start(struct mode *m, enum smtp_kind kind)
{
    struct engine *e = engine_start(m);
    if (e == NULL)
        return 1;
    struct smtp_run k = {
        .mode = m,
        .setup = {.kind = kind,
                  .in = STDIN_FILENO,
                  .out = STDOUT_FILENO,
                  .tls = cli_has(m->cli, "-tls-on-connect"),
                  .no_qualify = cli_has(m->cli, "-bnq"),
                  .timeout_s = timeout_given(m),
                  .protocol = STR_NULL,
                  .authenticated_sender = STR_NULL,
                  .accepted = deliver,
                  .etrn = etrn,
                  .turn = turn},
    };
    k.setup.ctx = &k;
    if (kind == SMTP_KIND_TEST)
        e->log_to_stderr = true;
    return reception_run(e, run, &k);
}

int
smtp_mode_interactive(struct mode *m)
{
    return start(m, SMTP_KIND_INTERACTIVE);
}

int
smtp_mode_batch(struct mode *m)
{
    return start(m, SMTP_KIND_BATCH);
}

int
smtp_mode_test(struct mode *m)
{
    return start(m, SMTP_KIND_TEST);
}
