/* Authenticators: what all of them have in common as the configuration sees them.
 *
 * An authenticator is one file with its option struct, its rows and a const object auth_NAME,
 * and one line in auths.def. How they talk to clients and servers is auth_talk.h's.
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

/* How an exchange ends. */
enum auth_end {
    AUTH_OK,
    AUTH_FAIL,
    AUTH_DEFER, /* text says why */
    /* As a server: */
    AUTH_CANCELLED,  /* by the client */
    AUTH_BASE64,     /* what it said is none */
    AUTH_UNEXPECTED, /* it came with data that it should have kept */
    AUTH_LOST,       /* nothing came */
    /* As a client: */
    AUTH_SKIP,    /* a forced failure: another authenticator may do */
    AUTH_REFUSED, /* by the server, for good: reply; another may do */
    AUTH_BROKEN,  /* the connection */
};

struct auth_talk; /* auths/auth_talk.h */

struct auth_driver {
    struct driver base; /* first, so that a struct driver can be turned into its auth_driver */
    /* Authenticates a client. NULL: not as a server. */
    enum auth_end (*server)(struct auth_talk *t);
    /* Authenticates to a server. NULL: not as a client. */
    enum auth_end (*client)(struct auth_talk *t);
};

extern const struct driver_class auth_class;

/* The driver of an instance of auth_class. */
const struct auth_driver *auth_driver_of(const struct driver_instance *d);

#define AUTH(name) extern const struct auth_driver auth_##name;
#include "auths/auths.def"
#undef AUTH

/* The part of every authenticator's check: without a public name the instance's own is used. */
bool auth_check(struct arena *a, struct driver_instance *d, struct diags *diags);

/* Whether the instance sets what it needs to authenticate clients, or to authenticate to servers. */
bool auth_is_server(const struct driver_instance *d);
bool auth_is_client(const struct driver_instance *d);

#endif
