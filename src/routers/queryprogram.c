/* The queryprogram router: runs a command that says what to do with an address. */
#include "routers/router.h"

struct router_queryprogram {
    struct xstr command;
    struct opt_id command_group, command_user;
    struct str current_directory;
    int64_t timeout;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct router_queryprogram, command, NULL, OPT_NO_EFFECT,
        "Command whose output says what to do with the address."),
    OPT_GID(struct router_queryprogram, command_group, NULL, OPT_NO_EFFECT,
        "Group under which the command runs."),
    OPT_UID(struct router_queryprogram, command_user, NULL, OPT_NO_EFFECT,
        "User as whom the command runs."),
    OPT_STR(struct router_queryprogram, current_directory, "/", OPT_NO_EFFECT,
        "Folder in which the command runs."),
    OPT_TIME(struct router_queryprogram, timeout, 1 * 3600, OPT_NO_EFFECT,
        "Time limit for the command."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "queryprogram router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_queryprogram),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct router_queryprogram *own = d->own.fields;
    bool ok = true;
    if (!driver_has(own->command))
        ok = driver_fault(diags, d, "command", DRIVER_WORDS_FOR,
                          "a command specification is required");
    if (!driver_sets_own(d, "command_user"))
        ok = driver_fault(diags, d, NULL, DRIVER_WORDS_FOR, "command_user must be specified");
    return router_check_generic(d, ROUTER_TRANSPORT_OPTIONAL, diags) && ok;
}

const struct router_driver router_queryprogram = {
    .base =
        {
            .name = STR_INIT("queryprogram"),
            .opts = &opts,
            .check = check,
        },
};
