/* The dnslookup router: finds the hosts of a domain in the DNS (MX, SRV, addresses). */
#include "base/strlist.h"
#include "conf/eval.h"
#include "filter/expand.h"
#include "routers/route_hosts.h"

struct router_dnslookup {
    bool check_secondary_mx;
    struct xstr check_srv, fail_defer_domains, ipv4_only, ipv4_prefer, mx_domains,
        mx_fail_domains;
    bool qualify_single, rewrite_headers, same_domain_copy_routing, search_parents;
    struct xstr srv_fail_domains, widen_domains;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct router_dnslookup, check_secondary_mx, false, OPT_NO_EFFECT,
        "Accepts a domain only if this host is among its MX hosts, but not the best."),
    OPT_XSTR(struct router_dnslookup, check_srv, NULL, OPT_NO_EFFECT,
        "Service whose SRV records are looked up before the MX records."),
    OPT_DOMAINS(struct router_dnslookup, fail_defer_domains, NULL, OPT_NO_EFFECT,
        "Domains for which a failure of the DNS that is not certain defers."),
    OPT_XSTR(struct router_dnslookup, ipv4_only, NULL, OPT_NO_EFFECT,
        "Looks up IPv4 addresses only if this expands to true."),
    OPT_XSTR(struct router_dnslookup, ipv4_prefer, NULL, OPT_NO_EFFECT,
        "Puts IPv4 addresses first if this expands to true."),
    OPT_DOMAINS(struct router_dnslookup, mx_domains, NULL, OPT_NO_EFFECT,
        "Domains that must have MX records."),
    OPT_DOMAINS(struct router_dnslookup, mx_fail_domains, NULL, OPT_NO_EFFECT,
        "Domains for which a failed look-up of MX counts as no such domain."),
    OPT_BOOL(struct router_dnslookup, qualify_single, true, OPT_NO_EFFECT,
        "Lets the resolver add the local domain to a name of one word."),
    OPT_BOOL(struct router_dnslookup, rewrite_headers, true, OPT_NO_EFFECT,
        "Changes a name in header lines as well when the resolver completed it."),
    OPT_BOOL(struct router_dnslookup, same_domain_copy_routing, false, OPT_NO_EFFECT,
        "Uses the result for other addresses of the message in the same domain."),
    OPT_BOOL(struct router_dnslookup, search_parents, false, OPT_NO_EFFECT,
        "Lets the resolver search parent domains to complete a name."),
    OPT_DOMAINS(struct router_dnslookup, srv_fail_domains, NULL, OPT_NO_EFFECT,
        "Domains for which a failed look-up of SRV counts as no such domain."),
    OPT_LIST(struct router_dnslookup, widen_domains, NULL, OPT_NO_EFFECT,
        "Domains that are added one after the other to a name that was not found."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "dnslookup router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_dnslookup),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    return router_check_generic(d, ROUTER_TRANSPORT_REQUIRED, diags);
}

static bool
is_true(const struct route_call *c, const struct xstr *x)
{
    struct str text;
    return str_is_set(x->text) && vm_expand_x(c->vm, x, &text) == VM_OK && text.n > 0 &&
           !str_eqz(text, "0") && !str_ieqz(text, "no") && !str_ieqz(text, "false");
}

static struct route_mx
question(const struct route_call *c, const struct router_dnslookup *own, struct str domain)
{
    const struct router_generic *g = c->router->generic.fields;
    struct route_mx q = {.domain = domain,
                         .srv = STR_NULL,
                         .qualify_single = own->qualify_single,
                         .search_parents = own->search_parents};
    if (str_is_set(own->check_srv.text) &&
        vm_expand_x(c->vm, &own->check_srv, &q.srv) == VM_OK && q.srv.n > 0)
        q.srv = str_dup(c->arena, q.srv);
    else
        q.srv = STR_NULL;
    if (is_true(c, &own->ipv4_only))
        q.how |= ROUTE_FIND_IPV4_ONLY;
    if (is_true(c, &own->ipv4_prefer))
        q.how |= ROUTE_FIND_IPV4_PREFER;
    q.mx_only = route_hosts_in_domains(c, &own->mx_domains, "mx_domains", domain);
    q.mx_fail = route_hosts_in_domains(c, &own->mx_fail_domains, "mx_fail_domains", domain);
    q.srv_fail = route_hosts_in_domains(c, &own->srv_fail_domains, "srv_fail_domains", domain);
    q.dnssec_request =
        route_hosts_in_domains(c, &g->dnssec_request_domains, "dnssec_request_domains", domain);
    q.dnssec_require =
        route_hosts_in_domains(c, &g->dnssec_require_domains, "dnssec_require_domains", domain);
    return q;
}

/* Asks for the domain, then with each of widen_domains behind it. */
static enum outcome
ask(const struct route_call *c, const struct router_dnslookup *own, struct host_targets *found,
    struct str *fault)
{
    struct str domain = c->address->domain, more = STR_EMPTY, part;
    if (str_is_set(own->widen_domains.text) &&
        vm_expand_x(c->vm, &own->widen_domains, &more) != VM_OK)
        more = STR_EMPTY;
    struct strlist_split split = strlist_split_start(str_dup(c->arena, more), ':');
    for (;;) {
        struct route_mx q = question(c, own, domain);
        *fault = STR_NULL;
        enum outcome o = c->up->find_mx(c->up->ctx, c->arena, &q, found, fault);
        if (o != OUT_DECLINE || !strlist_split_next(&split, c->arena, &part))
            return o;
        domain = str_printf(c->arena, "%.*s.%.*s", STR_ARG(c->address->domain), STR_ARG(part));
        domain = str_tainted(domain);
    }
}

/* What the hosts are worth to this one: all, those that are better, none. */
static void
take_hosts(const struct route_call *c, const struct router_dnslookup *own,
           struct host_targets *found, struct route_result *out)
{
    out->outcome = OUT_DECLINE;
    if (route_hosts_ignore(c, found, out) != OUT_OK || found->n == 0)
        return;
    struct host_target best = found->v[0];
    size_t all = found->n;
    route_hosts_cut_local(c, found);
    if (own->check_secondary_mx && (found->n == all || found->n == 0))
        return;
    out->outcome = OUT_OK;
    if (found->n == 0) {
        enum route_hosts_local kind =
            best.preference >= 0 ? ROUTE_HOSTS_MX_LOCAL : ROUTE_HOSTS_ADDRESS_LOCAL;
        if (!route_hosts_self(c, kind, best.name, out))
            return;
        found->n = all;
    }
    out->hosts = *found;
}

static void
route(const struct route_call *c, struct route_result *out)
{
    const struct router_dnslookup *own = c->router->own.fields;
    const struct router_generic *g = c->router->generic.fields;
    struct host_targets found = {NULL, 0, 0};
    struct str fault = STR_NULL;
    if (c->up->find_mx == NULL) {
        route_hosts_say(c, out, OUT_DEFER,
                        "MX records cannot be looked up: there is no resolver");
        return;
    }
    enum outcome o = ask(c, own, &found, &fault);
    if (o == OUT_OK) {
        take_hosts(c, own, &found, out);
        return;
    }
    out->outcome = o;
    out->why.log = fault;
    if (o == OUT_DECLINE && route_hosts_in_domains(c, &own->fail_defer_domains,
                                                   "fail_defer_domains", c->address->domain))
        route_hosts_say(c, out, OUT_DEFER,
                        "missing MX, or all MXs point to missing A records, and defer "
                        "requested");
    if (o == OUT_DEFER && g->pass_on_timeout)
        out->outcome = OUT_PASS;
    else if (o == OUT_DEFER && !str_is_set(fault))
        route_hosts_say(c, out, OUT_DEFER, "host lookup did not complete");
}

const struct router_driver router_dnslookup = {
    .base =
        {
            .name = STR_INIT("dnslookup"),
            .opts = &opts,
            .check = check,
        },
    .route = route,
};
