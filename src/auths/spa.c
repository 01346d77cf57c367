/* The spa authenticator: Microsoft's Secure Password Authentication (NTLM). */
#include "auths/auth.h"

struct auth_spa {
    struct xstr client_domain, client_password, client_username, server_password;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_spa, client_domain, NULL, OPT_NO_EFFECT,
        "Windows domain that the client names."),
    OPT_XSTR(struct auth_spa, client_password, NULL, OPT_NO_EFFECT,
        "Password of the client."),
    OPT_XSTR(struct auth_spa, client_username, NULL, OPT_NO_EFFECT,
        "Name with which the client logs in."),
    OPT_XSTR(struct auth_spa, server_password, NULL, OPT_NO_EFFECT,
        "Password of the client's user, or a forced failure when there is none."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "spa authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_spa),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    const struct auth_spa *own = d->own.fields;
    bool ok = true;
    if (str_is_set(own->client_username.text) != str_is_set(own->client_password.text))
        ok = driver_fault(diags, d, NULL, DRIVER_WORDS_FOR,
                          "one of client_username and client_password cannot be set without "
                          "the other");
    return auth_check(a, d, diags) && ok;
}

const struct auth_driver auth_spa = {
    .base =
        {
            .name = STR_INIT("spa"),
            .opts = &opts,
            .check = check,
        },
};
