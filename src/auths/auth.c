/* Options and checks that all authenticators have in common; see the header. */
#include "auths/auth.h"

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct auth_generic, client_condition, NULL, 0,
        "Uses the authenticator as a client only if this expands to true."),
    OPT_XSTR(struct auth_generic, client_set_id, NULL, 0,
        "Identity that is logged for a delivery that authenticated."),
    OPT_STR(struct auth_generic, driver, NULL, 0,
        "Kind of authenticator; it decides which further options there are."),
    OPT_STR(struct auth_generic, public_name, NULL, 0,
        "Name of the mechanism, as SMTP shows it."),
    OPT_XSTR(struct auth_generic, server_advertise_condition, NULL, 0,
        "Offers the mechanism only if this expands to true."),
    OPT_XSTR(struct auth_generic, server_condition, NULL, 0,
        "Says whether the credentials of a client are good."),
    OPT_XSTR(struct auth_generic, server_debug_print, NULL, 0,
        "Text that is shown when the authenticator runs with debugging on."),
    OPT_XSTR(struct auth_generic, server_mail_auth_condition, NULL, 0,
        "Says whether an AUTH= parameter of MAIL is believed."),
    OPT_XSTR(struct auth_generic, server_set_id, NULL, 0,
        "Identity of a client that has authenticated, for $authenticated_id."),
};
/* clang-format on */

static const struct opt_table generic = {
    .what = "authenticator",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct auth_generic),
};

#define AUTH(name) &auth_##name.base,
static const struct driver *const drivers[] = {
#include "auths/auths.def"
};
#undef AUTH

bool
auth_check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    (void)diags;
    struct auth_generic *g = d->generic.fields;
    if (!str_is_set(g->public_name))
        g->public_name = d->name;
    return true;
}

const struct auth_driver *
auth_driver_of(const struct driver_instance *d)
{
    return (const struct auth_driver *)d->driver;
}

/* One of these private options is set. */
static bool
sets_one(const struct driver_instance *d, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (opt_is_set(&d->own, opt_find(d->own.table, str_from_cstr(names[i]))))
            return true;
    return false;
}

bool
auth_is_server(const struct driver_instance *d)
{
    static const char *const needed[] = {"server_password", "server_secret", "server_socket"};
    return sets_one(d, needed, sizeof needed / sizeof needed[0]) ||
           driver_sets_generic(d, "server_condition");
}

bool
auth_is_client(const struct driver_instance *d)
{
    static const char *const needed[] = {"client_send", "client_secret", "client_username"};
    return sets_one(d, needed, sizeof needed / sizeof needed[0]);
}

static bool
same_server(const struct driver_instance *x, const struct driver_instance *y)
{
    const struct auth_generic *gx = x->generic.fields;
    const struct auth_generic *gy = y->generic.fields;
    return auth_is_server(x) && auth_is_server(y) && str_ieq(gx->public_name, gy->public_name);
}

/* No two servers may have the same public name. */
static bool
check_all(const struct conf *c, struct diags *diags)
{
    bool ok = true;
    for (size_t i = 0; i < c->auths.n; i++) {
        const struct driver_instance *x = c->auths.v[i];
        const struct auth_generic *g = x->generic.fields;
        for (size_t k = i + 1; k < c->auths.n; k++) {
            if (!same_server(x, c->auths.v[k]))
                continue;
            ok = driver_fault(diags, c->auths.v[k], "public_name", DRIVER_WORDS_PLAIN,
                              "two server authenticators (%.*s and %.*s) have the same public "
                              "name (%.*s)",
                              STR_ARG(x->name), STR_ARG(c->auths.v[k]->name),
                              STR_ARG(g->public_name));
        }
    }
    return ok;
}

const struct driver_class auth_class = {
    .what = "authenticator",
    .generic = &generic,
    .drivers = drivers,
    .n = sizeof drivers / sizeof drivers[0],
    .check_all = check_all,
};
