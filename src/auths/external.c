/* The external authenticator: trusts what the TLS layer says of the client. */
#include "auths/auth.h"

struct auth_external {
    struct xstr client_send, server_param2, server_param3;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_external, client_send, NULL, OPT_NO_EFFECT,
        "Authorisation name that the client sends."),
    OPT_XSTR(struct auth_external, server_param2, NULL, OPT_NO_EFFECT,
        "Text for $auth2 and for server_condition."),
    OPT_XSTR(struct auth_external, server_param3, NULL, OPT_NO_EFFECT,
        "Text for $auth3 and for server_condition."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "external authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_external),
};

const struct driver auth_external = {
    .name = STR_INIT("external"),
    .opts = &opts,
    .check = auth_check,
};
