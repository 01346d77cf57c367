/* Looks after the fast lane: at start, and from time to time, what nobody works on goes to the standing lane. */
#ifndef REMEX_ENGINE_LANE_KEEP_H
#define REMEX_ENGINE_LANE_KEEP_H

#include "engine/engine.h"
#include "engine/lane.h"

enum { LANE_KEEP_AGE_S = 10 /* a message that nobody has taken for so long is moved */ };

/* Moves what is older than age_s (0: everything that nobody has locked, as at start) and removes segments. Uses e->lane, or a lane of
 * its own when there is none; does nothing when the spool has no fast lane. What went wrong is logged. Returns how many messages
 * were moved; a queue run finds them. */
size_t lane_keep_run(struct engine *e, int64_t age_s);

/* The same for one message alone, whose delivering process died. */
size_t lane_keep_one(struct engine *e, const struct message_id *id);

/* Moves one message, of which nothing is to be delivered now, from e->lane. What goes wrong is logged; lane_keep_run does it later. */
void lane_keep_files(struct engine *e, const struct lane_ref *ref);

#endif
