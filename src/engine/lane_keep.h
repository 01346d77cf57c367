/* Looks after the fast lane: at start, and from time to time, what nobody works on goes to the standing lane. */
#ifndef REMEX_ENGINE_LANE_KEEP_H
#define REMEX_ENGINE_LANE_KEEP_H

#include "engine/engine.h"
#include "engine/lane.h"

enum { LANE_KEEP_AGE_S = 10 /* a message that nobody has taken for so long is moved */ };

/* What is to be moved: what nobody has locked, as far as these fields do not except it. All zero: all of it. */
struct lane_keep {
    int64_t age_s;                 /* what is younger; */
    int64_t before_s;              /* but not what came before that time, seconds since 1970; 0: no such time */
    const struct message_id *only; /* all others; NULL: none for that reason */
    unsigned most;                 /* more than so many at one time; 0: no bound */
    int64_t time_ms;               /* what is not begun within so long; 0: no bound */
    /* A message, and the queue that it is in (may be empty), for whoever wants to deliver it. May be NULL. */
    void (*moved)(void *ctx, struct str id, struct str queue);
    void *ctx;
};

/* Moves messages and removes segments. Uses e->lane, or a lane of its own when there is none; does nothing when the spool has no
 * fast lane. What went wrong is logged. True: there is more, and the next call will go on. */
bool lane_keep_run(struct engine *e, const struct lane_keep *k);

/* Moves one message, of which nothing is to be delivered now, from e->lane. What goes wrong is logged; lane_keep_run does it later. */
void lane_keep_files(struct engine *e, const struct lane_ref *ref);

#endif
