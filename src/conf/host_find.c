/* Hosts and addresses; see host_find.h. */
#include "conf/host_find.h"

#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "sys/entropy.h"
#include "sys/hosts.h"

#include <string.h>

static const struct conf_main *
main_of(const struct eval *e)
{
    return e->conf == NULL ? NULL : e->conf->main;
}

/* --- addresses --- */

/* A question and where its results begin in out. */
struct finding {
    struct host_find *q;
    size_t from;
};

static bool
has(const struct finding *f, struct str address)
{
    for (size_t i = f->from; i < f->q->out->n; i++)
        if (str_eq(f->q->out->v[i].address, address))
            return true;
    return false;
}

struct str
host_find_head(const struct host_target *host)
{
    return str_is_set(host->head) ? host->head : host->name;
}

/* name: the host's own; the one that was asked for, q->full_name when it is complete, may be an alias. */
static void
add(const struct finding *f, struct str name, const struct ip *ip, bool secure)
{
    struct host_target one = f->q->host;
    if (name.n > 0 && name.p[0] != '*' && !str_ieq(name, one.name))
        one.name = name;
    one.head = str_ieq(f->q->full_name, one.name) ? STR_NULL : f->q->full_name;
    one.address = ip_text(f->q->arena, ip);
    one.dnssec = secure;
    if (f->q->out->n - f->from < HOST_FIND_MAX && !has(f, one.address))
        vec_push(f->q->arena, f->q->out, one);
}

static void
shuffle(struct host_target *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = entropy_below(i);
        struct host_target swap = v[i - 1];
        v[i - 1] = v[j];
        v[j] = swap;
    }
}

static bool
is_ipv6(const struct host_target *h)
{
    return str_chr(h->address, ':', 0) != STR_NPOS;
}

/* Random order, save that one kind of address comes before the other. */
static void
put_in_order(const struct finding *f)
{
    struct host_target *v = f->q->out->v + f->from;
    size_t n = f->q->out->n - f->from, k = 0;
    struct host_target *copy = ARENA_ARRAY(f->q->arena, struct host_target, n);
    shuffle(v, n);
    memcpy(copy, v, n * sizeof *v);
    for (int turn = 0; turn < 2; turn++) {
        bool ipv6 = (turn == 0) != ((f->q->how & HOST_FIND_IPV4_PREFER) != 0);
        for (size_t i = 0; i < n; i++)
            if (is_ipv6(&copy[i]) == ipv6)
                v[k++] = copy[i];
    }
}

static bool
wants_ipv6(const struct host_find *q)
{
    const struct conf_main *m = main_of(q->eval);
    if ((q->how & HOST_FIND_IPV4_ONLY) != 0)
        return false;
    return m == NULL ||
           (!m->disable_ipv6 && !resolve_in_domains(q->eval, q->vm, &m->dns_ipv4_lookup,
                                                    "dns_ipv4_lookup", q->host.name));
}

/* --- by the DNS --- */

static unsigned
dns_flags(unsigned how)
{
    unsigned f = (how & HOST_FIND_QUALIFY_SINGLE) != 0 ? (unsigned)DNS_QUALIFY_SINGLE : 0u;
    if ((how & HOST_FIND_SEARCH_PARENTS) != 0)
        f |= DNS_SEARCH_PARENTS;
    if ((how & (HOST_FIND_SECURE_ASK | HOST_FIND_SECURE_NEED)) != 0)
        f |= DNS_SECURE;
    return f;
}

static enum host_found
found_of(enum dns_status st)
{
    return st == DNS_AGAIN || st == DNS_FAILED ? HOST_AGAIN : HOST_NONE;
}

/* One type of record. */
static enum host_found
ask_addresses(const struct finding *f, enum dns_type type)
{
    struct host_find *h = f->q;
    struct resolve_answer found;
    const struct dns_question q = {
        .name = h->host.name, .type = type, .flags = dns_flags(h->how)};
    const struct dns_record *r;
    size_t at = 0;
    enum dns_status st = resolve_ask(h->eval, h->vm, h->arena, &q, &found);
    if (st != DNS_FOUND)
        return found_of(st);
    resolve_show(h->eval, q.flags, found.secure);
    if ((h->how & HOST_FIND_SECURE_NEED) != 0 && !found.secure)
        return HOST_INSECURE;
    h->full_name = found.full_name;
    while ((r = resolve_next(&found.reply.answer, type, &at)) != NULL)
        add(f, r->owner, &r->ip, found.secure && (q.flags & DNS_SECURE) != 0);
    return HOST_FOUND;
}

enum host_found
host_find_by_dns(struct host_find *q)
{
    static const enum dns_type types[] = {DNS_AAAA, DNS_A};
    const struct finding f = {.q = q, .from = q->out->n};
    enum host_found worst = HOST_NONE;
    q->full_name = q->host.name;
    for (size_t i = wants_ipv6(q) ? 0 : 1; i < 2; i++) {
        enum host_found st = ask_addresses(&f, types[i]);
        if (st == HOST_AGAIN || st == HOST_INSECURE)
            worst = st;
    }
    if (q->out->n == f.from)
        return worst;
    put_in_order(&f);
    return HOST_FOUND;
}

/* --- by the system --- */

enum host_found
host_find_by_name(struct host_find *q)
{
    const struct finding f = {.q = q, .from = q->out->n};
    struct hosts_addresses found;
    bool ipv6 = wants_ipv6(q);
    q->full_name = q->host.name;
    switch (hosts_find_addresses(q->arena, q->host.name, &found)) {
    case HOSTS_OK:
        break;
    case HOSTS_NONE:
        return HOST_NONE;
    case HOSTS_AGAIN:
        return resolve_again_means_none(q->eval, q->vm, q->host.name) ? HOST_NONE : HOST_AGAIN;
    }
    for (size_t i = 0; i < found.n; i++)
        if (ipv6 || found.v[i].n == 4)
            add(&f, found.name, &found.v[i], false);
    return q->out->n > f.from ? HOST_FOUND : HOST_NONE;
}

enum host_found
host_find_any(struct host_find *q)
{
    enum host_found st = host_find_by_dns(q);
    return st == HOST_NONE ? host_find_by_name(q) : st;
}

/* --- names --- */

struct str
host_find_reverse(struct arena *a, const struct ip *ip)
{
    return str_cat(a, ip_text_reverse(a, ip),
                   ip->n == 4 || ip_is_mapped(ip) ? STR_LIT(".in-addr.arpa")
                                                  : STR_LIT(".ip6.arpa"));
}

/* What cannot be the name of a host is no name, whoever says so. */
static bool
is_host_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.' && s.p[i] != '_')
            return false;
    return s.n > 0;
}

static enum host_found
names_by_dns(struct eval *e, struct vm *vm, const struct ip *ip, struct host_names *out)
{
    struct arena *a = vm_scratch(vm);
    struct resolve_answer found;
    const struct dns_question q = {
        .name = host_find_reverse(a, ip), .type = DNS_PTR, .flags = DNS_SECURE};
    const struct dns_record *r;
    size_t at = 0;
    enum dns_status st = resolve_ask(e, vm, a, &q, &found);
    if (st != DNS_FOUND)
        return found_of(st);
    out->secure = found.secure;
    while ((r = resolve_next(&found.reply.answer, DNS_PTR, &at)) != NULL)
        if (is_host_name(r->name) && out->v.n < HOST_FIND_MAX)
            vec_push(a, &out->v, r->name);
    return out->v.n > 0 ? HOST_FOUND : HOST_NONE;
}

static enum host_found
names_by_address(struct eval *e, struct vm *vm, const struct ip *ip, struct host_names *out)
{
    struct arena *a = vm_scratch(vm);
    struct hosts_names found;
    switch (hosts_find_names(a, ip, &found)) {
    case HOSTS_OK:
        break;
    case HOSTS_NONE:
        return HOST_NONE;
    case HOSTS_AGAIN:
        return resolve_again_means_none(e, vm, host_find_reverse(a, ip)) ? HOST_NONE
                                                                         : HOST_AGAIN;
    }
    out->secure = false;
    for (size_t i = 0; i < found.n; i++)
        if (is_host_name(found.v[i]))
            vec_push(a, &out->v, found.v[i]);
    return out->v.n > 0 ? HOST_FOUND : HOST_NONE;
}

enum host_found
host_find_names(struct eval *e, struct vm *vm, const struct ip *ip, struct host_names *out)
{
    const struct conf_main *m = main_of(e);
    struct str word, order = STR_LIT("bydns:byaddr");
    if (m != NULL)
        order = m->host_lookup_order.text;
    struct strlist_split split = strlist_split_start(order, ':');
    enum host_found st = HOST_NONE;
    memset(out, 0, sizeof *out);
    while (ip->n != 0 && st != HOST_FOUND &&
           strlist_split_next(&split, vm_scratch(vm), &word)) {
        enum host_found one = HOST_NONE;
        if (str_ieqz(word, "bydns"))
            one = names_by_dns(e, vm, ip, out);
        else if (str_ieqz(word, "byaddr"))
            one = names_by_address(e, vm, ip, out);
        if (one != HOST_NONE)
            st = one;
    }
    return st;
}
