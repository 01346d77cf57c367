/* Verification of addresses for ACLs: by routing, and by a callout where one is asked for. Source:
 * specification, sections "Address verification", "Callout verification".
 */
#ifndef REMEX_ENGINE_VERIFY_H
#define REMEX_ENGINE_VERIFY_H

#include "acl/acl_run.h"
#include "engine/engine.h"

/* Texts in *out live in the message's arena, else in the engine's. */
void verify_address(struct engine *e, const struct acl_verify *q, struct acl_verified *out);

#endif
