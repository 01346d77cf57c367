/* The ipliteral router: sends mail for a domain literal to the address in it.
 * It has no options of its own. */
#include "routers/router.h"

static const struct opt_table opts = {
    .what = "ipliteral router",
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    return router_check_generic(d, ROUTER_TRANSPORT_REQUIRED, diags);
}

const struct router_driver router_ipliteral = {
    .base =
        {
            .name = STR_INIT("ipliteral"),
            .opts = &opts,
            .check = check,
        },
};
