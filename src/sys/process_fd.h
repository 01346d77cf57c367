/* A descriptor that stands for a process: it can be read when the process has ended. */
#ifndef REMEX_SYS_PROCESS_FD_H
#define REMEX_SYS_PROCESS_FD_H

#include <sys/types.h>

/* Of a child, close-on-exec. -1 with errno. */
int process_fd_open(pid_t pid);

#endif
