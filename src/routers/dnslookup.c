/* The dnslookup router: finds the hosts of a domain in the DNS (MX, SRV, addresses). */
#include "routers/router.h"

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

const struct router_driver router_dnslookup = {
    .base =
        {
            .name = STR_INIT("dnslookup"),
            .opts = &opts,
            .check = check,
        },
};
