/* control = debug: what a session does, in a file of its own beside the logs. Until a trigger the last lines may wait in memory.
 *
 * What is written: ACLs with their conditions (topic acl), the dialogue (receive), the way of addresses (route), what is tried
 * and what became of it (deliver), lines of the logs. It belongs to the session; a message that was received under it takes it along
 * in its -H file, so that its deliveries go on with it. A file is named after the configuration's logs, never by the spool alone.
 * Source: specification, "ACL modifiers", control = debug.
 */
#ifndef REMEX_ENGINE_DEBUG_LOG_H
#define REMEX_ENGINE_DEBUG_LOG_H

#include "conf/debug.h"
#include "engine/engine.h"

struct spool_header;

/* Lines of the logs, which are always wanted; other topics are those of conf/debug.h. */
enum { DEBUG_LOG_LINES = DEBUG_BITS };

/* Obeys "/tag=x/opts=+acl/stop"; the options are expanded. False: one of them is none. */
bool debug_log_control(struct engine *e, struct str options);
/* Is somebody interested? */
bool debug_log_wants(const struct engine *e, int topic);
/* Adds lines; newlines in the text are kept. */
void debug_log_add(struct engine *e, int topic, struct str text);
void debug_log_say(struct engine *e, int topic, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Something was written to the panic log. */
void debug_log_panic(struct engine *e);

/* Notes in the header, with texts in a, what goes on with the message. */
void debug_log_store(struct arena *a, const struct engine *e, struct spool_header *h);
/* Goes on, for the session at hand, with what is noted there. A name that is no debug log of this configuration counts for nothing. */
void debug_log_resume(struct engine *e, const struct spool_header *h);

#endif
