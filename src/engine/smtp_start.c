/* A session begins: what the configuration has in store for the client, the connect ACL, the greeting. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/num.h"
#include "conf/list.h"
#include "engine/ident.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/peer_name.h"
#include "engine/policy.h"
#include "sys/await.h"
#include "sys/listen.h"

#include <stdio.h>
#include <time.h>

/* --- the greeting --- */

static bool
refuse_start(struct smtp_session *s, const struct acl_answer *a)
{
    (void)smtp_acl_refusal(s, ACL_PHASE_CONNECT, a);
    if (s->setup->tls) /* the client does not listen to what is said in the clear */
        smtp_io_give_up(s->io);
    return false;
}

static bool
banner(struct smtp_session *s, struct str given)
{
    struct vm *vm = s->engine->vm;
    struct str text = given;
    if (!str_is_set(text) && vm_expand_x(vm, &s->main->smtp_banner, &text) != VM_OK) {
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC,
                 "Expansion of \"%.*s\" (smtp_banner) failed: %.*s",
                 STR_ARG(s->main->smtp_banner.text), STR_ARG(vm_error(vm)));
        smtp_answer(s, "421 %.*s: temporary local problem", STR_ARG(s->hostname));
        return false;
    }
    while (text.n > 0 && ascii_space(text.p[text.n - 1]))
        text.n--;
    if (str_is_set(given))
        smtp_answer_text(s, "220", text);
    else
        smtp_answer_lines(s, "220", text);
    return true;
}

/* pipelining_connect_advertise_hosts: whether the client may say EHLO, and what goes with it, ahead of the greeting; and does, which is for
 * the log alone. */
static void
find_early(struct smtp_session *s)
{
    struct session *m = s->model;
    m->early_offered =
        s->setup->socket && smtp_host_in(s, &s->main->pipelining_connect_advertise_hosts,
                                         "pipelining_connect_advertise_hosts");
    m->early_used = m->early_offered && maillog_selected(s->engine, LOG_SELECTOR_PIPELINING) &&
                    smtp_io_is_ahead(s->io);
}

/* A client that talks before it was greeted, without having been told that it may. */
static bool
is_impatient(struct smtp_session *s)
{
    if (!smtp_enforces_sync(s) || !s->setup->socket || s->model->early_offered ||
        !smtp_io_is_ahead(s->io))
        return false;
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "SMTP protocol synchronization error (input sent without waiting for greeting): "
             "rejected connection from %.*s input=%.*s",
             STR_ARG(smtp_peer(s, true)), STR_ARG(smtp_input_ahead(s)));
    (void)smtp_out_of_sync(s);
    return true;
}

static void
find_fast_open(struct smtp_session *s)
{
    enum listen_fast f = s->setup->socket ? listen_fast(s->setup->in) : LISTEN_FAST_NONE;
    s->model->fast_data = f == LISTEN_FAST_DATA;
    s->model->fast_open = f != LISTEN_FAST_NONE;
}

bool
smtp_greet(struct smtp_session *s)
{
    struct acl_answer a = {.message = STR_NULL};
    if (s->batch)
        return true;
    find_fast_open(s);
    if (s->setup->socket)
        smtp_log_accepted(s);
    else
        smtp_log_connection(s, "");
    if ((s->setup->socket || s->test) &&
        smtp_host_in(s, &s->main->host_reject_connection, "host_reject_connection")) {
        if (maillog_selected(s->engine, LOG_SELECTOR_CONNECTION_REJECT))
            smtp_log(s, MAILLOG_MAIN, "refused connection from %.*s (host_reject_connection)",
                     STR_ARG(smtp_peer(s, false)));
        smtp_answer(s, "554 SMTP service not available");
        return false;
    }
    smtp_proxy(s);
    if (s->proxy_failed)
        return banner(s, STR_NULL);
    enum acl_result r = policy_run(s->engine, ACL_PHASE_CONNECT, &a);
    if (r != ACL_ACCEPT)
        return refuse_start(s, &a);
    if (s->setup->tls && !smtp_tls_begin(s))
        return false;
    find_early(s);
    if (!s->setup->tls && is_impatient(s))
        return false;
    return banner(s, a.message);
}

static void
set_active_hostname(struct smtp_session *s)
{
    struct vm *vm = s->engine->vm;
    struct str text = STR_EMPTY;
    struct str name = s->main->primary_hostname;
    if (str_is_set(s->main->smtp_active_hostname.text)) {
        enum vm_status st = vm_expand_x(vm, &s->main->smtp_active_hostname, &text);
        if (st == VM_OK && text.n > 0)
            name = s->model->active_hostname = str_dup(s->arena, text);
        else if (st == VM_ERROR || st == VM_DEFER)
            smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC,
                     "failed to expand \"%.*s\" (smtp_active_hostname): %.*s",
                     STR_ARG(s->main->smtp_active_hostname.text), STR_ARG(vm_error(vm)));
    }
    s->hostname = name;
}

static void
set_timeout(struct smtp_session *s)
{
    int64_t seconds = s->setup->timeout_s;
    const struct opt_xtime *x = &s->main->smtp_receive_timeout;
    struct str text;
    if (seconds < 0)
        seconds = x->s;
    if (s->setup->timeout_s < 0 && str_is_set(x->text.text) &&
        (vm_expand_x(s->engine->vm, &x->text, &text) != VM_OK ||
         !num_parse_interval(str_trim(text), &seconds))) {
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC, "bad value for smtp_receive_timeout: '%.*s'",
                 STR_ARG(x->text.text));
        seconds = x->s;
    }
    smtp_io_set_timeout(s->io, seconds * 1000);
}

static void
find_ident(struct smtp_session *s)
{
    const struct conf_main *c = s->main;
    if (!s->setup->socket || c->rfc1413_query_timeout <= 0 ||
        !smtp_host_in(s, &c->rfc1413_hosts, "rfc1413_hosts"))
        return;
    ident_ask(s->engine, s->model);
    peer_set_names(s->engine, s->model);
}

static void
find_rules_for_host(struct smtp_session *s)
{
    const struct conf_main *c = s->main;
    bool own = s->local && !s->setup->no_qualify;
    s->helo_required =
        !s->batch && smtp_host_in(s, &c->hosts_require_helo, "hosts_require_helo");
    s->unqualified_sender =
        s->local ? own
                 : smtp_host_in(s, &c->sender_unqualified_hosts, "sender_unqualified_hosts");
    s->unqualified_recipient = s->local ? own
                                        : smtp_host_in(s, &c->recipient_unqualified_hosts,
                                                       "recipient_unqualified_hosts");
    s->xclient_host = !s->local && smtp_host_in(s, &c->hosts_xclient, "hosts_xclient");
    if (!s->local)
        s->helo_verify_required = smtp_host_in(s, &c->helo_verify_hosts, "helo_verify_hosts");
}

/* --- what ACLs ask of a session --- */

static void
wait_for_acl(void *ctx, int64_t seconds, bool flush)
{
    struct smtp_session *s = ctx;
    if (s->test) { /* a test is not held up */
        (void)fprintf(stderr, ">>> delay of %llds skipped by -bh option\n", (long long)seconds);
        return;
    }
    if (flush)
        (void)smtp_io_flush(s->io);
    smtp_wait(s, seconds * 1000);
}

static void
flush_for_acl(void *ctx)
{
    struct smtp_session *s = ctx;
    (void)smtp_io_flush(s->io);
}

static enum outcome
helo_for_acl(void *ctx)
{
    return smtp_verify_helo(ctx) == OUT_OK ? OUT_OK : OUT_FAIL;
}

static void
make_policy(struct smtp_session *s)
{
    s->up = policy_up(s->arena, s->engine);
    s->up->peer_ctx = s;
    s->up->delay = wait_for_acl;
    s->up->flush = flush_for_acl;
    s->up->verify_helo = helo_for_acl;
    s->up->atrn_domains = smtp_atrn_domains;
    s->engine->policy = s->up;
    struct acl_connection *c = acl_connection_of(s->model);
    c->qualified_set = true;
    c->unqualified_sender = s->unqualified_sender;
    c->unqualified_recipient = s->unqualified_recipient;
}

/* $connection_id: digits that no other connection of this machine has; the time will do. */
static void
make_connection_id(struct smtp_session *s)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    s->model->connection_id =
        str_printf(s->arena, "%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
}

enum { SLOW_BYTES = 8192 }; /* less of a text in setup.slow_ms is slow */
enum { SLICE_MS = 20 };     /* a client that answers within it is served by the same thread */

void
smtp_start(struct smtp_session *s)
{
    s->batch = s->setup->kind == SMTP_KIND_BATCH;
    s->test = s->setup->kind == SMTP_KIND_TEST;
    s->local = !str_is_set(s->model->sender_host_address);
    s->verb = s->last_verb = SMTP_VERB_UNKNOWN;
    s->nonmail_host = -1;
    s->start_ms = await_now_ms();
    s->io = smtp_io_new(s->arena, s->setup->in, s->batch ? -1 : s->setup->out);
    if (s->setup->secure != NULL)
        smtp_io_secure(s->io, s->setup->tls_of, s->setup->secure);
    if (s->setup->pooled)
        (void)smtp_io_set_slice(s->io, SLICE_MS);
    if (s->setup->crowded != NULL) {
        const struct smtp_io_yield y = {.crowded = s->setup->crowded,
                                        .ctx = s->setup->crowded_ctx,
                                        .window_ms = s->setup->slow_ms,
                                        .bytes = SLOW_BYTES};
        smtp_io_set_yield(s->io, &y);
    }
    s->protocol =
        str_printf(s->arena, "%s%s", s->local ? "local-" : "", s->batch ? "bsmtp" : "smtp");
    smtp_reset(s);
    peer_set_names(s->engine, s->model);
    set_active_hostname(s);
    set_timeout(s);
    make_connection_id(s);
    if (!s->local && smtp_host_in(s, &s->main->host_lookup, "host_lookup")) {
        (void)peer_name_find(s->engine, s->model);
        peer_set_names(s->engine, s->model);
    }
    find_ident(s);
    find_rules_for_host(s);
    make_policy(s);
}
