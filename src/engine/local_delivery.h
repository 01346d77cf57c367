/* Delivers to a local transport: a child process becomes the user, the driver runs in it, its results come back.
 *
 * Without root in reserve the child stays who we are. Source: specification, chapter "Environment for running local
 * transports".
 */
#ifndef REMEX_ENGINE_LOCAL_DELIVERY_H
#define REMEX_ENGINE_LOCAL_DELIVERY_H

#include "engine/delivery.h"

/* Delivers one batch (n addresses of the same transport, user, home...). Fills in the outcome of each
 * (batch[i]->answer, in d->arena). Faults of the set-up (no user, never_users, fork) are defers or as documented. */
void local_delivery_run(struct delivery *d, struct address **batch, size_t n);
/* batch_max of the transport: how many addresses one delivery takes, at least 1. */
size_t local_delivery_batch_max(const struct driver_instance *transport);
/* True if b can go with a in one batch (the same batch_id as well; the caller counts batch_max). */
bool local_delivery_batches(struct delivery *d, const struct address *a,
                            const struct address *b);

#endif
