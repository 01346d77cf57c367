/* Connections to LDAP servers: where a server is, opening, TLS, binding. They stay open for the next lookup. */
#ifndef REMEX_PLUGINS_LDAP_LDAP_SERVER_H
#define REMEX_PLUGINS_LDAP_LDAP_SERVER_H

#include "plugins/ldap/ldap_query.h"

#include <ldap.h>

struct conf_main;

enum { LDAP_WAIT_S = 300 }; /* the longest wait for an answer when the query names none */

/* Where a server is. */
struct ldap_server {
    struct str uri;  /* empty: what the library has by default */
    struct str name; /* for messages */
    bool socket;     /* a UNIX socket, never encrypted */
    bool tls;        /* ldaps */
};

/* scheme: of the URL, in lower case; item: host, host:port, [address]:port, a path, or empty. False: *why. */
bool ldap_server_read(struct arena *a, struct str scheme, struct str item,
                      struct ldap_server *out, struct str *why);

struct ldap_pool;
struct ldap_pool *ldap_pool_new(void);
void ldap_pool_free(struct ldap_pool *pool);

enum ldap_bound { LDAP_BOUND, LDAP_REFUSED, LDAP_FAILED };

struct ldap_connection {
    LDAP *ld;
    bool used; /* it had been open before: when it turns out to be dead, a new one may do */
};

/* What a connection is opened for. */
struct ldap_request {
    struct arena *arena;
    const struct conf_main *main; /* may be NULL */
    const struct ldap_query *query;
    const struct ldap_server *server;
    bool ask_again; /* bind even when the connection is bound as that user */
};

/* A connection that is bound as the query's user. LDAP_REFUSED: the server does not accept user and password;
 * LDAP_FAILED and LDAP_REFUSED: *why in Exim's words. */
enum ldap_bound ldap_pool_bind(struct ldap_pool *pool, const struct ldap_request *rq,
                               struct ldap_connection *out, struct str *why);
/* Closes a connection that is of no more use. */
void ldap_pool_drop(struct ldap_pool *pool, LDAP *ld);
/* The longest wait for an answer. */
struct timeval ldap_query_wait(const struct ldap_query *q);

#endif
