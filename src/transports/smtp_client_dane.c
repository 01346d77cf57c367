/* DANE of a connection to a server; see smtp_client_dane.h. Source: specification, section "DANE", options hosts_try_dane and
 * hosts_require_dane, event dane:fail; RFC 7672 section 2; RFC 8460 section 4.3 for the words of the event. */
#include "transports/smtp_client_dane.h"

#include "conf/eval.h"
#include "conf/host_find.h"
#include "conf/resolve.h"
#include "mail/why_errno.h"

enum {
    USAGE_TA = 2,
    USAGE_EE = 3,
    SELECTOR_MAX = 1,
    MATCHING_MAX = 2,
};

static void
raise_fail(const struct transport_job *job, const char *reason)
{
    const struct event event = {.name = "dane:fail", .data = str_from_cstr(reason)};
    (void)smtp_client_event(job, &event);
}

static bool
say(const struct transport_job *job, const char *reason, enum smtp_fate fate, struct str text,
    struct smtp_end *end)
{
    raise_fail(job, reason);
    end->fate = fate;
    end->why = (struct why){
        .outcome = fate == SMTP_HOST_FAIL ? OUT_FAIL : OUT_DEFER,
        .sys_errno = fate == SMTP_HOST_FAIL ? 0 : WHY_DNS,
        .log = text,
    };
    end->quiet = fate == SMTP_HOST_FAIL;
    return false;
}

static bool
is_usable(const struct dns_record *r)
{
    return (r->number[0] == USAGE_TA || r->number[0] == USAGE_EE) &&
           r->number[1] <= SELECTOR_MAX && r->number[2] <= MATCHING_MAX && r->bytes.n > 0;
}

static void
take(struct smtp_client *c, const struct transport_job *job, struct str name,
     const struct dns_answer *m)
{
    struct tlsa *v = ARENA_ARRAY(c->arena, struct tlsa, SMTP_CLIENT_TLSA_MAX);
    const struct dns_record *r;
    size_t at = 0, n = 0;
    int64_t usages = 0;
    while (n < SMTP_CLIENT_TLSA_MAX && (r = resolve_next(m, DNS_TLSA, &at)) != NULL) {
        if (!is_usable(r))
            continue;
        v[n++] = (struct tlsa){.usage = (int)r->number[0],
                               .selector = (int)r->number[1],
                               .matching = (int)r->number[2],
                               .data = r->bytes};
        usages |= (int64_t)1 << r->number[0];
    }
    c->dane = true;
    c->tlsa = v;
    c->tlsa_name = name;
    c->tlsa_n = n;
    c->tlsa_usages = usages;
    job->session->tls_out.tlsa_usage = usages;
}

/* Nothing that can be used: it may be done without, or not. */
static bool
do_without(const struct transport_job *job, bool required, struct smtp_end *end)
{
    return !required || say(job, "dane-required", SMTP_HOST_FAIL,
                            STR_LIT("DANE error: tlsa lookup FAIL"), end);
}

/* The records under one name of the host. DNS_NO_DATA also stands for those that are not secure, which the log says. */
static enum dns_status
ask(struct smtp_client *c, const struct transport_job *job, struct str name,
    struct dns_answer *out)
{
    struct eval *e = job->eval;
    struct resolve_answer found;
    const struct dns_question q = {
        .name = str_printf(c->arena, "_%lld._tcp.%.*s", (long long)c->port, STR_ARG(name)),
        .type = DNS_TLSA,
        .flags = DNS_SECURE};
    enum dns_status st = resolve_ask(e, job->vm, c->arena, &q, &found);
    *out = found.reply.answer;
    if (st != DNS_FOUND || found.secure)
        return st;
    if (e->log != NULL)
        e->log(e->log_ctx, false,
               str_printf(job->arena, "DANE error: TLSA lookup for %.*s not DNSSEC",
                          STR_ARG(name)));
    return DNS_NO_DATA;
}

/* RFC 7671 section 7: the name behind CNAME records comes first, and when it has none the one at their head. */
static bool
look_up(struct smtp_client *c, const struct transport_job *job, bool required,
        struct smtp_end *end)
{
    struct dns_answer found;
    struct str name = c->host.name, head = host_find_head(&c->host);
    enum dns_status st = ask(c, job, name, &found);
    if ((st == DNS_NO_DATA || st == DNS_NO_NAME) && !str_ieq(name, head)) {
        name = head;
        st = ask(c, job, name, &found);
    }
    switch (st) {
    case DNS_FOUND:
        break;
    case DNS_NO_DATA:
    case DNS_NO_NAME:
        return do_without(job, required, end);
    case DNS_AGAIN:
    case DNS_FAILED:
        return say(job, required ? "dane-required" : "dnssec-invalid", SMTP_HOST_DEFER,
                   STR_LIT("DANE error: tlsa lookup DEFER"), end);
    }
    take(c, job, name, &found);
    if (c->tlsa_n > 0 || !required)
        return true;
    return say(job, "tlsa-invalid", SMTP_HOST_DEFER,
               STR_LIT("DANE error: no usable TLSA records"), end);
}

bool
smtp_client_dane_find(struct smtp_client *c, const struct transport_job *job,
                      struct smtp_end *end)
{
    const struct transport_smtp *o = c->opt;
    bool required =
        smtp_client_requires(job, &c->host, &o->hosts_require_dane, "hosts_require_dane");
    if (!c->host.dnssec)
        return !required || say(job, "dane-required", SMTP_HOST_FAIL,
                                str_printf(job->arena, "DANE error: %.*s lookup not DNSSEC",
                                           STR_ARG(c->host.name)),
                                end);
    if (!required && !smtp_client_requires(job, &c->host, &o->hosts_try_dane, "hosts_try_dane"))
        return true;
    return look_up(c, job, required, end);
}

void
smtp_client_dane_failed(const struct smtp_client *c, const struct transport_job *job,
                        const struct tls_fault *fault)
{
    struct eval *e = job->eval;
    if (!c->dane)
        return;
    if (fault != NULL && e->log != NULL)
        e->log(e->log_ctx, false,
               str_printf(job->arena,
                          "DANE attempt failed; TLS connection to %.*s [%.*s]: (%.*s): %.*s",
                          STR_ARG(c->host.name), STR_ARG(c->host.address),
                          STR_ARG(fault->where), STR_ARG(fault->text)));
    raise_fail(job, fault == NULL && !c->peer.starttls ? "starttls-not-supported"
                                                       : "validation-failure");
}

bool
smtp_client_dane_needs_no_ocsp(const struct smtp_client *c)
{
    return c->tlsa_n > 0 && (c->tlsa_usages & ((int64_t)1 << USAGE_EE)) != 0 &&
           str_eqz(str_trim(c->opt->hosts_request_ocsp.text), "*");
}
