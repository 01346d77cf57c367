/* Hosts of mail domains; see mx_find.h. */
#include "conf/mx_find.h"

#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "sys/entropy.h"

#include <string.h>

enum {
    RECORDS_MAX = 128,  /* the best of the MX or SRV records; a stranger wrote them */
    TARGETS_MAX = 4096, /* addresses of them all */
    FAILURES_MAX =
        8, /* hosts that the DNS has no answer for: each can take as long as it waits */
};

/* What a record says. */
struct exchanger {
    struct str name;
    int64_t preference, port;
    uint32_t weight;
    uint64_t order; /* of those with equal preference */
};

struct finding {
    const struct mx_find *q;
    struct mx_found *out;
    VEC(struct exchanger) list;
    bool secure; /* the records were */
    bool weighted;
};

static unsigned
dns_flags(unsigned how, bool completes)
{
    unsigned f = 0;
    if (completes && (how & HOST_FIND_QUALIFY_SINGLE) != 0)
        f |= DNS_QUALIFY_SINGLE;
    if (completes && (how & HOST_FIND_SEARCH_PARENTS) != 0)
        f |= DNS_SEARCH_PARENTS;
    if ((how & (HOST_FIND_SECURE_ASK | HOST_FIND_SECURE_NEED)) != 0)
        f |= DNS_SECURE;
    return f;
}

static enum host_found
insecure(struct mx_found *out)
{
    out->fault = MX_FAULT_INSECURE;
    return HOST_AGAIN;
}

/* --- order --- */

static int
compare(const struct exchanger *x, const struct exchanger *y)
{
    if (x->preference != y->preference)
        return x->preference < y->preference ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void
sort(struct finding *f)
{
    for (size_t i = 1; i < f->list.n; i++) {
        struct exchanger one = f->list.v[i];
        size_t k = i;
        for (; k > 0 && compare(&one, &f->list.v[k - 1]) < 0; k--)
            f->list.v[k] = f->list.v[k - 1];
        f->list.v[k] = one;
    }
}

/* Among v[0, n), which are equal, each comes first with a chance by its weight (RFC 2782, "Weight"). */
static void
pick_by_weight(struct exchanger *v, size_t n)
{
    for (size_t done = 0; done + 1 < n; done++) {
        uint64_t sum = 0, so_far = 0;
        for (size_t i = done; i < n; i++)
            sum += v[i].weight;
        uint64_t at = entropy_below(sum + 1);
        for (size_t i = done; i < n; i++) {
            so_far += v[i].weight;
            if (so_far < at)
                continue;
            struct exchanger chosen = v[i];
            memmove(&v[done + 1], &v[done], (i - done) * sizeof *v);
            v[done] = chosen;
            break;
        }
    }
}

static void
put_in_order(struct finding *f)
{
    for (size_t i = 0; i < f->list.n; i++) /* those without weight first, as the RFC has it */
        f->list.v[i].order =
            f->weighted && f->list.v[i].weight == 0 ? 0 : 1 + entropy_below(UINT32_MAX);
    sort(f);
    for (size_t i = 0, end; f->weighted && i < f->list.n; i = end) {
        for (end = i + 1; end < f->list.n; end++)
            if (f->list.v[end].preference != f->list.v[i].preference)
                break;
        pick_by_weight(&f->list.v[i], end - i);
    }
}

/* --- addresses --- */

static bool
has_target(const struct mx_found *out, const struct host_target *h)
{
    for (size_t i = 0; i < out->hosts.n; i++)
        if (str_eq(out->hosts.v[i].address, h->address) &&
            str_ieq(out->hosts.v[i].name, h->name))
            return true;
    return false;
}

static void
take_targets(struct finding *f, const struct host_targets *found)
{
    for (size_t i = 0; i < found->n && f->out->hosts.n < TARGETS_MAX; i++) {
        struct host_target one = found->v[i];
        one.dnssec = one.dnssec && f->secure;
        if (!has_target(f->out, &one))
            vec_push(f->q->arena, &f->out->hosts, one);
    }
}

/* A record with an address in place of a name (allow_mx_to_ip). */
static bool
take_address(struct finding *f, const struct exchanger *x)
{
    struct ip ip;
    const struct conf *c = f->q->eval->conf;
    if (!ip_parse(x->name, &ip))
        return false;
    struct host_target one = {.name = x->name, .address = x->name, .preference = x->preference};
    one.port = f->q->port > 0 ? f->q->port : x->port;
    if (c != NULL && c->main->allow_mx_to_ip)
        take_targets(f, &(const struct host_targets){&one, 1, 1});
    else
        f->out->fault = MX_FAULT_ADDRESS;
    return true;
}

static enum host_found
find_one(struct finding *f, const struct exchanger *x)
{
    const struct mx_find *q = f->q;
    struct host_targets found = {NULL, 0, 0};
    struct host_find h = {
        .eval = q->eval,
        .vm = q->vm,
        .arena = q->arena,
        .how = q->how & ~(unsigned)(HOST_FIND_QUALIFY_SINGLE | HOST_FIND_SEARCH_PARENTS),
        .out = &found};
    h.host = (struct host_target){
        .name = x->name, .preference = x->preference, .port = q->port > 0 ? q->port : x->port};
    enum host_found st = host_find_by_dns(&h);
    take_targets(f, &found);
    return st;
}

/* Those of the list, in its order. */
static enum host_found
find_all(struct finding *f)
{
    size_t failures = 0;
    bool unsafe = false;
    struct mx_found *out = f->out;
    for (size_t i = 0; i < f->list.n && failures < FAILURES_MAX; i++) {
        const struct exchanger *x = &f->list.v[i];
        if (take_address(f, x))
            continue;
        enum host_found st = find_one(f, x);
        if ((st == HOST_AGAIN || st == HOST_INSECURE) && out->waiting < 0)
            out->waiting = x->preference;
        failures += st == HOST_AGAIN;
        unsafe = unsafe || st == HOST_INSECURE;
    }
    if (out->hosts.n > 0) {
        out->fault = MX_FAULT_NONE;
        return HOST_FOUND;
    }
    if (unsafe)
        return insecure(out);
    if (failures > 0)
        return HOST_AGAIN;
    if (out->fault == MX_FAULT_NONE)
        out->fault = MX_FAULT_NO_HOST;
    return HOST_NONE;
}

/* --- records --- */

/* HOST_FOUND: f->list has the hosts; HOST_NONE: there are no such records, or out->fault says what they are. */
static enum host_found
take_records(struct finding *f, const struct resolve_answer *found, enum dns_type type)
{
    const struct dns_record *r;
    size_t at = 0;
    f->secure = found->secure;
    f->weighted = type == DNS_SRV;
    if ((f->q->how & HOST_FIND_SECURE_NEED) != 0 && !found->secure)
        return insecure(f->out);
    while ((r = resolve_next(&found->reply.answer, type, &at)) != NULL) {
        struct exchanger one = {.name = r->name, .preference = r->number[0]};
        if (type == DNS_SRV) {
            one.weight = r->number[1];
            one.port = r->number[2];
        }
        vec_push(f->q->arena, &f->list, one);
    }
    if (f->list.n == 1 && f->list.v[0].name.n == 0) {
        f->out->fault = MX_FAULT_NO_SERVICE;
        return HOST_NONE;
    }
    put_in_order(f);
    if (f->list.n > RECORDS_MAX)
        f->list.n = RECORDS_MAX;
    return HOST_FOUND;
}

static enum host_found
ask(struct finding *f, const struct dns_question *dq, bool fails)
{
    struct resolve_answer found;
    const struct mx_find *q = f->q;
    enum dns_status st = resolve_ask(q->eval, q->vm, q->arena, dq, &found);
    if (st == DNS_FOUND || st == DNS_NO_DATA)
        resolve_show(q->eval, dq->flags, found.secure);
    if (dq->type == DNS_MX && (st == DNS_FOUND || st == DNS_NO_DATA))
        f->out->full_name = found.full_name;
    if (st == DNS_AGAIN || st == DNS_FAILED)
        return fails ? HOST_NONE : HOST_AGAIN;
    return st == DNS_FOUND ? take_records(f, &found, dq->type) : HOST_NONE;
}

static enum host_found
ask_srv(struct finding *f)
{
    const struct mx_find *q = f->q;
    struct str service;
    struct strlist_split split = strlist_split_start(q->srv, ':');
    while (strlist_split_next(&split, q->arena, &service)) {
        if (service.n == 0)
            continue;
        const struct dns_question dq = {
            .name =
                str_printf(q->arena, "_%.*s._tcp.%.*s", STR_ARG(service), STR_ARG(q->domain)),
            .type = DNS_SRV,
            .flags = dns_flags(q->how, true)};
        enum host_found st = ask(f, &dq, q->srv_fail);
        if (st != HOST_NONE || f->out->fault != MX_FAULT_NONE)
            return st;
    }
    return HOST_NONE;
}

static enum host_found
ask_mx(struct finding *f)
{
    const struct dns_question dq = {
        .name = f->q->domain, .type = DNS_MX, .flags = dns_flags(f->q->how, true)};
    return ask(f, &dq, f->q->mx_fail);
}

/* The domain as a host. */
static enum host_found
find_domain(struct finding *f)
{
    const struct mx_find *q = f->q;
    struct host_find h = {
        .eval = q->eval, .vm = q->vm, .arena = q->arena, .how = q->how, .out = &f->out->hosts};
    h.host = (struct host_target){.name = q->domain, .preference = -1, .port = q->port};
    enum host_found st = host_find_by_dns(&h);
    f->out->full_name = h.full_name;
    return st == HOST_INSECURE ? insecure(f->out) : st;
}

enum host_found
mx_find(const struct mx_find *q, struct mx_found *out)
{
    struct finding f = {.q = q, .out = out};
    *out = (struct mx_found){.full_name = q->domain, .waiting = -1};
    const struct dns_question dq = {.name = q->domain, .type = DNS_MX};
    if (!resolve_is_name(q->eval, q->vm, &dq)) {
        out->fault = MX_FAULT_SYNTAX;
        return HOST_NONE;
    }
    enum host_found st = str_is_set(q->srv) ? ask_srv(&f) : HOST_NONE;
    if (st == HOST_NONE && out->fault == MX_FAULT_NONE)
        st = ask_mx(&f);
    if (st == HOST_FOUND)
        return find_all(&f);
    if (st != HOST_NONE || out->fault != MX_FAULT_NONE || q->mx_only)
        return st;
    return find_domain(&f);
}
