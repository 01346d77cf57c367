/* Connections that a delivery process keeps open for a moment, so that what comes next for their destination goes over them; and how many
 * connections there are to one destination at once.
 *
 * A connection is kept only when its destination had another message shortly before: one message alone costs the other side no waiting
 * connection. It is kept only when every message would get the same one: with options that depend on a message, an authenticator, or events
 * it is closed. A destination is an address and a port. The limit (deliver_host_connections) holds for all processes on the spool: a place is
 * a lock on one byte of a file in the spool's db folder, so that it ends with the process that has it.
 */
#ifndef REMEX_ENGINE_REMOTE_POOL_H
#define REMEX_ENGINE_REMOTE_POOL_H

#include "engine/remote_kept.h"

enum {
    REMOTE_POOL_MAX =
        8, /* connections that are kept; the one that was kept longest goes for another */
    REMOTE_POOL_RECENT_MS = 5000,  /* how long ago the message before may have gone */
    REMOTE_POOL_KEEP_MS = 2000,    /* how long one is kept */
    REMOTE_POOL_PLACES_MAX = 4096, /* of one destination */
};

enum { REMOTE_PLACE_NONE = -1 };

struct remote_pool;

/* Lives as long as the engine. */
struct remote_pool *remote_pool_new(struct engine *e);

/* True if this connection, which did what the job at hand wanted, may be kept for any other message of the transport. */
bool remote_pool_may_keep(struct engine *e, const struct transport_job *job,
                          const struct smtp_client *client);
/* Keeps it, or closes it when the destination had no message lately. **owns**: client and place from now on. */
void remote_pool_put(struct engine *e, struct remote_kept kept);
/* A connection that is kept and fits, taken out; false: there is none. One on which the server has said or closed something is closed. */
bool remote_pool_take(struct engine *e, const struct driver_instance *transport,
                      const struct smtp_target *target, struct remote_kept *out);
/* Milliseconds until a connection is to be closed; -1: there is none. */
int remote_pool_wait_ms(const struct engine *e);
/* One whose time is up, taken out; false: none. */
bool remote_pool_expire(struct engine *e, struct remote_kept *out);
/* Says QUIT on all of them, and waits for no answer. */
void remote_pool_end(struct engine *e);
/* In a child that has nothing to do with them: it keeps none either. */
void remote_pool_abandon(struct engine *e);

/* A place among the connections to a destination. False: all are taken. REMOTE_PLACE_NONE in *place: there is no limit, or no file for it. */
bool remote_pool_place(struct engine *e, const struct smtp_target *target, int64_t *place);
/* Gives it back; REMOTE_PLACE_NONE is allowed. */
void remote_pool_leave(struct engine *e, int64_t place);

#endif
