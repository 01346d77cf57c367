/* The manualroute router: takes the hosts of a domain from rules in the configuration. */
#include "routers/router.h"

struct router_manualroute {
    struct str host_all_ignored, host_find_failed;
    struct opt_xbool hosts_randomize;
    struct xstr route_data, route_list;
    bool same_domain_copy_routing;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_STR(struct router_manualroute, host_all_ignored, "defer", OPT_NO_EFFECT,
        "What to do when every host is left out by ignore_target_hosts."),
    OPT_STR(struct router_manualroute, host_find_failed, "freeze", OPT_NO_EFFECT,
        "What to do when the address of a host cannot be found."),
    OPT_XBOOL(struct router_manualroute, hosts_randomize, false, OPT_NO_EFFECT,
        "Tries the hosts in an order that differs each time."),
    OPT_XSTR(struct router_manualroute, route_data, NULL, OPT_NO_EFFECT,
        "One rule, without the domain: hosts, then options."),
    OPT_LIST(struct router_manualroute, route_list, NULL, OPT_NO_EFFECT,
        "Rules by domain: a pattern, hosts, then options, with semicolons between."),
    OPT_BOOL(struct router_manualroute, same_domain_copy_routing, false, OPT_NO_EFFECT,
        "Uses the result for other addresses of the message in the same domain."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "manualroute router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_manualroute),
};

static bool
is_one_of(struct str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eqz(word, words[i]))
            return true;
    return false;
}

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    /* "ignore" makes no sense when all hosts are ignored already. */
    static const char *const actions[] = {"decline", "defer", "fail",
                                          "freeze",  "pass",  "ignore"};
    (void)a;
    const struct router_manualroute *own = d->own.fields;
    bool ok = true;
    if (!is_one_of(own->host_find_failed, actions, 6))
        ok = driver_fault(diags, d, "host_find_failed", DRIVER_WORDS_FOR,
                          "unrecognized setting for host_find_failed option");
    if (!is_one_of(own->host_all_ignored, actions, 5))
        ok = driver_fault(diags, d, "host_all_ignored", DRIVER_WORDS_FOR,
                          "unrecognized setting for host_all_ignored option");
    if (str_is_set(own->route_data.text) == str_is_set(own->route_list.text))
        ok = driver_fault(diags, d, "route_list", DRIVER_WORDS_FOR,
                          "route_list or route_data (but not both) must be specified");
    return router_check_generic(d, ROUTER_TRANSPORT_OPTIONAL, diags) && ok;
}

const struct router_driver router_manualroute = {
    .base =
        {
            .name = STR_INIT("manualroute"),
            .opts = &opts,
            .check = check,
        },
};
