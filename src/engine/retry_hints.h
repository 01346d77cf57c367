/* What is remembered of failures: when a domain, address or host may be tried again, and when to give it up.
 *
 * Records live in the hints store ("retry"), keyed "R:domain" or "R:address" for routing, "T:address" for local and
 * "T:host:ip…" for remote deliveries. They are hints: losing them costs a try. What an attempt finds out is
 * collected and written when it is over. Source: specification, chapter "Retry configuration".
 */
#ifndef REMEX_ENGINE_RETRY_HINTS_H
#define REMEX_ENGINE_RETRY_HINTS_H

#include "engine/delivery.h"

/* True if routing the address has to wait: a->answer says so. Only in queue runs. */
bool retry_routing_waits(struct delivery *d, struct address *a);
/* The same for a local delivery. */
bool retry_local_waits(struct delivery *d, struct address *a);

/* Notes for the end of the attempt. */
void retry_routed(struct delivery *d, struct address *a);    /* routing did not defer */
void retry_succeeded(struct delivery *d, struct address *a); /* delivered, or failed for good */
void retry_deferred(struct delivery *d, struct address *a);  /* a->answer has the error */

/* Writes what was noted. Deferred addresses whose time is over, or that no rule is for, are moved to d->failed ("retry timeout
 * exceeded"). */
void retry_finish(struct delivery *d);

#endif
