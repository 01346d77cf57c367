/* Shuts a process in: which files it may open, which system calls it may make. Cannot be undone, holds for its children too.
 *
 * Called before there are threads, by a process that has become the mail user already. What the kernel does not know
 * (Landlock before Linux 5.13) is left out and said so. Source: landlock(7), seccomp(2).
 */
#ifndef REMEX_SYS_JAIL_H
#define REMEX_SYS_JAIL_H

#include <stdbool.h>
#include <stddef.h>

enum jail_access {
    JAIL_READ = 1u << 0,
    JAIL_WRITE = 1u << 1, /* and make, rename, remove */
    JAIL_EXECUTE = 1u << 2,
};

/* A directory and everything beneath it, or a file. */
struct jail_path {
    const char *path;
    unsigned access; /* enum jail_access */
};

enum jail_calls {
    JAIL_NETWORK = 1u << 0,    /* sockets of IP and netlink; else of UNIX alone */
    JAIL_PROGRAMS = 1u << 1,   /* executing */
    JAIL_CHILDREN = 1u << 2,   /* further processes; else threads alone */
    JAIL_NO_SOCKETS = 1u << 3, /* takes away: not even those of UNIX, save pairs */
    JAIL_TIGHTER = 1u << 4,    /* shutting itself in further */
};

/* Before root is given up: takes every capability out of the bounding set. False with errno. */
bool jail_drop_bounding(void);

/* Only these paths from now on; those that do not exist are left out. Where the kernel can (Linux 6.12), signals reach only what was started
 * from here. Implies that nothing executed gains privilege. False with errno: ENOSYS or EOPNOTSUPP when the kernel cannot. */
bool jail_files(const struct jail_path *v, size_t n);

/* Only the calls of jail_calls.def from now on, and what `allowed` (enum jail_calls) adds; any other ends the process with SIGSYS.
 * False with errno. */
bool jail_calls(unsigned allowed);

/* For who reads what strangers wrote: after jail_calls, the calls of jail_refused.def end the process too. False with errno. */
bool jail_refuse(void);

/* What errno says: the kernel cannot do it, which is no fault. */
bool jail_is_unable(void);

#endif
