/* control = debug: what a session does, in a file of its own beside the logs. Until a trigger the last lines may wait in memory.
 *
 * What is written: ACLs with their conditions (topic acl), the dialogue (receive), lines of the logs. It belongs to the session and ends
 * with it. Source: specification, "ACL modifiers", control = debug.
 */
#ifndef REMEX_ENGINE_DEBUG_LOG_H
#define REMEX_ENGINE_DEBUG_LOG_H

#include "engine/engine.h"

enum debug_topic { DEBUG_TOPIC_ANY, DEBUG_TOPIC_ACL, DEBUG_TOPIC_RECEIVE };

/* Obeys "/tag=x/opts=+acl/stop"; the options are expanded. False: one of them is none. */
bool debug_log_control(struct engine *e, struct str options);
/* Is somebody interested? */
bool debug_log_wants(const struct engine *e, enum debug_topic topic);
/* Adds lines; newlines in the text are kept. */
void debug_log_add(struct engine *e, enum debug_topic topic, struct str text);
/* Something was written to the panic log. */
void debug_log_panic(struct engine *e);

#endif
