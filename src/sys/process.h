/* The program's own further processes: executing itself again, and standing alone. */
#ifndef REMEX_SYS_PROCESS_H
#define REMEX_SYS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Starts this program again with the arguments and our environment. It has descriptors 0, 1, 2 and, as number 3, fd. -1 with errno. */
pid_t process_start_self(char *const *argv, int fd);

/* True if fd is a socket whose other end was made by our parent process. */
bool process_is_started_by_parent(int fd);

/* Away from the terminal's process group; shows up under this name. */
void process_detach(const char *name);

/* Goes on in the background: the caller's process ends with status 0, as a new one that nobody waits for. False with errno. */
bool process_to_background(void);

/* Descriptors 0, 1 and 2 are /dev/null from now on. */
void process_leave_standard_files(void);

#endif
