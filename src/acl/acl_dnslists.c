/* The condition dnslists: whether DNS lists have entries for the client, or for given keys. Source: specification, "Using
 * DNS lists" and the sections after it.
 */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "conf/resolve.h"
#include "mail/ip.h"
#include "sys/log_selector.h"

#include <string.h>

enum policy { POLICY_EXCLUDE, POLICY_INCLUDE, POLICY_DEFER };

/* An item: domain,domain!=&address,address/key:key */
struct dnslist {
    struct str domain;    /* that is named, and gives the text */
    struct str first;     /* that is asked first, with the addresses */
    struct str addresses; /* unset: any will do */
    bool negate, all, mask;
    struct str keys;    /* unset: the client's address */
    struct str unknown; /* the key that could not be looked up */
};

/* --- taking an item apart --- */

static bool
is_operator(struct str s, uint32_t i)
{
    return i < s.n && (s.p[i] == '=' || s.p[i] == '&');
}

static size_t
find_operator(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (is_operator(s, i) || (s.p[i] == '!' && is_operator(s, i + 1)))
            return i;
    return STR_NPOS;
}

static void
take_operator(struct dnslist *d, struct str s)
{
    d->negate = str_starts(s, "!");
    if (d->negate)
        s = str_sub(s, 1, s.n);
    d->all = str_starts(s, "==") || str_starts(s, "=&");
    if (d->all)
        s = str_sub(s, 1, s.n);
    d->mask = str_starts(s, "&");
    d->addresses = str_trim(str_sub(s, 1, s.n));
}

static struct dnslist
parse(struct str item)
{
    struct dnslist d = {.addresses = STR_NULL, .keys = STR_NULL, .unknown = STR_NULL};
    size_t slash = str_chr(item, '/', 0);
    if (slash != STR_NPOS)
        d.keys = str_sub(item, slash + 1, item.n);
    item = str_trim(str_sub(item, 0, slash == STR_NPOS ? item.n : slash));
    size_t op = find_operator(item);
    if (op != STR_NPOS)
        take_operator(&d, str_sub(item, op, item.n));
    item = str_sub(item, 0, op == STR_NPOS ? item.n : op);
    size_t comma = str_chr(item, ',', 0);
    d.domain = str_sub(item, 0, comma == STR_NPOS ? item.n : comma);
    d.first = comma == STR_NPOS ? d.domain : str_trim(str_sub(item, comma + 1, item.n));
    return d;
}

/* --- asking --- */

struct answer {
    enum dns_status status;
    struct str text;   /* addresses, as $dnslist_value shows them */
    VEC(uint32_t) ips; /* of them those that a DNS list may have */
};

static bool
is_again(const struct answer *a)
{
    return a->status == DNS_AGAIN || a->status == DNS_FAILED;
}

static uint32_t
number(const struct ip *ip)
{
    return (uint32_t)ip->b[0] << 24 | (uint32_t)ip->b[1] << 16 | (uint32_t)ip->b[2] << 8 |
           ip->b[3];
}

static bool
number_of(struct str text, uint32_t *out)
{
    struct ip ip;
    if (!ip_parse(text, &ip) || ip.n != 4)
        return false;
    *out = number(&ip);
    return true;
}

static enum dns_status
ask(struct acl_call *c, struct str name, enum dns_type type, struct resolve_answer *out)
{
    const struct dns_question q = {.name = name, .type = type};
    return resolve_ask(c->r->eval, c->r->vm, vm_scratch(c->r->vm), &q, out);
}

/* Addresses outside 127/8 are not what a DNS list says. */
static void
look_up(struct acl_call *c, struct str name, struct str key, struct str domain,
        struct answer *out)
{
    struct arena *a = vm_scratch(c->r->vm);
    struct resolve_answer found;
    struct buf b = buf_in(a, 0);
    const struct dns_record *r;
    size_t at = 0;
    memset(out, 0, sizeof *out);
    out->status = ask(c, name, DNS_A, &found);
    while (out->status == DNS_FOUND &&
           (r = resolve_next(&found.reply.answer, DNS_A, &at)) != NULL) {
        struct str text = ip_text(a, &r->ip);
        buf_printf(&b, "%s%.*s", b.n > 0 ? ", " : "", STR_ARG(text));
        if (r->ip.b[0] != 127) {
            acl_log(c->r, ACL_LOG_MAIN,
                    "DNS list lookup for %.*s at %.*s returned %.*s; not in 127.0/8 and "
                    "discarded",
                    STR_ARG(key), STR_ARG(domain), STR_ARG(text));
            continue;
        }
        vec_push(a, &out->ips, number(&r->ip));
    }
    if (out->status == DNS_FOUND && out->ips.n == 0)
        out->status = DNS_NO_DATA;
    out->text = str_tainted(buf_str(&b));
}

static bool
is_listed(struct acl_call *c, const struct dnslist *d, uint32_t ip)
{
    struct strlist_split l = strlist_split_start(d->addresses, ',');
    struct str one;
    uint32_t given;
    while (strlist_split_next(&l, vm_scratch(c->r->vm), &one))
        if (number_of(one, &given) && (d->mask ? (ip & given) == given : ip == given))
            return true;
    return false;
}

static bool
matches(struct acl_call *c, const struct dnslist *d, const struct answer *a)
{
    size_t hits = 0;
    if (!str_is_set(d->addresses))
        return true;
    for (size_t i = 0; i < a->ips.n; i++)
        hits += is_listed(c, d, a->ips.v[i]);
    bool match = d->all ? hits == a->ips.n : hits > 0;
    return match != d->negate;
}

static struct str
name_of(struct arena *a, struct str key, struct str domain)
{
    struct ip ip;
    if (ip_parse(key, &ip))
        key = ip_text_reverse(a, &ip);
    return str_printf(a, "%.*s.%.*s", STR_ARG(key), STR_ARG(domain));
}

/* The first string of the TXT record that goes with an entry. */
static struct str
entry_text(struct acl_call *c, struct str name)
{
    struct resolve_answer found;
    size_t at = 0;
    struct str rest, text;
    if (ask(c, name, DNS_TXT, &found) != DNS_FOUND)
        return STR_NULL;
    rest = resolve_next(&found.reply.answer, DNS_TXT, &at)->bytes;
    return dns_answer_next_text(&rest, &text) ? str_dup(c->keep, text) : STR_NULL;
}

/* a: NULL: it is unknown, and counts as listed. */
static void
set_variables(struct acl_call *c, const struct dnslist *d, struct str key,
              const struct answer *a)
{
    struct session *s = c->r->eval->session;
    if (s == NULL)
        return;
    s->dnslist_domain = str_dup(c->keep, d->domain);
    s->dnslist_matched = str_dup(c->keep, key);
    s->dnslist_value = s->dnslist_text = STR_NULL;
    if (a == NULL)
        return;
    s->dnslist_value = str_dup(c->keep, a->text);
    s->dnslist_text = entry_text(c, name_of(vm_scratch(c->r->vm), key, d->domain));
}

static enum acl_test
try_key(struct acl_call *c, struct dnslist *d, struct str key)
{
    struct arena *a = vm_scratch(c->r->vm);
    struct answer got, other;
    look_up(c, name_of(a, key, d->first), key, d->first, &got);
    if (is_again(&got)) {
        d->unknown = key;
        return ACL_TEST_DEFER;
    }
    if (got.status != DNS_FOUND || !matches(c, d, &got))
        return ACL_TEST_FALSE;
    if (!str_ieq(d->first, d->domain)) {
        look_up(c, name_of(a, key, d->domain), key, d->domain, &other);
        if (is_again(&other))
            d->unknown = key;
        if (other.status != DNS_FOUND)
            return is_again(&other) ? ACL_TEST_DEFER : ACL_TEST_FALSE;
        got = other;
    }
    set_variables(c, d, key, &got);
    return ACL_TEST_TRUE;
}

/* Most likely a mistake, such as an exclamation mark; asked for all the same. */
static void
check_domain(struct acl_call *c, struct str domain)
{
    for (size_t i = 0; i < domain.n; i++) {
        if (ascii_alnum(domain.p[i]) || strchr("-._", domain.p[i]) != NULL)
            continue;
        acl_log(c->r, ACL_LOG_MAIN,
                "dnslists domain \"%.*s\" contains strange characters - is this right?",
                STR_ARG(domain));
        return;
    }
}

/* Any key that is listed will do; a temporary failure counts only when none is. */
static enum acl_test
try_item(struct acl_call *c, struct dnslist *d)
{
    const struct session *s = c->r->eval->session;
    enum acl_test t = ACL_TEST_FALSE;
    struct str key;
    check_domain(c, d->domain);
    if (!str_is_set(d->keys)) {
        if (s == NULL || !str_is_set(s->sender_host_address))
            return ACL_TEST_FALSE;
        return try_key(c, d, s->sender_host_address);
    }
    struct strlist_split l = strlist_split_start(d->keys, ':');
    while (strlist_split_next(&l, vm_scratch(c->r->vm), &key)) {
        enum acl_test one = key.n == 0 ? ACL_TEST_FALSE : try_key(c, d, key);
        if (one == ACL_TEST_TRUE)
            return one;
        if (one == ACL_TEST_DEFER)
            t = one;
    }
    return t;
}

static bool
is_policy(struct str item, enum policy *p)
{
    if (str_ieqz(item, "+include_unknown"))
        *p = POLICY_INCLUDE;
    else if (str_ieqz(item, "+exclude_unknown"))
        *p = POLICY_EXCLUDE;
    else if (str_ieqz(item, "+defer_unknown"))
        *p = POLICY_DEFER;
    else
        return false;
    return true;
}

/* What becomes of an item that could not be looked up. */
static enum acl_test
settle(struct acl_call *c, const struct dnslist *d, enum policy policy)
{
    static const struct {
        const char *words;
        enum acl_test test;
    } ends[] = {
        [POLICY_EXCLUDE] = {"assumed not in list", ACL_TEST_FALSE},
        [POLICY_INCLUDE] = {"assumed in list", ACL_TEST_TRUE},
        [POLICY_DEFER] = {"returned DEFER", ACL_TEST_DEFER},
    };
    const struct acl_up *up = c->r->up;
    if (up == NULL || up->selected == NULL || up->selected(up->ctx, LOG_SELECTOR_DNSLIST_DEFER))
        acl_log(c->r, ACL_LOG_MAIN, "DNS list lookup defer (probably timeout) for %.*s: %s",
                STR_ARG(name_of(vm_scratch(c->r->vm), d->unknown, d->first)),
                ends[policy].words);
    if (policy == POLICY_INCLUDE)
        set_variables(c, d, d->unknown, NULL);
    return ends[policy].test;
}

enum acl_test
acl_cond_dnslists(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct strlist_split l = strlist_split_start(arg, ':');
    enum policy policy = POLICY_EXCLUDE;
    struct str one;
    (void)item;
    while (strlist_split_next(&l, vm_scratch(c->r->vm), &one)) {
        if (one.n == 0 || is_policy(one, &policy))
            continue;
        if (one.p[0] == '+') {
            acl_log(c->r, ACL_LOG_MAIN, "unknown item in dnslist (ignored): %.*s",
                    STR_ARG(one));
            continue;
        }
        struct dnslist d = parse(one);
        enum acl_test t = try_item(c, &d);
        if (t == ACL_TEST_DEFER)
            t = settle(c, &d, policy);
        if (t != ACL_TEST_FALSE)
            return t;
    }
    return ACL_TEST_FALSE;
}
