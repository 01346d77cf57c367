/* A message of the fast lane in the hands of who works on it.
 *
 * Whoever holds it has a lock on the place of its record, which excludes everybody else; the word in its head says for
 * those who come later that it has ended. That word is not synced: what lasts are the notes (engine/lane.h).
 */
#ifndef REMEX_ENGINE_LANE_TAKE_H
#define REMEX_ENGINE_LANE_TAKE_H

#include "engine/lane.h"
#include "engine/lane_walk.h"

struct lane_taken {
    struct lane_message message; /* values are in the arena, and tainted */
    int fd;                      /* of the segment; locked */
    uint64_t at;
    int64_t body_start, body_size; /* where the body is in fd */
};

enum lane_take_result {
    LANE_TAKE_OK,
    LANE_TAKE_GONE,  /* it has ended, or its segment is not there any more */
    LANE_TAKE_BUSY,  /* someone else works on it */
    LANE_TAKE_BAD,   /* what is there is not what was written */
    LANE_TAKE_ERROR, /* errno says why */
};

/* Takes the message at that place, if it has not ended. **owns**: the descriptor, until lane_take_close. */
enum lane_take_result lane_take(struct arena *a, int dir, const struct lane_ref *ref,
                                struct lane_taken *t);
/* The same in a segment that is open for reading and writing and whose record is locked already: w's descriptor is the
 * message's as well. The body is checked, too. */
enum lane_take_result lane_take_here(struct arena *a, const struct lane_walk *w, uint64_t at,
                                     struct lane_taken *t);
/* It has ended: whoever looks at it from now on sees so. False with errno. */
bool lane_take_end(const struct lane_taken *t);
/* Closes the descriptor, which ends the lock. */
void lane_take_close(struct lane_taken *t);

#endif
