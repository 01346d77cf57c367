/* Starts another program with given descriptors: an argument vector, no shell, a process group of its own.
 *
 * The child has descriptors 0, 1 and 2 and nothing else. Whoever starts it waits for it (await.h).
 */
#ifndef REMEX_SYS_SPAWN_H
#define REMEX_SYS_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/* Exit status of a program that could not be executed. */
enum { SPAWN_NO_EXEC = 127 };

struct spawn_request {
    char *const *argv;     /* argv[0] is the path; ends with NULL */
    char *const *environ;  /* ends with NULL; NULL: empty */
    const char *directory; /* NULL: stays where it is */
    int in, out;
    int err; /* 0: as out */
    bool set_umask;
    mode_t umask;
    bool core; /* it may leave a core file */
};

/* The process, or -1 with errno. */
pid_t spawn_program(const struct spawn_request *rq);

/* Starts a program that nobody waits for. lock: a descriptor that stays open until it ends, or -1. False with errno when there was no
 * process to be had; that it could not be executed is not seen. **thread**: any. */
bool spawn_detached(const struct spawn_request *rq, int lock);

#endif
