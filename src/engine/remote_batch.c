/* Batches of remote deliveries; see remote_batch.h. */
#include "engine/remote_batch.h"

#include "base/num.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/host_find.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/mua_wrapper.h"
#include "engine/transport_setup.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "transports/smtp.h"

/* --- hosts --- */

bool
remote_batch_same_host(const struct host_target *a, const struct host_target *b, bool names)
{
    return str_ieq(a->name, b->name) && str_eq(a->address, b->address) &&
           a->dnssec == b->dnssec && /* DANE has secured it, or not */
           (!(names || a->dnssec) || str_ieq(host_find_head(a), host_find_head(b)));
}

/* Where hosts with the same preference as v[from] end; without one each stands for itself. */
static size_t
group_end(const struct host_targets *l, size_t from)
{
    size_t i = from + 1;
    while (i < l->n && l->v[from].preference != -1 &&
           l->v[i].preference == l->v[from].preference)
        i++;
    return i;
}

static bool
group_has(const struct host_targets *l, size_t from, size_t end, const struct host_target *h,
          bool names)
{
    for (size_t i = from; i < end; i++)
        if (l->v[i].port == h->port && l->v[i].preference == h->preference &&
            remote_batch_same_host(&l->v[i], h, names))
            return true;
    return false;
}

bool
remote_batch_same_hosts(const struct host_targets *a, const struct host_targets *b, bool names)
{
    if (a->n != b->n)
        return false;
    for (size_t from = 0; from < a->n;) {
        size_t end = group_end(a, from);
        if (group_end(b, from) != end)
            return false;
        for (size_t i = from; i < end; i++)
            if (!group_has(b, from, end, &a->v[i], names) ||
                !group_has(a, from, end, &b->v[i], names))
                return false;
        from = end;
    }
    return true;
}

/* --- addresses --- */

/* The same, where unset and empty differ. */
static bool
same(struct str a, struct str b)
{
    return str_is_set(a) == str_is_set(b) && str_eq(a, b);
}

/* False: *why. */
static bool
read_multi_domain(struct delivery *d, struct address *a, bool *on, struct why *why)
{
    const struct opt_xbool *x = &transport_smtp_options(a->transport)->multi_domain;
    struct eval *e = d->engine->eval;
    struct address view, *outer = e->address;
    struct map *vars = e->router_vars;
    struct str text, fault = STR_NULL, name = a->transport->name;
    *on = x->on;
    if (!str_is_set(x->text.text))
        return true;
    transport_setup_view(&view, a->transport, &a, 1);
    e->address = &view;
    e->router_vars = a->router_vars;
    enum vm_status st = vm_expand_x(d->engine->vm, &x->text, &text);
    *on = st == VM_FORCED || (st == VM_OK && (str_ieqz(text, "yes") || str_ieqz(text, "true")));
    if (st != VM_OK && st != VM_FORCED)
        fault =
            str_printf(d->arena, "failed to expand \"multi_domain\" in %.*s transport: %.*s",
                       STR_ARG(name), STR_ARG(vm_error(d->engine->vm)));
    else if (!*on && !str_ieqz(text, "no") && !str_ieqz(text, "false"))
        fault = str_printf(d->arena,
                           "\"%.*s\" is not a valid value for the \"multi_domain\" option in "
                           "the %.*s transport",
                           STR_ARG(text), STR_ARG(name));
    e->address = outer;
    e->router_vars = vars;
    *why = (struct why){.outcome = OUT_ERROR, .sys_errno = WHY_UNKNOWN, .log = fault};
    return !str_is_set(fault);
}

bool
remote_batch_is_sound(struct delivery *d, struct address *a, struct why *why)
{
    bool on;
    return read_multi_domain(d, a, &on, why);
}

static bool
is_multi_domain(struct delivery *d, struct address *a)
{
    struct why why;
    bool on;
    return read_multi_domain(d, a, &on, &why) && on;
}

static bool
go_together(struct delivery *d, struct address *a, struct address *b)
{
    if (a->transport != b->transport || !same(a->errors_to, b->errors_to) ||
        !same(a->headers_add, b->headers_add) || !same(a->headers_remove, b->headers_remove))
        return false;
    bool names = transport_smtp_needs_names(transport_smtp_options(a->transport));
    if (!remote_batch_same_hosts(&a->hosts, &b->hosts, names) ||
        !remote_batch_same_hosts(&a->fallback_hosts, &b->fallback_hosts, names))
        return false;
    return str_ieq(a->domain, b->domain) || (is_multi_domain(d, a) && is_multi_domain(d, b));
}

/* --- order --- */

static bool
domain_matches(struct delivery *d, struct str domain, struct str pattern)
{
    struct list_answer answer;
    const struct list_question q = {.kind = LIST_DOMAIN,
                                    .subject = domain,
                                    .list = str_cat(d->arena, STR_LIT("<\n"), pattern),
                                    .what = STR_LIT("remote_sort_domains")};
    return list_match(d->engine->eval, d->engine->vm, &q, &answer) == OUT_OK;
}

/* Those that match the first item first, and so on; the rest last, in the order that they had. */
static void
sort_domains(struct delivery *d, struct address_vec *v)
{
    const struct xstr *option = &d->engine->conf->main->remote_sort_domains;
    struct address_vec sorted = {NULL, 0, 0};
    struct str list, item;
    if (!str_is_set(option->text) || vm_expand_x(d->engine->vm, option, &list) != VM_OK)
        return;
    bool *taken = ARENA_ARRAY(d->arena, bool, v->n);
    struct strlist_split items = strlist_split_start(str_dup(d->arena, list), ':');
    while (strlist_split_next(&items, d->arena, &item))
        for (size_t i = 0; i < v->n; i++)
            if (!taken[i] && domain_matches(d, v->v[i]->domain, item)) {
                taken[i] = true;
                vec_push(d->arena, &sorted, v->v[i]);
            }
    for (size_t i = 0; i < v->n; i++)
        if (!taken[i])
            vec_push(d->arena, &sorted, v->v[i]);
    *v = sorted;
}

/* --- batches --- */

/* With max_rcpt = 1 each address is a delivery of its own, so that options can depend on it. With deliveries in parallel, more
 * recipients than max_rcpt are shared out. SIZE_MAX: no limit. */
static size_t
batch_max(struct delivery *d, const struct address *a, size_t count, size_t parallel)
{
    const struct xstr *option = &transport_smtp_options(a->transport)->max_rcpt;
    struct str text;
    int64_t max = 0;
    if (mua_wrapper_is_on(d))
        return SIZE_MAX;
    if (vm_expand_x(d->engine->vm, option, &text) != VM_OK ||
        num_parse_int(str_trim(text), &max) != NUM_OK || max <= 0)
        return SIZE_MAX;
    if (max == 1)
        return 1;
    if (parallel < 2 || count <= (size_t)max)
        return SIZE_MAX;
    size_t share = (count + parallel - 1) / parallel;
    return share > (size_t)max ? share : (size_t)max;
}

void
remote_batches_make(struct delivery *d, struct address_vec *addresses, size_t parallel,
                    struct remote_batches *out)
{
    struct address_vec todo = *addresses;
    sort_domains(d, &todo);
    size_t count = todo.n;
    *out = (struct remote_batches){.v = {NULL, 0, 0}};
    while (todo.n > 0) {
        struct address *first = todo.v[0];
        struct address_vec batch = {NULL, 0, 0}, rest = {NULL, 0, 0};
        size_t max = batch_max(d, first, count, parallel);
        for (size_t i = 0; i < todo.n; i++) {
            struct address *a = todo.v[i];
            bool with = a == first || (batch.n < max && go_together(d, first, a));
            vec_push(d->arena, with ? &batch : &rest, a);
        }
        vec_push(d->arena, &out->v, ((struct remote_batch){.v = batch.v, .n = batch.n}));
        todo = rest;
    }
}
