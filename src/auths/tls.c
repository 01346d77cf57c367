/* The tls authenticator: takes the client certificate as authentication, without AUTH. */
#include "auths/auth.h"

struct auth_tls {
    struct xstr server_param1, server_param2, server_param3;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_ALIAS(struct auth_tls, "server_param", server_param1, struct xstr, OPT_T_XSTR, 0, NULL,
        OPT_NO_EFFECT,
        "Another name of server_param1."),
    OPT_XSTR(struct auth_tls, server_param1, NULL, OPT_NO_EFFECT,
        "Text for $auth1, usually taken from the client's certificate."),
    OPT_XSTR(struct auth_tls, server_param2, NULL, OPT_NO_EFFECT,
        "Text for $auth2."),
    OPT_XSTR(struct auth_tls, server_param3, NULL, OPT_NO_EFFECT,
        "Text for $auth3."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "tls authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_tls),
};

const struct driver auth_tls = {
    .name = STR_INIT("tls"),
    .opts = &opts,
    .check = auth_check,
};
