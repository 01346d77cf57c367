/* Lists of database servers, and connections that stay open: what the lookups mysql, pgsql and redis have in common.
 *
 * The servers are those of the option servers= of the type, of `servers=…;` at the start of the query, or of a main
 * option. They are tried in turn until one has processed the query. A pool belongs to one lookup handle and so to one
 * thread.
 * Source: specification, sections "More about MySQL, …" and "Specifying the server in the query".
 */
#ifndef REMEX_LOOKUPS_SQL_SERVER_H
#define REMEX_LOOKUPS_SQL_SERVER_H

#include "lookups/lookup_driver.h"

PLUGIN_API_BEGIN

enum { SQL_WAIT_S = 300 }; /* the longest wait for a server */

/* One item of a list, taken apart. Parts that the kind does not have are unset. */
struct sql_server {
    struct str item; /* as written: what a connection is known by */
    struct str host; /* with all that may stand round a host: port, socket, group */
    struct str database, user, password;
};

/* How a server did. */
enum sql_end {
    SQL_FOUND,     /* *data */
    SQL_NOT_FOUND, /* processed: there is nothing */
    SQL_NEXT,      /* *why; the next server may do */
};

struct sql_pool;

struct sql_query {
    struct lookup_ctx *c;
    struct sql_pool *pool;
    struct str text;
    struct str why; /* of SQL_NEXT */
};

struct sql_kind {
    const char *name;       /* for messages: "MySQL" */
    const char *short_name; /* in "incomplete … server data" */
    const char *option;     /* name of the main option */
    bool
        has_user; /* host/database/user/password; else host/database/password, with an end that may be missing */
    enum sql_end (*ask)(struct sql_query *q, const struct sql_server *s, struct str *data);
    /* Of a connection: closes it; the descriptor on which an idle one must be silent. */
    void (*close)(void *connection);
    int (*descriptor)(void *connection);
};

/* Runs a query; list is the value of the main option. Like a driver's find. */
enum outcome sql_server_find(const struct sql_kind *kind, struct lookup_ctx *c, void *pool,
                             struct str list, struct str query, struct str *data);

/* A driver's open, check and close: the handle is the pool. */
void *sql_pool_open(const struct sql_kind *kind, struct lookup_ctx *c);
bool sql_pool_check(struct lookup_ctx *c, void *pool, const char *file);
void sql_pool_close(void *pool);
/* The open connection of the server, or NULL. One on which the server has said something by itself (mostly: goodbye) is
 * closed. */
void *sql_pool_get(struct sql_pool *pool, const struct sql_server *s);
void sql_pool_put(struct sql_pool *pool, const struct sql_server *s, void *connection);
/* Closes a connection that is of no more use. */
void sql_pool_drop(struct sql_pool *pool, void *connection);

PLUGIN_API_END

#endif
