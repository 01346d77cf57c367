/* The agent: starts the processes that become users, for those who deliver and have no privilege themselves.
 *
 * It is root with the few capabilities that this needs and looks at nothing but who a process is to become: never uid 0, never one of
 * never_users, nobody's groups but the user's own. The job goes to the process unread. It also opens the private keys with which messages
 * are signed, where they may lie (transports/key_place.h), and reads none of them. It waits for no one: not for a
 * process, not for who asked. What a process is done with goes on when the agent dies. Source: specification, chapter "Security considerations".
 */
#ifndef REMEX_PROC_AGENT_H
#define REMEX_PROC_AGENT_H

#include "base/vec.h"
#include "engine/engine.h"
#include "sys/agent_wire.h"
#include "transports/key_place.h"

#include <sys/types.h>

/* Bounds. Jobs beyond them wait with the one who asked. */
enum {
    AGENT_PEERS_MAX = 512,
    AGENT_CHILDREN_MAX = 256,
    AGENT_USER_CHILDREN_MAX = 6, /* of one user at a time, so that nobody has them all */
    AGENT_IDLE_MS = 2000,         /* as long a process waits for the next job of its user */
    AGENT_CHILD_JOBS_MAX = 500,   /* then it makes room for a fresh one */
    AGENT_EXTRA = 2,
};

struct agent_peer {
    int fd; /* -1: closed */
    bool waits;
    struct agent_packet
        waiting; /* a job for which there was no room yet; nothing more is read meanwhile */
};

/* A process that is, or is about to be, a user. */
struct agent_child {
    pid_t pid;
    int pidfd;
    int control;    /* jobs go out, their ends come in; -1: closed */
    uint32_t flags; /* enum agent_flags */
    uid_t uid;
    gid_t gid;
    char login[AGENT_NAME_MAX];
    bool busy;
    unsigned jobs;
    int end;             /* where the end of the job is told; -1: nowhere */
    int64_t deadline_ms; /* of the job, or of being idle; 0: none */
    bool timed_out;
};

struct agent {
    struct arena *arena;
    struct engine *e;       /* for the children; the agent only logs with it */
    int door;               /* new peers come from here; -1: none */
    int extra[AGENT_EXTRA]; /* polled besides; -1: none */
    const uid_t *never;
    size_t never_n;
    struct key_places keys; /* the caller's */
    VEC(struct agent_peer) peers;
    VEC(struct agent_child) children;
    /* In a child, before anything else: gives back what the process took for itself (signals). May be NULL. */
    void (*leave)(void *ctx);
    void *leave_ctx;
};

/* e: made while root. The door stays the caller's. Prepares and gives up all capabilities that are not needed. False: that failed,
 * which is logged. */
bool agent_begin(struct agent *g, struct arena *a, struct engine *e, int door);
/* One turn: waits for something to happen, at most wait_ms (-1: no limit), and deals with it. The places in `extra` that can be read,
 * a bit each. */
unsigned agent_turn(struct agent *g, int wait_ms);
/* True if no peer is there and no process at work. */
bool agent_is_idle(const struct agent *g);

/* What a child of the agent does; never returns. It is root when it is called. agent_child.c */
_Noreturn void agent_child_live(struct engine *e, const struct agent_head *who, int control);

#endif
