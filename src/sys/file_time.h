/* Times of files, as a proof that a file or a folder has not changed: what changes once more within one tick of their clock may keep the time
 * that it has. */
#ifndef REMEX_SYS_FILE_TIME_H
#define REMEX_SYS_FILE_TIME_H

#include <stdbool.h>
#include <time.h>

/* The time by the clock that files have. **thread**: any. */
struct timespec file_time_now(void);
/* A file that changed at that time, by its stamp of modification or of change, cannot change again without another stamp from `now` on: a tick is
 * 10 ms at most, and times without fractions may be those of a file system that has none. */
bool file_time_is_settled(struct timespec changed, struct timespec now);

#endif
