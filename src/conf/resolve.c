/* The DNS under the main options; see resolve.h. */
#include "conf/resolve.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/event.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "filter/expand.h"
#include "filter/host.h"
#include "sys/regex.h"

#include <time.h>

/* --- lists of the main options --- */

bool
resolve_in_domains(struct eval *e, struct vm *vm, const struct xstr *option, const char *name,
                   struct str domain)
{
    struct list_answer answer;
    struct str text;
    const struct str *caps;
    if (!str_is_set(option->text))
        return false;
    unsigned n = vm_captures(vm, &caps);
    struct list_question q = {.kind = LIST_DOMAIN,
                              .subject = domain,
                              .what = str_from_cstr(name),
                              .keep_domain = true};
    bool yes = false;
    if (vm_expand_x(vm, option, &text) == VM_OK) {
        q.list = text;
        yes = list_match(e, vm, &q, &answer) == OUT_OK;
    }
    vm_set_captures(vm, caps, n);
    return yes;
}

/* The name without the labels that begin with an underscore: the domain that they are about. */
static struct str
plain_domain(struct str name)
{
    while (name.n > 0 && name.p[0] == '_') {
        size_t dot = str_chr(name, '.', 0);
        if (dot == STR_NPOS)
            break;
        name = str_sub(name, dot + 1, name.n);
    }
    return name;
}

bool
resolve_again_means_none(struct eval *e, struct vm *vm, struct str name)
{
    return e->conf != NULL &&
           resolve_in_domains(e, vm, &e->conf->main->dns_again_means_nonexist,
                              "dns_again_means_nonexist", plain_domain(name));
}

/* --- names --- */

bool
resolve_is_name(struct eval *e, struct vm *vm, const struct dns_question *q)
{
    struct str why, cap;
    size_t at;
    const struct conf_main *m = e->conf == NULL ? NULL : e->conf->main;
    if (m == NULL || m->dns_check_names_pattern.n == 0 || q->type == DNS_TXT ||
        q->type == DNS_PTR)
        return true;
    struct str name = q->name;
    if (q->type == DNS_SRV || q->type == DNS_TLSA)
        name = plain_domain(name);
    const struct regex *re = vm_regex(vm, m->dns_check_names_pattern, 0, &why, &at);
    if (re == NULL)
        return true;
    return regex_match(re, regex_ctx_new(vm_scratch(vm)), name, &cap, 1) != 0;
}

static unsigned
flags_of(const struct eval *e, unsigned flags)
{
    const struct conf_main *m = e->conf == NULL ? NULL : e->conf->main;
    if (m == NULL)
        return flags;
    if (m->dns_dnssec_ok == 0)
        flags &= ~(unsigned)DNS_SECURE;
    else if (m->dns_dnssec_ok > 0)
        flags |= DNS_SECURE;
    if (m->dns_use_edns0 == 0)
        flags |= DNS_NO_EDNS;
    else if (m->dns_use_edns0 > 0)
        flags |= DNS_USE_EDNS;
    return flags;
}

/* --- what the answer is worth --- */

/* dns_trust_aa: the name that says which zone the answer is from. */
static struct str
zone_of(const struct dns_answer *m)
{
    enum dns_type type = m->answers.n > 0 ? DNS_NS : DNS_SOA;
    for (size_t i = 0; i < m->authority.n; i++)
        if (m->authority.v[i].type == type)
            return m->authority.v[i].owner;
    return STR_NULL;
}

static bool
is_secure(struct eval *e, struct vm *vm, const struct dns_answer *m)
{
    if (m->authenticated)
        return true;
    if (!m->authoritative || e->conf == NULL || !str_is_set(e->conf->main->dns_trust_aa.text))
        return false;
    struct str zone = zone_of(m);
    return str_is_set(zone) &&
           resolve_in_domains(e, vm, &e->conf->main->dns_trust_aa, "dns_trust_aa", zone);
}

const struct dns_record *
resolve_next(const struct dns_answer *m, enum dns_type type, size_t *at)
{
    while (*at < m->answers.n) {
        const struct dns_record *r = &m->answers.v[(*at)++];
        if (r->type == type)
            return r;
    }
    return NULL;
}

/* Where the CNAME records lead from a name, each once. NULL: there is none. */
static const struct dns_record *
last_alias(const struct dns_answer *m, struct str name)
{
    const struct dns_record *last = NULL, *r;
    size_t at = 0;
    while ((r = resolve_next(m, DNS_CNAME, &at)) != NULL)
        if (last == NULL || str_ieq(r->owner, name)) {
            last = r;
            name = r->name;
        }
    return last;
}

/* --- asking --- */

void
resolve_show(struct eval *e, unsigned flags, bool secure)
{
    if ((flags & DNS_SECURE) == 0)
        e->lookup_dnssec = STR_EMPTY;
    else
        e->lookup_dnssec = secure ? STR_LIT("yes") : STR_LIT("no");
}

static void
free_resolver(void *d)
{
    dns_free(d);
}

void
resolve_prepare(struct eval *e)
{
    if (e->dns != NULL || e->arena == NULL)
        return;
    e->dns = dns_new(NULL);
    if (e->dns != NULL)
        arena_on_free(e->arena, free_resolver, e->dns);
}

static int64_t
aliases_max(const struct eval *e)
{
    int64_t n = e->conf == NULL ? 1 : e->conf->main->dns_cname_loops;
    return n < 0 ? 0 : n > RESOLVE_CNAMES_MAX ? RESOLVE_CNAMES_MAX : n;
}

/* The name in the form that the server gives; wildcards that it shows as such are no names. */
static struct str
full_name(const struct dns_reply *r)
{
    if (r->answer.answers.n == 0)
        return r->name;
    struct str owner = r->answer.answers.v[0].owner;
    return str_ieq(owner, r->name) ? owner : r->name;
}

static void
log_line(struct eval *e, struct vm *vm, struct str text)
{
    const struct host *h = vm_host(vm);
    if (e->log != NULL)
        e->log(e->log_ctx, false, text);
    else if (h != NULL && h->log != NULL)
        h->log(vm_env(vm), false, text);
}

static int64_t
milliseconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *
type_word(enum dns_type type)
{
    static const struct {
        enum dns_type type;
        const char *word;
    } words[] = {{DNS_A, "A"},     {DNS_NS, "NS"},     {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"},
                 {DNS_PTR, "PTR"}, {DNS_MX, "MX"},     {DNS_TXT, "TXT"},     {DNS_AAAA, "AAAA"},
                 {DNS_SRV, "SRV"}, {DNS_TLSA, "TLSA"}, {DNS_SPF, "SPF"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].type == type)
            return words[i].word;
    return "DNS";
}

/* slow_lookup_log */
static void
log_slow(struct eval *e, struct vm *vm, const struct dns_question *q, int64_t since_ms)
{
    int64_t most = e->conf == NULL ? 0 : e->conf->main->slow_lookup_log;
    int64_t took = most > 0 ? milliseconds_now() - since_ms : 0;
    if (took > most)
        log_line(e, vm,
                 str_printf(vm_scratch(vm), "Long %s lookup for '%.*s': %lld msec",
                            type_word(q->type), STR_ARG(q->name), (long long)took));
}

/* One question after the other, as long as the answer is an alias. */
static enum dns_status
follow(struct eval *e, struct vm *vm, struct arena *a, struct dns_question *q,
       struct resolve_answer *out)
{
    enum dns_type type = q->type;
    int64_t most = aliases_max(e);
    for (int64_t i = 0; i <= most; i++) {
        size_t at = 0;
        enum dns_status st = dns_ask(e->dns, a, q, &out->reply);
        out->secure = (i == 0 || out->secure) && is_secure(e, vm, &out->reply.answer);
        if (i == 0 || out->reply.ttl_s < out->ttl_s)
            out->ttl_s = out->reply.ttl_s;
        if (i == 0)
            out->full_name = full_name(&out->reply);
        if (st != DNS_FOUND || resolve_next(&out->reply.answer, type, &at) != NULL)
            return st;
        const struct dns_record *alias = last_alias(&out->reply.answer, out->reply.name);
        if (alias == NULL || alias->name.n == 0)
            return DNS_NO_DATA;
        q->name = alias->name;
        q->flags &= ~(unsigned)(DNS_QUALIFY_SINGLE | DNS_SEARCH_PARENTS);
    }
    log_line(
        e, vm,
        str_printf(vm_scratch(vm), "CNAME loop for %.*s encountered", STR_ARG(out->full_name)));
    return DNS_FAILED;
}

/* dns:fail. What its own action asks the DNS raises no further one. */
static void
raise_fail(struct eval *e, struct vm *vm, const struct dns_question *q, enum dns_status st)
{
    static const char *const words[] = {[DNS_NO_DATA] = "NODATA",
                                        [DNS_NO_NAME] = "NXDOMAIN",
                                        [DNS_AGAIN] = "AGAIN",
                                        [DNS_FAILED] = "FAIL"};
    if (st == DNS_FOUND || e->conf == NULL || e->dns_failed)
        return;
    const struct xstr *action = e->event_action;
    if (action == NULL)
        action = &e->conf->main->event_action;
    if (!str_is_set(action->text))
        return;
    const struct event event = {.name = "dns:fail",
                                .data = str_printf(vm_scratch(vm), "%s:%.*s:%s", words[st],
                                                   STR_ARG(q->name), type_word(q->type))};
    e->dns_failed = true;
    (void)event_raise(e, vm, action, e->event_action == NULL ? STR_NULL : e->event_where,
                      &event);
    e->dns_failed = false;
}

enum dns_status
resolve_ask(struct eval *e, struct vm *vm, struct arena *a, const struct dns_question *given,
            struct resolve_answer *out)
{
    struct dns_question q = *given;
    const struct conf_main *m = e->conf == NULL ? NULL : e->conf->main;
    *out = (struct resolve_answer){.full_name = given->name};
    if (!resolve_is_name(e, vm, given))
        return DNS_NO_NAME;
    resolve_prepare(e);
    q.flags = flags_of(e, q.flags);
    if (m != NULL && q.retrans_s == 0)
        q.retrans_s = m->dns_retrans;
    if (m != NULL && q.retry == 0)
        q.retry = m->dns_retry;
    int64_t start_ms = m != NULL && m->slow_lookup_log > 0 ? milliseconds_now() : 0;
    enum dns_status st = follow(e, vm, a, &q, out);
    log_slow(e, vm, given, start_ms);
    raise_fail(e, vm, given, st);
    if (st == DNS_AGAIN && q.type != DNS_TLSA && resolve_again_means_none(e, vm, given->name))
        return DNS_NO_NAME;
    return st;
}
