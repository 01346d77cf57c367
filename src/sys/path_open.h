/* Opening by a path whose steps strangers may have laid: no step is a link that only the kernel knows (/proc/self/fd/3), and none leads out of a
 * folder where that is asked for. Source: openat2(2), which does it in one call.
 */
#ifndef REMEX_SYS_PATH_OPEN_H
#define REMEX_SYS_PATH_OPEN_H

#include <stdbool.h>
#include <sys/types.h>

enum path_reach {
    PATH_ANYWHERE, /* the path is absolute; dir does not count */
    PATH_BENEATH /* the path is relative to dir, and neither it nor a link in it leads out of dir */
};

/* Opens a path with the flags of open(2); O_CLOEXEC is added, O_PATH is not for here. A descriptor, or -1 with errno: EXDEV when a step leads out,
 * ELOOP when there are too many links or the last step is one and O_NOFOLLOW is set. */
int path_open(int dir, const char *path, int flags, mode_t mode, enum path_reach reach);

/* The same step by step, as it is done where there is no openat2: older kernels, and services with RestrictSUIDSGID. */
int path_open_stepwise(int dir, const char *path, int flags, mode_t mode,
                       enum path_reach reach);

#endif
