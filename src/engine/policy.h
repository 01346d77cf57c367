/* ACLs as the engine runs them: phases, logs and verification of one engine.
 *
 * Called where the manual says that an ACL runs. The eval's message, session and address are what it sees.
 */
#ifndef REMEX_ENGINE_POLICY_H
#define REMEX_ENGINE_POLICY_H

#include "acl/acl_run.h"
#include "engine/engine.h"

/* Runs the ACL of a phase. The result is in out->result as well. Nothing is logged of a refusal: the caller knows its words. */
enum acl_result policy_run(struct engine *e, enum acl_phase phase, struct acl_answer *out);

/* What ACLs ask of an engine, for who fills in more of it. */
struct acl_up *policy_up(struct arena *a, struct engine *e);

/* Whether an ACL is set for a phase (the option has a value). */
bool policy_has(const struct engine *e, enum acl_phase phase);

#endif
