/* The tls authenticator: takes the client certificate as authentication, without AUTH. */
#include "auths/auth_talk.h"

struct auth_tls {
    struct xstr server_param1, server_param2, server_param3;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_ALIAS(struct auth_tls, "server_param", server_param1, struct xstr, OPT_T_XSTR, 0, NULL,
        0,
        "Another name of server_param1."),
    OPT_XSTR(struct auth_tls, server_param1, NULL, 0,
        "Text for $auth1, usually taken from the client's certificate."),
    OPT_XSTR(struct auth_tls, server_param2, NULL, 0,
        "Text for $auth2."),
    OPT_XSTR(struct auth_tls, server_param3, NULL, 0,
        "Text for $auth3."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "tls authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_tls),
};

/* Nothing is said: what the TLS layer knows of the client stands in the options. */
static enum auth_end
server(struct auth_talk *t)
{
    const struct auth_tls *own = t->d->own.fields;
    const struct xstr *options[] = {&own->server_param1, &own->server_param2,
                                    &own->server_param3};
    enum auth_end e = auth_talk_add_options(t, options, sizeof options / sizeof options[0]);
    return e == AUTH_OK ? auth_talk_server_condition(t) : e;
}

const struct auth_driver auth_tls = {
    .base =
        {
            .name = STR_INIT("tls"),
            .opts = &opts,
            .check = auth_check,
        },
    .server = server,
};
