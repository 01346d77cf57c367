/* The cram_md5 authenticator: a challenge and a secret that both sides know. */
#include "auths/auth.h"

struct auth_cram_md5 {
    struct xstr client_name, client_secret, server_secret;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_cram_md5, client_name, NULL, OPT_NO_EFFECT,
        "Name with which the client logs in."),
    OPT_XSTR(struct auth_cram_md5, client_secret, NULL, OPT_NO_EFFECT,
        "Secret with which the client answers the challenge."),
    OPT_XSTR(struct auth_cram_md5, server_secret, NULL, OPT_NO_EFFECT,
        "Secret of the client's user, or a forced failure when there is none."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "cram_md5 authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_cram_md5),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    if (!driver_sets_generic(d, "public_name"))
        return driver_fault(diags, d, NULL, DRIVER_WORDS_PLAIN,
                            "no public name specified for the %.*s authenticator",
                            STR_ARG(d->name));
    return auth_check(a, d, diags);
}

const struct driver auth_cram_md5 = {
    .name = STR_INIT("cram_md5"),
    .opts = &opts,
    .check = check,
};
