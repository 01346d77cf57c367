/* The external authenticator: trusts what the TLS layer says of the client. */
#include "auths/auth_talk.h"

struct auth_external {
    struct xstr client_send, server_param2, server_param3;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_external, client_send, NULL, 0,
        "Authorisation name that the client sends."),
    OPT_XSTR(struct auth_external, server_param2, NULL, 0,
        "Text for $auth2 and for server_condition."),
    OPT_XSTR(struct auth_external, server_param3, NULL, 0,
        "Text for $auth3 and for server_condition."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "external authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_external),
};

static enum auth_end
server(struct auth_talk *t)
{
    const struct auth_external *own = t->d->own.fields;
    const struct xstr *options[] = {&own->server_param2, &own->server_param3};
    struct str data = t->initial;
    enum auth_end e = str_is_set(data) ? AUTH_OK : t->ask(t, STR_EMPTY, &data);
    if (e != AUTH_OK)
        return e;
    auth_talk_add(t, data);
    e = auth_talk_add_options(t, options, sizeof options / sizeof options[0]);
    return e == AUTH_OK ? auth_talk_server_condition(t) : e;
}

static enum auth_end
client(struct auth_talk *t)
{
    const struct auth_external *own = t->d->own.fields;
    struct str name = STR_EMPTY;
    enum auth_end e = AUTH_OK;
    if (str_is_set(own->client_send.text))
        e = auth_talk_expand(t, &own->client_send, &name);
    return e == AUTH_OK ? t->start(t, name) : e;
}

const struct auth_driver auth_external = {
    .base =
        {
            .name = STR_INIT("external"),
            .opts = &opts,
            .check = auth_check,
        },
    .server = server,
    .client = client,
};
