/* The dovecot authenticator: asks Dovecot whether a client is who it says it is. */
#include "auths/auth.h"

struct auth_dovecot {
    struct str server_socket;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_STR(struct auth_dovecot, server_socket, NULL, OPT_NO_EFFECT,
        "Authentication socket of Dovecot."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "dovecot authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_dovecot),
};

const struct driver auth_dovecot = {
    .name = STR_INIT("dovecot"),
    .opts = &opts,
    .check = auth_check,
};
