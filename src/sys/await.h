/* Waits for children: reads what they say up to a deadline and a cap, then for their end. */
#ifndef REMEX_SYS_AWAIT_H
#define REMEX_SYS_AWAIT_H

#include "base/buf.h"

#include <sys/types.h>

/* Milliseconds of the monotonic clock, in which deadlines are given. */
int64_t await_now_ms(void);

/* Reads until end of file or the deadline (0: none). False when the time was up, or when the text became longer than the
 * buffer's limit and end_when_cut is set. */
bool await_collect(int fd, int64_t deadline_ms, bool end_when_cut, struct buf *out);

/* Reads exactly n bytes, which a pipe has when it has any of them. False: end of file, or the deadline (0: none). */
bool await_whole(int fd, int64_t deadline_ms, void *out, size_t n);

enum await_end { AWAIT_ENDED, AWAIT_TIMED_OUT, AWAIT_NO_WAIT };

/* Waits for a child that leads a process group until the deadline (0: for ever); then the whole group is killed and waited
 * for. *status as waitpid gives it. */
enum await_end await_end(pid_t pid, int64_t deadline_ms, int *status);

#endif
