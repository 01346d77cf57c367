/* Processes as descriptors; see process_fd.h. */
#include "sys/process_fd.h"

#include <sys/syscall.h>
#include <unistd.h>

int
process_fd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}
