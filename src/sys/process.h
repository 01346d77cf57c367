/* The program's own further processes: executing itself again, and standing alone. */
#ifndef REMEX_SYS_PROCESS_H
#define REMEX_SYS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Starts this program again with the arguments and our environment, as who we are at the moment: a real or saved id that can do more is
 * given up. It has descriptors 0, 1, 2 and, as number 3, fd. -1 with errno. */
pid_t process_start_self(char *const *argv, int fd);

/* True if fd is a socket whose other end was made by our parent process. */
bool process_is_started_by_parent(int fd);

/* Away from the terminal's process group; shows up under this name. */
void process_detach(const char *name);

/* Goes on in the background, as a new process that nobody waits for. The caller's process ends as soon as the new one says
 * that it is ready (status 0) or has ended (status 1). *ready is for process_is_ready. False with errno. */
bool process_to_background(int *ready);
/* Lets the process that process_to_background left end; ready is closed. -1: there is none. */
void process_is_ready(int ready);

/* The process shows up under this name, of at most 15 bytes, in lists of processes. */
void process_name(const char *name);
/* Is killed when its parent dies. */
void process_die_with_parent(void);
/* Its memory shows up nowhere: in no core file or program that takes one, and under no debugger of the same user. */
void process_keep_memory(void);

/* At most so many heaps for the threads of this process, which otherwise each get one of their own. Before there are threads. */
void process_limit_heaps(int n);
/* Gives memory that is not in use back to the system. Takes some milliseconds where much was in use. **thread**: any. */
void process_trim_heaps(void);

/* Descriptors 0, 1 and 2 are /dev/null from now on. */
void process_leave_standard_files(void);

#endif
