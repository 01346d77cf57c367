/* Signals as something to read: a process that waits for several things at once takes its signals from a descriptor.
 *
 * Blocked signals stay blocked in children, which undo that with signals_release before they do anything else.
 */
#ifndef REMEX_SYS_SIGNALS_H
#define REMEX_SYS_SIGNALS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Blocks the signals (HUP, TERM, INT, CHLD, USR1) and ignores PIPE. A descriptor that does not block and is close-on-exec; -1
 * with errno. */
int signals_take(void);
/* The next one, or 0. */
int signals_next(int fd);
/* HUP and USR1, which may be sent to every process of the program, do nothing. */
void signals_ignore_questions(void);
/* writev(2), whose SIGPIPE reaches nobody: in a thread of any process, whatever that does with the signal. */
ssize_t signals_writev(int fd, const struct iovec *v, int count);
/* In a child: signals work as usual again, and those questions are ignored (its parent answers). The descriptor is closed. */
void signals_release(int fd);

#endif
