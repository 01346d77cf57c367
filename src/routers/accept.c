/* The accept router: takes every address that its preconditions let through.
 * It has no options of its own. */
#include "routers/router.h"

static const struct opt_table opts = {
    .what = "accept router",
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    struct router_generic *g = d->generic.fields;
    if (!driver_sets_generic(d, "log_as_local"))
        g->log_as_local = true;
    return router_check_generic(d, ROUTER_TRANSPORT_REQUIRED, diags);
}

/* Whoever comes this far is taken. */
static void
route(const struct route_call *c, struct route_result *out)
{
    (void)c;
    out->outcome = OUT_OK;
}

const struct router_driver router_accept = {
    .base =
        {
            .name = STR_INIT("accept"),
            .opts = &opts,
            .check = check,
        },
    .route = route,
};
