/* Which messages wait for which host, so that they go over a connection that is there. Hints: a message that is not noted is delivered by
 * a queue run, and one that is gone costs a look. */
#ifndef REMEX_ENGINE_REMOTE_WAIT_H
#define REMEX_ENGINE_REMOTE_WAIT_H

#include "engine/delivery.h"

enum { REMOTE_WAIT_VERSION = 1 }; /* of the records: key "transport/host/id", no bytes */

/* Notes the message of this delivery, or takes the note away. */
void remote_wait_add(struct delivery *d, struct str transport, struct str host);
void remote_wait_remove(struct delivery *d, struct str transport, struct str host);

/* The id of a message that waits for the host, not before `from` (STR_EMPTY: any), copied into a; STR_NULL: none. */
struct str remote_wait_first(struct engine *e, struct arena *a, struct str transport,
                             struct str host, struct str from);
/* Takes the note of any message away. */
void remote_wait_forget(struct engine *e, struct str transport, struct str host, struct str id);

#endif
