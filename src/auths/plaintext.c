/* The plaintext authenticator: PLAIN, LOGIN and other mechanisms without cryptography. */
#include "auths/auth.h"

struct auth_plaintext {
    bool client_ignore_invalid_base64;
    struct xstr client_send, server_prompts;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct auth_plaintext, client_ignore_invalid_base64, false, OPT_NO_EFFECT,
        "Puts up with prompts that are not valid base64."),
    OPT_XSTR(struct auth_plaintext, client_send, NULL, OPT_NO_EFFECT,
        "What the client sends, one item a prompt; ^ stands for a NUL."),
    OPT_LIST(struct auth_plaintext, server_prompts, NULL, OPT_NO_EFFECT,
        "Prompts that the server sends, one after the other."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "plaintext authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_plaintext),
};

const struct driver auth_plaintext = {
    .name = STR_INIT("plaintext"),
    .opts = &opts,
    .check = auth_check,
};
