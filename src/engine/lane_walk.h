/* Reads a journal segment of the fast lane, record by record, from a disk that is not to be trusted.
 *
 * Contents are read and checked only when they are asked for, so that a segment that is in use can be looked through
 * cheaply. Where a record is not whole, the walk goes on at the next one that is: what was acknowledged stands behind what a
 * failed write left, too. Nothing here changes a file.
 */
#ifndef REMEX_ENGINE_LANE_WALK_H
#define REMEX_ENGINE_LANE_WALK_H

#include "engine/lane_record.h"

#include <sys/types.h>

struct lane_walk {
    int fd;    /* not owned */
    bool live; /* someone is writing to it: nothing is looked for behind the first gap */
    uint64_t at, size, secret;
    unsigned gaps; /* places that were passed over, with records behind them */
};

struct lane_found {
    struct lane_head head;
    uint64_t at;
};

enum lane_walk_result {
    LANE_WALK_RECORD,
    LANE_WALK_END,
    LANE_WALK_BAD,   /* not a segment; for a content: not what was written */
    LANE_WALK_ERROR, /* errno says why */
};

enum lane_walk_use { LANE_WALK_LIVE, LANE_WALK_CLOSED };

/* Reads the first record. RECORD: it is a segment. */
enum lane_walk_result lane_walk_start(struct lane_walk *w, int fd, enum lane_walk_use use);
/* The next record: RECORD or END. */
enum lane_walk_result lane_walk_next(struct lane_walk *w, struct lane_found *found);
/* The record at a place; RECORD or BAD. */
enum lane_walk_result lane_walk_look(const struct lane_walk *w, uint64_t at,
                                     struct lane_found *found);
/* The id in a MESSAGE, not checked against its sum. RECORD, BAD or ERROR. */
enum lane_walk_result lane_walk_id(const struct lane_walk *w, const struct lane_found *found,
                                   struct message_id *id);
/* The content of a record into a, checked: RECORD, BAD or ERROR. */
enum lane_walk_result lane_walk_content(struct arena *a, const struct lane_walk *w,
                                        const struct lane_found *found, struct str *out);

#endif
