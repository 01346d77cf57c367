/* The processes of one queue run: as a rule one that takes one message after the other, as if there were no other process. When a message
 * holds it up, as one for a host that does not answer does, another one goes on with the next message: what hangs delays what does not
 * by moments.
 */
#ifndef REMEX_ENGINE_QUEUE_HANDS_H
#define REMEX_ENGINE_QUEUE_HANDS_H

#include "engine/engine.h"

enum { QUEUE_HANDS_MAX = 256 };

/* Delivers a message, in a process of its own. first: of this run. */
typedef void queue_hands_fn(struct engine *e, const void *ctx, struct str id, bool first);

struct queue_hands;

/* None is started before there is a message. In a. */
struct queue_hands *queue_hands_new(struct arena *a, struct engine *e, queue_hands_fn *deliver,
                                    const void *ctx);
/* Gives a message to one of them, perhaps together with those that follow; waits until one is free, or another may be started. Where none
 * can be, it is delivered here. */
void queue_hands_give(struct queue_hands *h, struct str id, bool first);
/* What is known of the directory of the messages that are given from now on. */
void queue_hands_set_calm(struct queue_hands *h, struct spool_calm calm);
/* Waits until all is done. */
void queue_hands_end(struct queue_hands *h);

#endif
