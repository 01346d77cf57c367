/* The heimdal_gssapi authenticator: Kerberos by the Heimdal library. */
#include "auths/auth.h"

struct auth_heimdal_gssapi {
    struct xstr server_hostname, server_keytab, server_service;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_heimdal_gssapi, server_hostname, "$primary_hostname", OPT_NO_EFFECT,
        "Host name in the principal of this server."),
    OPT_XSTR(struct auth_heimdal_gssapi, server_keytab, NULL, OPT_NO_EFFECT,
        "File with the keys of this server."),
    OPT_XSTR(struct auth_heimdal_gssapi, server_service, "smtp", OPT_NO_EFFECT,
        "Service in the principal of this server."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "heimdal_gssapi authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_heimdal_gssapi),
};

const struct auth_driver auth_heimdal_gssapi = {
    .base =
        {
            .name = STR_INIT("heimdal_gssapi"),
            .opts = &opts,
            .check = auth_check,
        },
};
