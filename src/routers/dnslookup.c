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
    OPT_BOOL(struct router_dnslookup, check_secondary_mx, false, 0,
        "Accepts a domain only if this host is among its MX hosts, but not the best."),
    OPT_XSTR(struct router_dnslookup, check_srv, NULL, 0,
        "Service whose SRV records are looked up before the MX records."),
    OPT_DOMAINS(struct router_dnslookup, fail_defer_domains, NULL, 0,
        "Domains for which a failure of the DNS that is not certain defers."),
    OPT_XSTR(struct router_dnslookup, ipv4_only, NULL, 0,
        "Looks up IPv4 addresses only if this expands to true."),
    OPT_XSTR(struct router_dnslookup, ipv4_prefer, NULL, 0,
        "Puts IPv4 addresses first if this expands to true."),
    OPT_DOMAINS(struct router_dnslookup, mx_domains, NULL, 0,
        "Domains that must have MX records."),
    OPT_DOMAINS(struct router_dnslookup, mx_fail_domains, NULL, 0,
        "Domains for which a failed look-up of MX counts as no such domain."),
    OPT_BOOL(struct router_dnslookup, qualify_single, true, 0,
        "Lets the resolver add the local domain to a name of one word."),
    OPT_BOOL(struct router_dnslookup, rewrite_headers, true, 0,
        "Changes a name in header lines as well when the resolver completed it."),
    OPT_BOOL(struct router_dnslookup, same_domain_copy_routing, false, 0,
        "Uses the result for other addresses of the message in the same domain."),
    OPT_BOOL(struct router_dnslookup, search_parents, false, 0,
        "Lets the resolver search parent domains to complete a name."),
    OPT_DOMAINS(struct router_dnslookup, srv_fail_domains, NULL, 0,
        "Domains for which a failed look-up of SRV counts as no such domain."),
    OPT_LIST(struct router_dnslookup, widen_domains, NULL, 0,
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

/* --- the question --- */

static unsigned
flags_of(const struct route_call *c, const struct router_dnslookup *own, struct str domain)
{
    unsigned how = route_hosts_secure(c, domain);
    how |= own->qualify_single ? (unsigned)HOST_FIND_QUALIFY_SINGLE : 0u;
    how |= own->search_parents ? (unsigned)HOST_FIND_SEARCH_PARENTS : 0u;
    how |= is_true(c, &own->ipv4_only) ? (unsigned)HOST_FIND_IPV4_ONLY : 0u;
    how |= is_true(c, &own->ipv4_prefer) ? (unsigned)HOST_FIND_IPV4_PREFER : 0u;
    return how;
}

static struct mx_find
question(const struct route_call *c, const struct router_dnslookup *own, struct str domain)
{
    struct mx_find q = {.eval = c->eval,
                        .vm = c->vm,
                        .arena = c->arena,
                        .domain = domain,
                        .srv = STR_NULL,
                        .how = flags_of(c, own, domain)};
    if (str_is_set(own->check_srv.text) &&
        vm_expand_x(c->vm, &own->check_srv, &q.srv) == VM_OK && q.srv.n > 0)
        q.srv = str_dup(c->arena, q.srv);
    else
        q.srv = STR_NULL;
    q.mx_only = route_hosts_in_domains(c, &own->mx_domains, "mx_domains", domain);
    q.mx_fail = route_hosts_in_domains(c, &own->mx_fail_domains, "mx_fail_domains", domain);
    q.srv_fail = route_hosts_in_domains(c, &own->srv_fail_domains, "srv_fail_domains", domain);
    return q;
}

/* widen_domains, expanded. A sender that is checked stays as it is unless its header lines do. */
static struct str
widenings(const struct route_call *c, const struct router_dnslookup *own)
{
    struct str more;
    if (!str_is_set(own->widen_domains.text) ||
        (c->purpose == ROUTE_FOR_SENDER_CHECK && own->rewrite_headers) ||
        vm_expand_x(c->vm, &own->widen_domains, &more) != VM_OK)
        return STR_EMPTY;
    return str_dup(c->arena, more);
}

/* One question. Hosts that are all to be ignored are none. */
static enum host_found
ask_one(const struct route_call *c, const struct mx_find *q, struct mx_found *found,
        struct route_result *out)
{
    enum host_found st = mx_find(q, found);
    if (st != HOST_FOUND)
        return st;
    bool records = found->hosts.v[0].preference >= 0;
    if (route_hosts_ignore(c, &found->hosts, out) != OUT_OK)
        return HOST_AGAIN;
    if (found->hosts.n > 0)
        return HOST_FOUND;
    found->fault = records ? MX_FAULT_NO_HOST : MX_FAULT_NONE;
    return HOST_NONE;
}

/* Asks for the domain, then with each of widen_domains behind it. */
static enum host_found
ask(const struct route_call *c, const struct router_dnslookup *own, struct mx_found *found,
    struct route_result *out)
{
    struct str domain = c->address->domain, part;
    struct strlist_split split = strlist_split_start(widenings(c, own), ':');
    for (;;) {
        const struct mx_find q = question(c, own, domain);
        enum host_found st = ask_one(c, &q, found, out);
        if (st != HOST_NONE || !strlist_split_next(&split, c->arena, &part))
            return st;
        domain = str_tainted(
            str_printf(c->arena, "%.*s.%.*s", STR_ARG(c->address->domain), STR_ARG(part)));
    }
}

/* --- the answer --- */

/* Nothing to deliver to: why. */
static void
decline(const struct route_call *c, const struct router_dnslookup *own, enum mx_fault fault,
        struct route_result *out)
{
    static const char invalid[] = "It appears that the DNS operator for %.*s\n"
                                  "has installed an invalid MX record with an IP address\n"
                                  "instead of a domain name on the right hand side.";
    struct str domain = c->address->domain;
    if (route_hosts_in_domains(c, &own->fail_defer_domains, "fail_defer_domains", domain)) {
        route_hosts_say(c, out, OUT_DEFER,
                        "missing MX, or all MXs point to missing A records, and defer "
                        "requested");
        return;
    }
    out->outcome = OUT_DECLINE;
    out->why.log = route_hosts_fault(fault);
    if (fault == MX_FAULT_SYNTAX)
        out->why.log = str_printf(c->arena, "mail domain \"%.*s\" is syntactically invalid",
                                  STR_ARG(domain));
    if (fault == MX_FAULT_ADDRESS)
        out->why.peer = str_printf(c->arena, invalid, STR_ARG(domain));
}

static void
defer(const struct route_call *c, enum mx_fault fault, struct route_result *out)
{
    const struct router_generic *g = c->router->generic.fields;
    struct str text = route_hosts_fault(fault);
    if (!str_is_set(text))
        text = STR_LIT("host lookup did not complete");
    route_hosts_say(c, out, OUT_DEFER, "%.*s", STR_ARG(text));
    if (g->pass_on_timeout && fault != MX_FAULT_INSECURE)
        out->outcome = OUT_PASS;
}

/* What the hosts are worth to this one: all, those that are better, none. */
static void
take_hosts(const struct route_call *c, const struct router_dnslookup *own,
           struct mx_found *found, struct route_result *out)
{
    struct host_targets *hosts = &found->hosts;
    bool records = hosts->v[0].preference >= 0;
    struct host_target best = hosts->v[0];
    size_t all = hosts->n;
    route_hosts_cut_local(c, hosts);
    out->outcome = OUT_DECLINE;
    if (own->check_secondary_mx && (hosts->n == all || hosts->n == 0))
        return;
    out->outcome = OUT_OK;
    if (hosts->n == 0) {
        if (found->waiting >= 0 && found->waiting < best.preference) {
            defer(c, MX_FAULT_NONE, out); /* a better one may be another host */
            return;
        }
        if (!route_hosts_self(c, records ? ROUTE_HOSTS_MX_LOCAL : ROUTE_HOSTS_ADDRESS_LOCAL,
                              best.name, out))
            return;
        hosts->n = all;
    }
    out->hosts = *hosts;
    out->copies_routing = own->same_domain_copy_routing;
}

/* True: the resolver completed the domain, so the address is another one. */
static bool
take_full_name(const struct route_call *c, const struct router_dnslookup *own,
               const struct mx_found *found, struct route_result *out)
{
    struct str full = found->full_name;
    if (str_ieq(full, c->address->domain) || full.n == 0 || full.p[0] == '*')
        return false;
    out->rerouted_domain = full;
    out->rewrite_headers = own->rewrite_headers;
    out->outcome = OUT_OK;
    return true;
}

static void
route(const struct route_call *c, struct route_result *out)
{
    const struct router_dnslookup *own = c->router->own.fields;
    struct mx_found found;
    switch (ask(c, own, &found, out)) {
    case HOST_FOUND:
        if (!take_full_name(c, own, &found, out))
            take_hosts(c, own, &found, out);
        break;
    case HOST_NONE:
        decline(c, own, found.fault, out);
        break;
    case HOST_AGAIN:
    case HOST_INSECURE:
        if (!str_is_set(out->why.log)) /* else ignore_target_hosts could not be used */
            defer(c, found.fault, out);
        break;
    }
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
