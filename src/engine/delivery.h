/* One attempt to deliver one message: routing, local and remote deliveries, what is logged, retried, bounced.
 *
 * The one who calls has the message's lock for the whole attempt. An address counts as done when the journal says so.
 * Source: specification, chapter "How Exim receives and delivers mail".
 */
#ifndef REMEX_ENGINE_DELIVERY_H
#define REMEX_ENGINE_DELIVERY_H

#include "conf/model.h"
#include "engine/engine.h"
#include "engine/spool.h"
#include "mail/why.h"

/* Why an attempt is made. */
enum delivery_reason {
    DELIVERY_ARRIVED,   /* first attempt, right after acceptance */
    DELIVERY_QUEUE_RUN, /* retry times count; frozen messages stay, thaw times count */
    DELIVERY_FORCED,    /* -M, -qff: frozen or not, retry times or not */
    DELIVERY_GIVE_UP,   /* -Mg */
};

struct delivery {
    struct engine *engine;
    struct arena *arena; /* of this attempt */
    struct spool_entry entry;
    struct spool_header header; /* the envelope as it is in the spool */
    struct message *message;
    struct session *session;
    struct str id;
};

enum delivery_end {
    DELIVERY_DONE,  /* the message is gone: all delivered, bounced or discarded */
    DELIVERY_WAITS, /* some addresses are left */
    DELIVERY_FROZEN,
    DELIVERY_BUSY, /* someone else works on it */
    DELIVERY_ABSENT,
    DELIVERY_ERROR,
};

enum delivery_end delivery_run(struct engine *e, struct str id, enum delivery_reason reason);

#endif
