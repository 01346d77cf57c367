/* The condition dnslists: whether DNS lists have entries for the client, or for given keys. Source: specification, "Using
 * DNS lists" and the sections after it.
 */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "mail/ip.h"
#include "sys/dns_query.h"

#include <netinet/in.h>

enum policy { POLICY_EXCLUDE, POLICY_INCLUDE, POLICY_DEFER };

/* An item: domain,domain!=&address,address/key:key */
struct dnslist {
    struct str domain;    /* that is named, and gives the text */
    struct str first;     /* that is asked first, with the addresses */
    struct str addresses; /* unset: any will do */
    bool negate, all, mask;
    struct str keys; /* unset: the client's address */
};

/* --- taking an item apart --- */

static size_t
find_operator(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (s.p[i] == '=' || s.p[i] == '&' || (s.p[i] == '!' && i + 1 < s.n))
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
    struct dnslist d = {.addresses = STR_NULL, .keys = STR_NULL};
    size_t slash = str_chr(item, '/', 0);
    if (slash != STR_NPOS)
        d.keys = str_sub(item, slash + 1, item.n);
    item = str_trim(str_sub(item, 0, slash == STR_NPOS ? item.n : slash));
    size_t op = find_operator(item);
    if (op != STR_NPOS)
        take_operator(&d, str_sub(item, op, item.n));
    item = str_trim(str_sub(item, 0, op == STR_NPOS ? item.n : op));
    size_t comma = str_chr(item, ',', 0);
    d.domain = str_trim(str_sub(item, 0, comma == STR_NPOS ? item.n : comma));
    d.first = comma == STR_NPOS ? d.domain : str_trim(str_sub(item, comma + 1, item.n));
    return d;
}

/* --- asking --- */

struct answer {
    enum dns_query_status status;
    struct str text; /* addresses, as $dnslist_value shows them */
    uint32_t ips[DNS_QUERY_MAX];
    size_t n;
};

static bool
number_of(struct str text, uint32_t *out)
{
    struct ip ip;
    if (!ip_parse(text, &ip) || ip.n != 4)
        return false;
    *out = (uint32_t)ip.b[0] << 24 | (uint32_t)ip.b[1] << 16 | (uint32_t)ip.b[2] << 8 | ip.b[3];
    return true;
}

/* Addresses outside 127/8 are not what a DNS list says. */
static void
look_up(struct acl_call *c, struct str name, struct str key, struct str domain,
        struct answer *out)
{
    struct arena *a = vm_scratch(c->r->vm);
    struct dns_query_answer found;
    struct buf b = buf_in(a, 0);
    out->n = 0;
    out->status = dns_query(a, DNS_QUERY_A, name, &found);
    for (size_t i = 0; out->status == DNS_QUERY_FOUND && i < found.records.n; i++) {
        struct str text = found.records.v[i];
        if (!number_of(text, &out->ips[out->n]))
            continue;
        if (out->ips[out->n] >> 24 != 127) {
            acl_log(c->r, ACL_LOG_MAIN,
                    "DNS list lookup for %.*s at %.*s returned %.*s; not in 127.0/8 and "
                    "discarded",
                    STR_ARG(key), STR_ARG(domain), STR_ARG(text));
            continue;
        }
        buf_printf(&b, "%s%.*s", out->n > 0 ? ", " : "", STR_ARG(text));
        out->n++;
    }
    if (out->status == DNS_QUERY_FOUND && out->n == 0)
        out->status = DNS_QUERY_NONE;
    out->text = buf_str(&b);
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
    for (size_t i = 0; i < a->n; i++)
        hits += is_listed(c, d, a->ips[i]);
    bool match = d->all ? hits == a->n : hits > 0;
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

static void
set_variables(struct acl_call *c, const struct dnslist *d, struct str key,
              const struct answer *a)
{
    struct session *s = c->r->eval->session;
    struct dns_query_answer text;
    if (s == NULL)
        return;
    s->dnslist_domain = str_dup(c->keep, d->domain);
    s->dnslist_matched = str_dup(c->keep, key);
    s->dnslist_value = str_dup(c->keep, a->text);
    s->dnslist_text = STR_NULL;
    if (dns_query(vm_scratch(c->r->vm), DNS_QUERY_TXT,
                  name_of(vm_scratch(c->r->vm), key, d->domain), &text) == DNS_QUERY_FOUND)
        s->dnslist_text = str_dup(c->keep, text.records.v[0]);
}

static enum acl_test
try_key(struct acl_call *c, const struct dnslist *d, struct str key)
{
    struct arena *a = vm_scratch(c->r->vm);
    struct answer got, other;
    look_up(c, name_of(a, key, d->first), key, d->first, &got);
    if (got.status == DNS_QUERY_AGAIN)
        return ACL_TEST_DEFER;
    if (got.status != DNS_QUERY_FOUND || !matches(c, d, &got))
        return ACL_TEST_FALSE;
    if (!str_ieq(d->first, d->domain)) {
        look_up(c, name_of(a, key, d->domain), key, d->domain, &other);
        if (other.status != DNS_QUERY_FOUND)
            return other.status == DNS_QUERY_AGAIN ? ACL_TEST_DEFER : ACL_TEST_FALSE;
    }
    set_variables(c, d, key, &got);
    return ACL_TEST_TRUE;
}

/* Any key that is listed will do; a temporary failure counts only when none is. */
static enum acl_test
try_item(struct acl_call *c, const struct dnslist *d)
{
    const struct session *s = c->r->eval->session;
    enum acl_test t = ACL_TEST_FALSE;
    struct str key;
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
        struct dnslist d = parse(one);
        enum acl_test t = try_item(c, &d);
        if (t == ACL_TEST_TRUE)
            return t;
        if (t != ACL_TEST_DEFER || policy == POLICY_EXCLUDE)
            continue;
        if (policy == POLICY_INCLUDE)
            return ACL_TEST_TRUE;
        return acl_defer(c, "DNS list lookup of %.*s deferred", STR_ARG(d.domain));
    }
    return ACL_TEST_FALSE;
}
