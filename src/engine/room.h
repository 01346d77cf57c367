/* verify = recipient/quota: whether the mailbox of a recipient has room for the message.
 *
 * The transport is asked by a process that is the user, as for a delivery; nothing is written but what keeps count of the mailbox
 * (maildirsize). Answers are kept among those of callouts. Source: specification, sections "Address verification", "Quota caching".
 */
#ifndef REMEX_ENGINE_ROOM_H
#define REMEX_ENGINE_ROOM_H

#include "acl/acl_run.h"
#include "engine/engine.h"

struct address;

/* to: as it was routed. Changes *out when there is no room, or when that cannot be found out; a transport that knows no limits has
 * room. */
void room_check(struct engine *e, struct arena *a, const struct acl_verify *q,
                struct address *to, struct acl_verified *out);

#endif
