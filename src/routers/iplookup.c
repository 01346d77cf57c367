/* The iplookup router: asks a server by UDP or TCP for a new address. */
#include "routers/router.h"

struct router_iplookup {
    struct str hosts;
    bool optional;
    int64_t port;
    struct str protocol;
    struct xstr query, reroute;
    struct str response_pattern;
    int64_t timeout;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_STR(struct router_iplookup, hosts, NULL, OPT_NO_EFFECT,
        "Hosts that are asked."),
    OPT_BOOL(struct router_iplookup, optional, false, OPT_NO_EFFECT,
        "Declines and does not defer when no host answers."),
    OPT_INT(struct router_iplookup, port, 0, OPT_NO_EFFECT,
        "Port on which the hosts are asked."),
    OPT_STR(struct router_iplookup, protocol, NULL, OPT_NO_EFFECT,
        "Protocol of the query, udp or tcp."),
    OPT_XSTR(struct router_iplookup, query, NULL, OPT_NO_EFFECT,
        "Text of the query."),
    OPT_XSTR(struct router_iplookup, reroute, NULL, OPT_NO_EFFECT,
        "New address, made from the answer."),
    OPT_STR(struct router_iplookup, response_pattern, NULL, OPT_NO_EFFECT,
        "Pattern that an answer must match."),
    OPT_TIME(struct router_iplookup, timeout, 5, OPT_NO_EFFECT,
        "Time limit for the answer."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "iplookup router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_iplookup),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct router_iplookup *own = d->own.fields;
    bool ok = true;
    if (own->port <= 0)
        ok = driver_fault(diags, d, "port", DRIVER_WORDS_FOR, "a port must be specified");
    if (own->hosts.n == 0)
        ok = driver_fault(diags, d, "hosts", DRIVER_WORDS_FOR, "hosts must be specified");
    if (str_is_set(own->protocol) && !str_eqz(own->protocol, "udp") &&
        !str_eqz(own->protocol, "tcp"))
        ok = driver_fault(diags, d, "protocol", DRIVER_WORDS_FOR,
                          "protocol not specified as udp or tcp");
    return router_check_generic(d, ROUTER_TRANSPORT_FORBIDDEN, diags) && ok;
}

const struct router_driver router_iplookup = {
    .base =
        {
            .name = STR_INIT("iplookup"),
            .opts = &opts,
            .check = check,
        },
};
