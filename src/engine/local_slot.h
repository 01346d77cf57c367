/* max_parallel: how many deliveries by one transport go on at once, on this machine.
 *
 * A slot is a lock on a file in the spool's db folder, so that it ends with the process that has it, however that ends.
 */
#ifndef REMEX_ENGINE_LOCAL_SLOT_H
#define REMEX_ENGINE_LOCAL_SLOT_H

#include "engine/delivery.h"

enum { LOCAL_SLOTS_MAX = 10000 };

/* For the transport of an address. OUT_OK: *slot is a descriptor to close when the delivery is over, or -1 when there is no limit. OUT_DEFER:
 * all are taken; OUT_ERROR: the option cannot be used; *why. */
enum outcome local_slot_take(struct delivery *d, const struct address *a, int *slot,
                             struct why *why);

/* The one slot of a host (serialize_hosts): true with a descriptor to close. */
bool local_slot_serialize(struct delivery *d, struct str host, int *slot);

#endif
