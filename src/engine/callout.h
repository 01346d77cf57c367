/* Callouts: asks the hosts that an address was routed to whether they would take mail for it.
 *
 * Runs in the process and thread of the session, over a connection of its own that is closed when it is over. What is learned goes to
 * the cache (callout_cache.h). Source: specification, sections "Callout verification" to "Callout caching".
 */
#ifndef REMEX_ENGINE_CALLOUT_H
#define REMEX_ENGINE_CALLOUT_H

#include "acl/acl_run.h"
#include "engine/engine.h"

/* to: as it was routed, with its transport and hosts. Without a host to ask the address stays verified. out->address is what is asked for
 * in the cache. Texts of *out live in a. */
void callout_run(struct engine *e, struct arena *a, const struct acl_verify *q,
                 struct address *to, struct acl_verified *out);

#endif
