/* Asking the inspect process: foreign parsers that nobody trusts run there, and whatever becomes of them is an answer here.
 *
 * A job is a socket of its own to the process that does it. When that process crashes, hangs or is killed, the job ends with a
 * text that says so, and nothing else happens. Source: architecture, "Processes".
 */
#ifndef REMEX_SYS_INSPECT_H
#define REMEX_SYS_INSPECT_H

#include "sys/inspect_wire.h"

struct arena;

/* How the process is reached; each kind of program has its own way. */
struct inspect_service {
    /* Hands the socket of a job over. The socket stays the caller's. False with *why. **thread**: any. */
    bool (*hand)(void *ctx, const struct ipc_field job[3], int socket, struct str *why);
    void *ctx;
};

struct inspect_job {
    int socket; /* -1: none */
    int64_t end_ms;
    struct arena *arena; /* of why */
    struct str why;      /* why it has no result */
};

/* Starts a job for a library that is set up by a text of at most IPC_TEXT_MAX bytes; limit_ms: as long it may take, at most
 * INSPECT_LIMIT_MAX_MS. s may be NULL: nobody can do it. False with j->why. */
bool inspect_open(const struct inspect_service *s, enum inspect_library library,
                  struct str setup, int64_t limit_ms, struct inspect_job *j);
/* Says something; fd as in ipc_send. A text that is too long for a message is a failure. False with j->why. */
bool inspect_say(struct inspect_job *j, enum inspect_type type, const struct ipc_field *f,
                 int fd);
/* The next word of the worker, waited for as long as the job may take. False with j->why: there is none and will be none. */
bool inspect_hear(struct inspect_job *j, struct ipc_message *msg);
void inspect_close(struct inspect_job *j);

#endif
