/* A connection that outlives the message it was made for: the messages that wait for its host go over it, one after the other, in this
 * process. Source: specification, section "Multiple messages on a single connection". */
#ifndef REMEX_ENGINE_REMOTE_KEPT_H
#define REMEX_ENGINE_REMOTE_KEPT_H

#include "engine/delivery.h"
#include "transports/smtp_client.h"

struct remote_kept {
    struct smtp_client *client;
    struct str transport; /* name, in the arena of the connection */
    int64_t place;        /* among the connections to its destination: engine/remote_pool.h */
    bool shared;          /* any message may have it when none waits */
};

/* Keeps it for others if any wait for its host, or for what comes next, and it may carry more; else closes it. **owns**: client and
 * place. */
void remote_kept_put(struct delivery *d, const struct transport_job *job,
                     struct smtp_client *client, int64_t place);
/* A kept connection if it is to this host, port and from this address, taken out; false: there is none. */
bool remote_kept_take(struct engine *e, const struct driver_instance *transport,
                      const struct smtp_target *target, struct remote_kept *out);
/* True if it is to this host, port and from this address. */
bool remote_kept_fits(const struct remote_kept *kept, const struct driver_instance *transport,
                      const struct smtp_target *target);
/* True if a connection is kept that is to this host, but of another transport, port or address of ours. */
bool remote_kept_differs(const struct engine *e, const struct driver_instance *transport,
                         const struct smtp_target *target);
/* True if a connection is kept, and for another transport or host than any of these: nothing of this batch is for it. */
bool remote_kept_excludes(const struct engine *e, const struct driver_instance *transport,
                          const struct host_target *hosts, size_t n);
/* The next message behind `last` (STR_EMPTY: the first) that waits for the host of the kept connection, which there is; the connection is
 * closed and STR_NULL returned when there is none. Each message has one turn, in order of their ids. */
struct str remote_kept_next(struct engine *e, struct arena *a, struct str last);
/* In a child that has nothing to do with the connection, nor with those for what comes next. */
void remote_kept_abandon(struct engine *e);
/* True if the connection may carry one more transaction. */
bool remote_kept_may_go_on(const struct smtp_client *client);

#endif
