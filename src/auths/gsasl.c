/* The gsasl authenticator: mechanisms of the GNU SASL library, such as SCRAM. */
#include "auths/auth.h"

struct auth_gsasl {
    struct xstr client_authz;
    bool client_channelbinding;
    struct xstr client_password, client_spassword, client_username;
    bool server_channelbinding;
    struct xstr server_hostname, server_key;
    struct str server_mech;
    struct xstr server_password, server_realm, server_scram_iter, server_scram_salt;
    struct str server_service;
    struct xstr server_skey;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_gsasl, client_authz, NULL, OPT_NO_EFFECT,
        "Authorisation name that the client sends."),
    OPT_BOOL(struct auth_gsasl, client_channelbinding, false, OPT_NO_EFFECT,
        "Uses a mechanism with channel binding as a client."),
    OPT_XSTR(struct auth_gsasl, client_password, NULL, OPT_NO_EFFECT,
        "Password of the client."),
    OPT_XSTR(struct auth_gsasl, client_spassword, NULL, OPT_NO_EFFECT,
        "Salted password of the client, in place of the plain one."),
    OPT_XSTR(struct auth_gsasl, client_username, NULL, OPT_NO_EFFECT,
        "Name with which the client logs in."),
    OPT_BOOL(struct auth_gsasl, server_channelbinding, false, OPT_NO_EFFECT,
        "Uses mechanisms with channel binding as a server."),
    OPT_XSTR(struct auth_gsasl, server_hostname, "$primary_hostname", OPT_NO_EFFECT,
        "Host name that is given to the library."),
    OPT_XSTR(struct auth_gsasl, server_key, NULL, OPT_NO_EFFECT,
        "Stored server key of the user, for SCRAM."),
    OPT_STR(struct auth_gsasl, server_mech, "$public_name", OPT_NO_EFFECT,
        "Mechanism of the library to use."),
    OPT_XSTR(struct auth_gsasl, server_password, NULL, OPT_NO_EFFECT,
        "Password of the client's user, or a forced failure when there is none."),
    OPT_XSTR(struct auth_gsasl, server_realm, NULL, OPT_NO_EFFECT,
        "Realm that is given to the library."),
    OPT_XSTR(struct auth_gsasl, server_scram_iter, "4096", OPT_NO_EFFECT,
        "Number of iterations for SCRAM."),
    OPT_XSTR(struct auth_gsasl, server_scram_salt, NULL, OPT_NO_EFFECT,
        "Salt for SCRAM."),
    OPT_STR(struct auth_gsasl, server_service, "smtp", OPT_NO_EFFECT,
        "Service that is given to the library."),
    OPT_XSTR(struct auth_gsasl, server_skey, NULL, OPT_NO_EFFECT,
        "Stored client key of the user, for SCRAM."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "gsasl authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_gsasl),
};

const struct driver auth_gsasl = {
    .name = STR_INIT("gsasl"),
    .opts = &opts,
    .check = auth_check,
};
