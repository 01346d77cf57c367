/* Takes messages in without privilege: a child process that has given up root for good reads what comes from outside and tells
 * the parent, over a socket, which messages are in the spool; the parent starts their deliveries.
 *
 * Without root in reserve there is nothing to give up: everything runs in this process, save the deliveries. What the
 * child says is treated as hostile: it may name any message of the spool, and nothing else.
 */
#ifndef REMEX_PROC_RECEPTION_H
#define REMEX_PROC_RECEPTION_H

#include "engine/held_connection.h"
#include "engine/lane.h"

/* When a message that was accepted is delivered. */
enum reception_delivery {
    RECEPTION_BACKGROUND, /* at once, nobody waits (-odb) */
    RECEPTION_WAIT,       /* at once, before anything else happens (-odi) */
    RECEPTION_QUEUE,      /* in a queue run (-odq) */
    RECEPTION_ROUTE,      /* at once, but remote deliveries wait for a queue run (-odqs) */
};

struct reception {
    struct engine *engine;
    int parent; /* socket; -1: deliveries are started from here */
    /* Of a process of the daemon: who else starts them. NULL otherwise. */
    void (*tell)(void *ctx, struct str id, struct str queue, enum reception_delivery when);
    void *tell_ctx;
    bool failed; /* mua_wrapper: a message was not delivered, which the caller has to be told */
};

/* Runs `run` as described; its return value is the exit status of the whole. */
int reception_run(struct engine *e, int (*run)(struct reception *r, void *ctx), void *ctx);

/* The connection of a callout for the message that is delivered next, which goes along to that delivery; **owns**: the descriptor. */
void reception_held(struct reception *r, const struct held_connection *h);
/* The message is in the spool, in the engine's queue or the one named (unset: the engine's). Comes back when
 * it is delivered if `when` says so, else at once. */
void reception_deliver(struct reception *r, struct str id, struct str queue,
                       enum reception_delivery when);
/* The same for one in the fast lane. */
void reception_deliver_lane(struct reception *r, const struct lane_ref *ref,
                            enum reception_delivery when);
/* A queue run for ETRN, in the background, of messages with such a recipient. False: one for the same is under way
 * (smtp_etrn_serialize), or there can be none. */
enum { RECEPTION_RUN_MAX = 1000 };
bool reception_run_queue(struct reception *r, struct str what);

#endif
