/* The ipliteral router: sends mail for a domain literal to the address in it.
 * It has no options of its own. */
#include "mail/ip.h"
#include "routers/route_hosts.h"

static const struct opt_table opts = {
    .what = "ipliteral router",
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    return router_check_generic(d, ROUTER_TRANSPORT_REQUIRED, diags);
}

/* The address in "[1.2.3.4]", "[ipv4:1.2.3.4]" or "[ipv6:::1]". */
static bool
read_literal(struct str domain, struct str *address)
{
    struct ip ip;
    if (domain.n < 2 || domain.p[0] != '[' || domain.p[domain.n - 1] != ']')
        return false;
    *address = str_sub(domain, 1, domain.n - 2);
    if (str_istarts(*address, "ipv4:") || str_istarts(*address, "ipv6:"))
        *address = str_sub(*address, 5, address->n);
    return ip_parse(*address, &ip);
}

static void
route(const struct route_call *c, struct route_result *out)
{
    struct host_target host = {.name = c->address->domain, .preference = -1};
    out->outcome = OUT_DECLINE;
    if (!read_literal(c->address->domain, &host.address))
        return;
    vec_push(c->arena, &out->hosts, host);
    if (route_hosts_ignore(c, &out->hosts, out) != OUT_OK || out->hosts.n == 0)
        return;
    out->outcome = OUT_OK;
    if (route_hosts_are_local(c, &out->hosts) &&
        !route_hosts_self(c, ROUTE_HOSTS_ADDRESS_LOCAL, host.name, out))
        out->hosts.n = 0;
}

const struct router_driver router_ipliteral = {
    .base =
        {
            .name = STR_INIT("ipliteral"),
            .opts = &opts,
            .check = check,
        },
    .route = route,
};
