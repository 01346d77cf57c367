/* A journal segment as a file: made (or made from one that is no longer needed), found, removed.
 *
 * Segments lie in lane/ of the spool directory. "seg-…" is one that may hold messages; its first byte is locked by who writes
 * to it. "new-…" is not finished, "free-…" will be used again: neither holds anything. A file gets its name of a segment only when its
 * new secret number is on stable storage, so that what an earlier use left in it can never come back.
 */
#ifndef REMEX_ENGINE_LANE_SEGMENT_H
#define REMEX_ENGINE_LANE_SEGMENT_H

#include "base/str.h"
#include "sys/durable.h"

enum {
    LANE_NAME_MAX = 48,
    LANE_FREE_MAX = 4, /* files that are kept to be used again */
};

struct lane_segment_file {
    char name[LANE_NAME_MAX];
    int fd;
    uint64_t size, secret;
};

/* Opens lane/ below the spool directory; makes it when `create` is set. -1 with errno. */
int lane_directory_open(const char *spool, bool create);
/* True for a name of a segment. */
bool lane_segment_is_name(const char *name);
/* A new segment of that size, locked for who writes. **owns**: the descriptor. */
bool lane_segment_create(const struct durable_calls *calls, int dir, uint64_t size,
                         struct lane_segment_file *out, struct durable_fault *f);
/* Where the first record behind the start goes. */
uint64_t lane_segment_start(void);
/* Takes away a segment whose messages have all gone: it is kept to be used again when few are, else removed. The
 * directory is not synced. */
bool lane_segment_remove(const struct durable_calls *calls, int dir, const char *name,
                         struct durable_fault *f);
/* Removes what a crash left of segments that were being made. */
void lane_segment_clean(const struct durable_calls *calls, int dir);

#endif
