/* TLS of a session: STARTTLS, and TLS from the first byte on. Source: specification, chapter "Encrypted SMTP connections using TLS/SSL";
 * RFC 3207, 8314. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "conf/event.h"
#include "conf/tls_state.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/policy.h"
#include "sys/await.h"

/* --- what it is made with --- */

/* An option's value; a forced failure is as if it were not set. False: logged. */
static bool
expand(struct smtp_session *s, const struct xstr *x, const char *name, struct str *out)
{
    struct str text;
    *out = STR_EMPTY;
    if (!str_is_set(x->text))
        return true;
    switch ((int)vm_expand_x(s->engine->vm, x, &text)) {
    case VM_OK:
        *out = str_dup(s->arena, str_trim(text));
        return true;
    case VM_FORCED:
        return true;
    default:
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC, "failed to expand %s: %.*s", name,
                 STR_ARG(vm_error(s->engine->vm)));
        return false;
    }
}

static bool
expand_credentials(struct smtp_session *s, struct tls_credentials *out)
{
    const struct conf_main *c = s->main;
    out->self = c->primary_hostname;
    return expand(s, &c->tls_certificate, "tls_certificate", &out->certificates) &&
           expand(s, &c->tls_privatekey, "tls_privatekey", &out->keys) &&
           expand(s, &c->tls_ocsp_file, "tls_ocsp_file", &out->stapled) &&
           expand(s, &c->tls_verify_certificates, "tls_verify_certificates", &out->trusted) &&
           expand(s, &c->tls_crl, "tls_crl", &out->revoked) &&
           expand(s, &c->tls_dhparam, "tls_dhparam", &out->dh);
}

/* The client names a server: options are expanded again when the certificate depends on it. */
static bool
named(void *ctx, struct str name, struct tls_credentials *again)
{
    struct smtp_session *s = ctx;
    struct str text = s->main->tls_certificate.text;
    s->model->tls_in.sni = name;
    if (!str_is_set(text) || (str_find(text, STR_LIT("tls_in_sni"), 0) == STR_NPOS &&
                              str_find(text, STR_LIT("tls_sni"), 0) == STR_NPOS))
        return false;
    struct tls_credentials other;
    if (!expand_credentials(s, &other))
        return false;
    *again = other;
    return true;
}

/* tls:cert of event_action. */
static bool
seen(void *ctx, unsigned depth, struct str pem)
{
    struct smtp_session *s = ctx;
    struct str data = str_printf(s->message_arena, "%u", depth);
    s->model->tls_in.peercert = str_tainted(pem);
    const struct event event = {.name = "tls:cert", .data = data};
    return !str_is_set(event_raise_main(s->engine->eval, s->engine->vm, &event));
}

static void
notice(void *ctx, struct str where, struct str text)
{
    struct smtp_session *s = ctx;
    smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC,
             "TLS files have changed and cannot be used, those before stay: (%.*s): %.*s",
             STR_ARG(where), STR_ARG(text));
}

static enum tls_check
check_of(struct smtp_session *s)
{
    if (smtp_host_in(s, &s->main->tls_verify_hosts, "tls_verify_hosts"))
        return TLS_CHECK_REQUIRE;
    if (smtp_host_in(s, &s->main->tls_try_verify_hosts, "tls_try_verify_hosts"))
        return TLS_CHECK_TRY;
    return TLS_CHECK_NONE;
}

static bool
set_up(struct smtp_session *s, struct tls_setup *t)
{
    const struct conf_main *c = s->main;
    *t = (struct tls_setup){
        .arena = s->arena,
        .role = TLS_SERVER,
        .in = s->setup->in,
        .out = s->setup->out,
        .check = check_of(s),
        .resume = smtp_host_in(s, &c->tls_resumption_hosts, "tls_resumption_hosts"),
        .alpn_required = smtp_host_in(s, &c->hosts_require_alpn, "hosts_require_alpn"),
        .tolerant = c->gnutls_compat_mode,
        .pkcs11 = c->gnutls_allow_auto_pkcs11,
        .named = named,
        .notice = notice,
        .ctx = s,
    };
    if (str_is_set(c->event_action.text))
        t->seen = seen;
    /* The greeting goes with our part of the handshake. Not when the client has to say who it is first, or may come with an earlier session. */
    t->early = s->tls_on_connect && t->check == TLS_CHECK_NONE && !t->resume &&
               smtp_host_in(s, &c->tls_early_banner_hosts, "tls_early_banner_hosts");
    return expand_credentials(s, &t->credentials) &&
           expand(s, &c->tls_require_ciphers, "tls_require_ciphers", &t->priority) &&
           expand(s, &c->tls_alpn, "tls_alpn", &t->alpn);
}

/* --- starting --- */

static void
log_fault(struct smtp_session *s, const struct tls_fault *f)
{
    struct buf b = buf_in(s->message_arena, 0);
    if (f->where.n > 0)
        buf_printf(&b, "(%.*s)", STR_ARG(f->where));
    if (f->text.n > 0)
        buf_printf(&b, "%s%.*s", b.n > 0 ? ": " : "", STR_ARG(f->text));
    struct str text = buf_str(&b);
    smtp_log(s, MAILLOG_MAIN, "TLS error on connection from %.*s %.*s",
             STR_ARG(smtp_peer(s, false)), STR_ARG(text));
    (void)event_raise_main(s->engine->eval, s->engine->vm,
                           &(struct event){.name = "tls:fail:connect", .data = text});
}

/* A connection that is ready to shake hands. NULL: logged. */
static struct tls_connection *
open_tls(struct smtp_session *s, struct tls_setup *t, struct tls_fault *fault)
{
    struct eval *e = s->engine->eval;
    struct str why = STR_NULL;
    *fault = (struct tls_fault){.where = STR_LIT("set-up"), .text = STR_LIT("configuration")};
    if (tls_load(&e->tls, s->engine->arena, e->process.plugin_directory, &why) == NULL) {
        fault->text = why;
        return NULL;
    }
    return set_up(s, t) ? tls_open(e->tls, t, fault) : NULL;
}

/* Handshake. False: logged, and the session is of no use. */
static bool
shake(struct smtp_session *s, struct tls_connection *c)
{
    struct tls *tls = s->engine->eval->tls;
    struct tls_fault fault;
    int64_t wait_ms = smtp_io_timeout_ms(s->io);
    int64_t deadline_ms = wait_ms > 0 ? await_now_ms() + wait_ms : 0;
    if (tls_handshake(tls, c, s->setup->in, s->setup->out, deadline_ms, &fault)) {
        smtp_io_secure(s->io, tls, c);
        tls_state_take(&s->model->tls_in, s->arena, tls, c);
        return true;
    }
    log_fault(s, &fault);
    tls_close(tls, c, false);
    smtp_io_give_up(s->io);
    s->notquit = "tls-failed";
    return false;
}

/* What the client said in the clear counts no more. RFC 3207 section 4.2. */
static void
forget_client(struct smtp_session *s)
{
    struct session *m = s->model;
    bool remember = s->main->tls_remember_esmtp && s->esmtp;
    m->sender_helo_name = m->helo_verified = STR_NULL;
    s->helo_seen = remember;
    smtp_auth_forget(s);
    if (!remember)
        s->offered = (struct smtp_offered){.size = false};
    s->offered.tls = false;
    s->esmtp = remember;
    s->free_used &= ~(1u << SMTP_VERB_EHLO | 1u << SMTP_VERB_HELO | 1u << SMTP_VERB_AUTH);
    peer_set_names(s->engine, m);
    smtp_set_protocol(s);
    smtp_reset(s);
}

bool
smtp_tls_offers(struct smtp_session *s)
{
    return !s->batch && s->model->tls_in.cipher.n == 0 &&
           smtp_host_in(s, &s->main->tls_advertise_hosts, "tls_advertise_hosts");
}

void
smtp_tls_log_loss(struct smtp_session *s)
{
    struct str fault = smtp_io_tls_fault(s->io);
    if (str_is_set(fault))
        smtp_log(s, MAILLOG_MAIN, "TLS error on connection from %.*s %.*s",
                 STR_ARG(smtp_peer(s, false)), STR_ARG(fault));
}

bool
smtp_tls_begin(struct smtp_session *s)
{
    struct tls_setup t;
    struct tls_fault fault;
    s->tls_on_connect = true;
    struct tls_connection *c = open_tls(s, &t, &fault);
    if (c == NULL) {
        log_fault(s, &fault);
        smtp_io_give_up(s->io);
        s->notquit = "tls-failed";
        return false;
    }
    if (!shake(s, c))
        return false;
    smtp_set_protocol(s);
    s->message->received_protocol = s->protocol;
    return smtp_auth_by_tls(s);
}

/* --- STARTTLS --- */

enum smtp_next
smtp_do_starttls(struct smtp_session *s)
{
    struct acl_answer a;
    struct tls_setup t;
    struct tls_fault fault;
    if (s->model->tls_in.cipher.n > 0)
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 554, STR_NULL, STR_LIT("Already in TLS"));
    if (!s->offered.tls)
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
                           STR_LIT("STARTTLS command used when not advertised"));
    if (policy_run(s->engine, ACL_PHASE_STARTTLS, &a) != ACL_ACCEPT)
        return smtp_acl_refusal(s, ACL_PHASE_STARTTLS, &a);
    smtp_incomplete(s, "STARTTLS");
    smtp_reset(s);
    struct tls_connection *c = open_tls(s, &t, &fault);
    if (c == NULL) {
        log_fault(s, &fault);
        smtp_answer(s, "454 TLS currently unavailable");
        return SMTP_NEXT_COMMAND;
    }
    smtp_answer(s, "220 TLS go ahead");
    (void)smtp_io_flush(s->io);
    smtp_io_discard_input(s->io);
    if (!shake(s, c))
        return SMTP_NEXT_FAIL;
    forget_client(s);
    return smtp_auth_by_tls(s) ? SMTP_NEXT_COMMAND : SMTP_NEXT_FAIL;
}
