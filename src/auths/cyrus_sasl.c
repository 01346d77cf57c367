/* The cyrus_sasl authenticator: lets the Cyrus SASL library check clients. */
#include "auths/auth.h"

struct auth_cyrus_sasl {
    struct xstr server_hostname;
    struct str server_mech;
    struct xstr server_realm;
    struct str server_service;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_cyrus_sasl, server_hostname, "$primary_hostname", OPT_NO_EFFECT,
        "Host name that is given to the library."),
    OPT_STR(struct auth_cyrus_sasl, server_mech, "$public_name", OPT_NO_EFFECT,
        "Mechanism of the library to use."),
    OPT_XSTR(struct auth_cyrus_sasl, server_realm, NULL, OPT_NO_EFFECT,
        "Realm that is given to the library."),
    OPT_STR(struct auth_cyrus_sasl, server_service, "smtp", OPT_NO_EFFECT,
        "Service that is given to the library."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "cyrus_sasl authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_cyrus_sasl),
};

const struct auth_driver auth_cyrus_sasl = {
    .base =
        {
            .name = STR_INIT("cyrus_sasl"),
            .opts = &opts,
            .check = auth_check,
        },
};
