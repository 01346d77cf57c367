/* The system filter: runs once at the start of each attempt to deliver a message, before anything is routed.
 *
 * It may add and remove header lines, set up deliveries, and defer, freeze or fail the message for its original recipients. It is
 * run by a child that is system_filter_user, or in this process when that is the mail user. Source: specification, chapter
 * "System-wide message filtering".
 */
#ifndef REMEX_ENGINE_SYSTEM_FILTER_H
#define REMEX_ENGINE_SYSTEM_FILTER_H

#include "engine/delivery.h"

/* Runs it if there is one and does what it says: d->message has its header changed, its counters are in $sn0 to $sn9; what it
 * set up is in d->generated; d->recipients_apart is set when the original recipients are not to be routed, in which case they
 * have been deferred, failed or (by a significant delivery) left out; d->freeze. Everything is logged. False: an error; the
 * message stays as it is. */
bool system_filter_run(struct delivery *d);

/* The part for the process that runs it: of the message of e->eval, with the file of that name. Appends the records of the result. */
void system_filter_work(struct engine *e, struct arena *a, struct str file, struct buf *out);

#endif
