/* Authenticators: what all of them have in common as the configuration sees them.
 *
 * An authenticator is one file with its option struct, its rows and a const object auth_NAME,
 * and one line in auths.def. The functions that talk to clients and servers come to the same
 * objects later.
 */
#ifndef REMEX_AUTHS_AUTH_H
#define REMEX_AUTHS_AUTH_H

#include "conf/conf.h"
#include "conf/driver_check.h"

/* Options of every authenticator. */
struct auth_generic {
    struct xstr client_condition, client_set_id;
    struct str driver, public_name;
    struct xstr server_advertise_condition, server_condition, server_debug_print,
        server_mail_auth_condition, server_set_id;
};

extern const struct driver_class auth_class;

#define AUTH(name) extern const struct driver auth_##name;
#include "auths/auths.def"
#undef AUTH

/* The part of every authenticator's check: without a public name the instance's own is used. */
bool auth_check(struct arena *a, struct driver_instance *d, struct diags *diags);

/* Whether the instance sets what it needs to authenticate clients. */
bool auth_is_server(const struct driver_instance *d);

#endif
