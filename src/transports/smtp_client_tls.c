/* TLS of a connection to a server; see smtp_client_tls.h. Source: specification, section "Configuring an Exim client to use TLS", options
 * hosts_avoid_tls … tls_verify_hosts of the smtp transport. */
#include "transports/smtp_client_tls.h"

#include "base/arena.h"
#include "conf/eval.h"
#include "conf/host_find.h"
#include "conf/main_options.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "sys/await.h"
#include "sys/hints.h"
#include "transports/smtp_client_dane.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { MS = 1000, RECORD = 16 * 1024 };

bool
smtp_client_tls_is_first(const struct transport_smtp *opt)
{
    return str_ieqz(opt->protocol, "smtps") || str_ieqz(opt->protocol, "submissions");
}

/* --- ends --- */

static bool
say(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end, int number,
    struct str text)
{
    end->fate = SMTP_HOST_DEFER;
    end->why = (struct why){.outcome = OUT_DEFER,
                            .sys_errno = number,
                            .host = str_dup(job->arena, c->host.name),
                            .host_ip = str_dup(job->arena, c->host.address),
                            .log = text};
    return false;
}

/* "TLS session: (certificate verification failed): certificate invalid" */
static bool
say_fault(struct smtp_client *c, const struct transport_job *job, const struct tls_fault *f,
          struct smtp_end *end)
{
    struct buf b = buf_in(job->arena, 0);
    buf_addz(&b, "TLS session: ");
    if (f->where.n > 0)
        buf_printf(&b, "(%.*s)", STR_ARG(f->where));
    if (f->text.n > 0)
        buf_printf(&b, "%s%.*s", f->where.n > 0 ? ": " : "", STR_ARG(f->text));
    end->tls_failed = !c->dane;
    c->broken = true;
    smtp_client_dane_failed(c, job, f);
    return say(c, job, end, WHY_TLS_FAILED, buf_str(&b));
}

void
smtp_client_tls_first_read(struct smtp_client *c, struct smtp_end *end)
{
    if (!str_is_set(c->tls_fault))
        return;
    end->tls_failed = !c->dane;
    end->fate = SMTP_HOST_DEFER;
    end->why.outcome = OUT_DEFER;
    end->why.sys_errno = WHY_TLS_FAILED;
    end->why.log = STR_LIT("TLS session: error on first read");
}

/* --- what it is made with --- */

struct making {
    struct smtp_client *c;
    const struct transport_job *job;
    struct tls_fault *fault;
};

/* False: the fault says why. A forced failure is as if the option were not set. */
static bool
expand(struct making *m, const struct xstr *x, const char *name, struct str *out)
{
    struct str text;
    *out = STR_EMPTY;
    if (!str_is_set(x->text))
        return true;
    switch ((int)vm_expand_x(m->job->vm, x, &text)) {
    case VM_OK:
        *out = str_dup(m->c->arena, str_trim(text));
        return true;
    case VM_FORCED:
        return true;
    default:
        m->fault->where = str_printf(m->job->arena, "expansion of %s failed", name);
        m->fault->text = str_dup(m->job->arena, vm_error(m->job->vm));
        return false;
    }
}

static bool
in_list(const struct making *m, const struct xstr *list, const char *name)
{
    return smtp_client_in_list(m->job, &m->c->host, list, name);
}

/* With neither list, everybody is verified. */
static enum tls_check
check_of(const struct making *m)
{
    const struct transport_smtp *o = m->c->opt;
    if (o->tls_verify_hosts.text.n == 0 && o->tls_try_verify_hosts.text.n == 0)
        return TLS_CHECK_REQUIRE;
    if (smtp_client_requires(m->job, &m->c->host, &o->tls_verify_hosts, "tls_verify_hosts"))
        return TLS_CHECK_REQUIRE;
    return in_list(m, &o->tls_try_verify_hosts, "tls_try_verify_hosts") ? TLS_CHECK_TRY
                                                                        : TLS_CHECK_NONE;
}

/* tls:cert */
static bool
seen(void *ctx, unsigned depth, struct str pem)
{
    struct making *m = ctx;
    const struct event event = {.name = "tls:cert",
                                .data = str_printf(m->job->arena, "%u", depth)};
    m->job->session->tls_out.peercert = str_tainted(str_dup(m->job->session->arena, pem));
    return !str_is_set(smtp_client_event(m->job, &event));
}

static void
notice(void *ctx, struct str where, struct str text)
{
    struct making *m = ctx;
    struct eval *e = m->job->eval;
    if (e->log != NULL)
        e->log(e->log_ctx, true,
               str_printf(m->job->arena,
                          "TLS files have changed and cannot be used, those before stay: "
                          "(%.*s): %.*s",
                          STR_ARG(where), STR_ARG(text)));
}

/* --- sessions that are resumed --- */

enum { TICKET_VERSION = 2, TICKET_HEAD = 8, SERVER_NAME_MAX = 255 };

bool
smtp_client_tls_read_ticket(uint16_t version, struct str value, int64_t *seconds,
                            struct str *ticket)
{
    if (version != TICKET_VERSION || value.n <= TICKET_HEAD)
        return false;
    memcpy(seconds, value.p, TICKET_HEAD);
    *ticket = str_sub(value, TICKET_HEAD, value.n);
    return *seconds >= 0;
}

/* The time is there for who tidies. */
static struct str
ticket_record(struct arena *a, struct str ticket)
{
    int64_t now = (int64_t)time(NULL);
    return str_cat(a, str_from((const char *)&now, TICKET_HEAD), ticket);
}

void
smtp_client_tls_note_server(struct smtp_client *c, const struct transport_job *job)
{
    struct str before = str_dup(job->arena, vm_item(job->vm)), name;
    vm_set_item(job->vm, c->reply.text);
    if (smtp_client_in_list(job, &c->host, &c->opt->tls_resumption_hosts,
                            "tls_resumption_hosts") &&
        vm_expand_x(job->vm, &c->opt->host_name_extract, &name) == VM_OK)
        c->server_name = str_dup(c->arena, str_sub(name, 0, SERVER_NAME_MAX));
    vm_set_item(job->vm, before);
}

/* What is verified is verified again, so the key need not say how. */
static void
find_ticket(struct making *m, struct tls_setup *t)
{
    struct smtp_client *c = m->c;
    if (!t->resume || m->job->hints == NULL)
        return;
    c->hints = m->job->hints;
    c->ticket_key = str_printf(
        c->arena, "%.*s:%lld/%.*s/%.*s/%.*s/%.*s", STR_ARG(c->host.address), (long long)c->port,
        STR_ARG(c->host.name), STR_ARG(t->sni), STR_ARG(t->priority), STR_ARG(c->server_name));
    struct str value;
    int64_t given;
    if (!hints_get(c->hints, c->arena, HINTS_TLS, c->ticket_key, TICKET_VERSION, &value) ||
        !smtp_client_tls_read_ticket(TICKET_VERSION, value, &given, &t->ticket))
        t->ticket = STR_NULL;
}

void
smtp_client_tls_keep_ticket(struct smtp_client *c)
{
    struct str ticket;
    if (c->hints != NULL && c->secure != NULL && !c->broken &&
        tls_ticket(c->tls, c->secure, c->arena, &ticket))
        (void)hints_put(c->hints, HINTS_TLS, c->ticket_key, TICKET_VERSION,
                        ticket_record(c->arena, ticket));
    c->hints = NULL;
}

static bool
trust_authorities(struct making *m, struct tls_setup *t)
{
    const struct transport_smtp *o = m->c->opt;
    return expand(m, &o->tls_verify_certificates, "tls_verify_certificates",
                  &t->credentials.trusted) &&
           expand(m, &o->tls_crl, "tls_crl", &t->credentials.revoked) &&
           expand(m, &o->tls_require_ciphers, "tls_require_ciphers", &t->priority) &&
           expand(m, &o->tls_sni, "tls_sni", &t->sni);
}

/* Whose MX record led to the host, if it is one domain for all recipients; STR_NULL: none. */
static struct str
mail_domain(const struct smtp_client *c, const struct transport_job *job)
{
    if (c->host.preference < 0 || job->n == 0)
        return STR_NULL;
    struct str domain = job->addresses[0]->domain;
    for (size_t i = 1; i < job->n; i++)
        if (!str_ieq(job->addresses[i]->domain, domain))
            return STR_NULL;
    return str_chr(domain, ':', 0) == STR_NPOS ? domain : STR_NULL;
}

/* DANE: what would be trusted otherwise counts no more, and the server is asked for the name that the records are of. */
static bool
trust_records(struct making *m, struct tls_setup *t)
{
    const struct smtp_client *c = m->c;
    const struct transport_smtp *o = c->opt;
    struct str domain = mail_domain(c, m->job);
    t->tlsa = c->tlsa;
    t->tlsa_n = c->tlsa_n;
    t->check = TLS_CHECK_REQUIRE;
    t->names = t->sni = c->tlsa_name;
    if (str_is_set(domain)) /* RFC 7672 section 3.2.2 */
        t->names = str_printf(c->arena, "%.*s:%.*s", STR_ARG(c->tlsa_name), STR_ARG(domain));
    if (!expand(m, &o->dane_require_tls_ciphers, "dane_require_tls_ciphers", &t->priority))
        return false;
    return t->priority.n > 0 ||
           expand(m, &o->tls_require_ciphers, "tls_require_ciphers", &t->priority);
}

static bool
set_up(struct making *m, struct tls_setup *t)
{
    struct smtp_client *c = m->c;
    const struct transport_smtp *o = c->opt;
    const struct conf_main *main = m->job->eval->conf->main;
    *t = (struct tls_setup){
        .arena = c->arena,
        .role = TLS_CLIENT,
        .in = c->fd,
        .out = c->fd,
        .check = check_of(m),
        .alpn_required = in_list(m, &o->hosts_require_alpn, "hosts_require_alpn"),
        .ocsp_require = smtp_client_requires(m->job, &c->host, &o->hosts_require_ocsp,
                                             "hosts_require_ocsp"),
        .ocsp_request = !smtp_client_dane_needs_no_ocsp(c) &&
                        in_list(m, &o->hosts_request_ocsp, "hosts_request_ocsp"),
        .resume = in_list(m, &o->tls_resumption_hosts, "tls_resumption_hosts"),
        .dh_bits = o->tls_dh_min_bits,
        .tolerant = o->gnutls_compat_mode,
        .pkcs11 = main->gnutls_allow_auto_pkcs11,
        .notice = notice,
        .ctx = m,
    };
    if (t->ocsp_require && t->check == TLS_CHECK_NONE)
        t->check = TLS_CHECK_TRY; /* an answer is measured against what is trusted */
    const struct transport_generic *g = m->job->transport->generic.fields;
    if (str_is_set(g->event_action.text))
        t->seen = seen;
    if (in_list(m, &o->tls_verify_cert_hostnames, "tls_verify_cert_hostnames"))
        t->names = host_find_head(&c->host);
    return expand(m, &o->tls_certificate, "tls_certificate", &t->credentials.certificates) &&
           expand(m, &o->tls_privatekey, "tls_privatekey", &t->credentials.keys) &&
           expand(m, &o->tls_alpn, "tls_alpn", &t->alpn) &&
           (c->tlsa_n > 0 ? trust_records(m, t) : trust_authorities(m, t));
}

/* --- handshake --- */

static struct tls *
load(const struct transport_job *job, struct str *why)
{
    struct eval *e = job->eval;
    return tls_load(&e->tls, e->arena, e->process.plugin_directory, why);
}

static bool
shake(struct making *m, struct tls_setup *t)
{
    struct smtp_client *c = m->c;
    int64_t wait_ms = c->opt->command_timeout * MS;
    struct tls_connection *secure = tls_open(c->tls, t, m->fault);
    if (secure == NULL)
        return false;
    if (tls_handshake(c->tls, secure, c->fd, c->fd, await_now_ms() + wait_ms, m->fault)) {
        c->secure = secure;
        return true;
    }
    if (errno == ETIMEDOUT)
        *m->fault = (struct tls_fault){.where = STR_LIT("tls lib connect fn"),
                                       .text = STR_LIT("timed out")};
    m->fault->text = str_dup(m->job->arena, m->fault->text);
    tls_close(c->tls, secure, false);
    return false;
}

bool
smtp_client_tls_begin(struct smtp_client *c, const struct transport_job *job,
                      struct smtp_end *end)
{
    struct tls_fault fault = {.where = STR_EMPTY, .text = STR_EMPTY};
    struct making m = {.c = c, .job = job, .fault = &fault};
    struct tls_setup t;
    c->tls = load(job, &fault.text);
    if (c->tls == NULL || !set_up(&m, &t))
        return say_fault(c, job, &fault, end);
    find_ticket(&m, &t);
    if (!shake(&m, &t)) {
        end->bad_ticket = t.ticket.n > 0 && hints_delete(c->hints, HINTS_TLS, c->ticket_key);
        return say_fault(c, job, &fault, end);
    }
    c->record = arena_alloc(c->arena, RECORD);
    c->reader.n = 0; /* what the server said in the clear ahead of it counts no more */
    c->reader.read = smtp_client_tls_read;
    c->reader.ctx = c;
    tls_state_take(&c->tls_state, c->arena, c->tls, c->secure);
    c->tls_state.tlsa_usage = c->tlsa_usages;
    c->dane_by_domain =
        str_is_set(c->tls_state.dane_name) && !str_ieq(c->tls_state.dane_name, c->tlsa_name);
    tls_state_copy(&job->session->tls_out, job->session->arena, &c->tls_state);
    job->session->tls_out_active = true;
    return true;
}

/* --- STARTTLS --- */

static bool
is_wanted(const struct smtp_client *c, const struct transport_job *job)
{
    return !c->clear && c->peer.starttls &&
           (c->dane ||
            !smtp_client_in_list(job, &c->host, &c->opt->hosts_avoid_tls, "hosts_avoid_tls"));
}

/* The server did not say yes. True: the session goes on in the clear. */
static bool
refused(struct smtp_client *c, const struct transport_job *job, enum reply_end got,
        struct smtp_end *end)
{
    bool required =
        smtp_client_requires(job, &c->host, &c->opt->hosts_require_tls, "hosts_require_tls");
    if (got != REPLY_READ) {
        end->fate = SMTP_HOST_DEFER;
        end->why = smtp_client_why(c, job->arena, got, STR_LIT("STARTTLS"), 0, 0);
        return false;
    }
    if (!required && (c->reply.code / 100 == 5 || c->opt->tls_tempfail_tryclear || c->dane))
        return true; /* who must not go on in the clear finds out */
    struct why why = smtp_client_why(c, job->arena, got, STR_LIT("STARTTLS"), 0, 0);
    if (required)
        return say(c, job, end, WHY_TLS_REQUIRED,
                   str_printf(job->arena,
                              "a TLS session is required, but the server answered %.*s",
                              STR_ARG(str_sub(c->reply.text, 0, 200))));
    end->fate = SMTP_HOST_DEFER;
    end->why = why;
    end->why.outcome = OUT_DEFER;
    return false;
}

bool
smtp_client_tls_ask(struct smtp_client *c, const struct transport_job *job)
{
    struct str why = STR_NULL;
    if (!is_wanted(c, job) || load(job, &why) == NULL)
        return false; /* who requires it finds out */
    return str_is_set(smtp_client_put(c, job->arena, "STARTTLS"));
}

bool
smtp_client_tls_answer(struct smtp_client *c, const struct transport_job *job, bool *started,
                       struct smtp_end *end)
{
    *started = false;
    enum reply_end got = smtp_client_reply(c, c->arena, c->opt->command_timeout * MS);
    if (got != REPLY_READ || c->reply.code / 100 != 2)
        return refused(c, job, got, end);
    *started = smtp_client_tls_begin(c, job, end);
    return *started;
}

bool
smtp_client_tls_start(struct smtp_client *c, const struct transport_job *job, bool *started,
                      struct smtp_end *end)
{
    *started = false;
    if (!smtp_client_tls_ask(c, job))
        return true;
    (void)smtp_client_flush(c, c->opt->command_timeout * MS);
    return smtp_client_tls_answer(c, job, started, end);
}

/* --- bytes --- */

static void
break_tls(struct smtp_client *c, const struct tls_fault *f)
{
    c->broken = true;
    if (str_is_set(c->tls_fault))
        return;
    c->tls_fault = str_printf(c->arena, "(%.*s): %.*s", STR_ARG(f->where), STR_ARG(f->text));
    if (c->eval->log != NULL)
        c->eval->log(c->eval->log_ctx, false,
                     str_printf(c->arena, "H=%.*s [%.*s] TLS error on connection %.*s",
                                STR_ARG(c->host.name), STR_ARG(c->host.address),
                                STR_ARG(c->tls_fault)));
}

static bool
send_record(struct smtp_client *c, size_t n)
{
    struct tls_fault fault;
    for (size_t at = 0; at < n;) {
        ssize_t sent = tls_send(c->tls, c->secure, c->record + at, n - at, &fault);
        if (sent >= 0) {
            at += (size_t)sent;
        } else if (errno != EAGAIN) {
            break_tls(c, &fault);
            errno = EPROTO;
            return false;
        } else if (!smtp_client_wait(c, fault.events)) {
            return false;
        }
    }
    return true;
}

bool
smtp_client_tls_send(struct smtp_client *c, const struct iovec *v, int n)
{
    size_t filled = 0;
    for (int i = 0; i < n; i++) {
        const char *p = v[i].iov_base;
        size_t left = v[i].iov_len;
        while (left > 0) {
            size_t piece = left < RECORD - filled ? left : RECORD - filled;
            memcpy(c->record + filled, p, piece);
            filled += piece;
            p += piece;
            left -= piece;
            if (filled == RECORD && !send_record(c, filled))
                return false;
            filled = filled == RECORD ? 0 : filled;
        }
    }
    return send_record(c, filled);
}

ssize_t
smtp_client_tls_read(void *ctx, char *p, size_t n, short *events)
{
    struct smtp_client *c = ctx;
    struct tls_fault fault;
    ssize_t got = tls_receive(c->tls, c->secure, p, n, &fault);
    if (got < 0 && errno == EAGAIN)
        *events = fault.events;
    else if (got < 0)
        break_tls(c, &fault);
    return got;
}
