/* What the agent and those who ask it say to each other: packets of a SOCK_SEQPACKET socket, with descriptors beside them.
 *
 * A job's packet says as whom it is to be done, in a form of fixed size that is checked by looking at it; the job itself is a file in
 * memory that the agent hands on unread. The answer comes from the user's process over a pipe, how that process ended from
 * the agent over another. A key is asked for in the same form; the answer, a packet too, comes over a socket that was sent along. What
 * does not look like this is forged, and whoever reads it closes that one peer.
 */
#ifndef REMEX_SYS_AGENT_WIRE_H
#define REMEX_SYS_AGENT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGENT_NAME_MAX = 256,
    AGENT_PATH_MAX = 4096,
    AGENT_FDS = 4,
};

#define AGENT_TIMEOUT_MAX_MS (366ll * 24 * 3600 * 1000)

enum agent_type {
    AGENT_JOB = 1, /* job, answer, end, perhaps the message's body */
    AGENT_CONNECT, /* one socket: a new peer */
    AGENT_KEY,     /* a private key is to be opened; one socket, for the answer */
    AGENT_OPENED,  /* the answer: the file, or why there is none */
};

enum agent_flags {
    AGENT_READS_ALL = 1u << 0,     /* the mail user, who keeps the power to read */
    AGENT_RUNS_PROGRAMS = 1u << 1, /* may gain privilege by executing set-uid programs */
    AGENT_ALL_FLAGS = (1u << 2) - 1,
};

/* Descriptors of a job, by place. */
enum agent_fd { AGENT_FD_JOB, AGENT_FD_ANSWER, AGENT_FD_END, AGENT_FD_BODY };

struct agent_head {
    uint32_t type, flags;
    uint32_t uid, gid;
    int64_t timeout_ms;      /* 0: none */
    uint32_t end, sys_errno; /* of AGENT_OPENED, as struct key_file_result has them; else 0 */
    uint32_t name_n, path_n; /* 0: none */
    char name
        [AGENT_NAME_MAX]; /* login of a job, transport of a key; with a NUL behind it, as the next */
    char path[AGENT_PATH_MAX]; /* directory of a job, file of a key */
};

struct agent_packet {
    struct agent_head head;
    int fd[AGENT_FDS];
    size_t fds;
};

/* How the process that did a job ended; what the agent writes to AGENT_FD_END, whole or not at all. */
struct agent_end {
    int32_t end; /* enum child_end */
    int32_t status;
    int32_t sys_errno;
};

enum agent_wire_result {
    AGENT_WIRE_OK,
    AGENT_WIRE_AGAIN, /* nothing there */
    AGENT_WIRE_CLOSED,
    AGENT_WIRE_FORGED, /* no packet of ours; its descriptors are closed */
};

/* A pair of sockets, close-on-exec. False with errno. */
bool agent_wire_pair(int fds[2]);
/* Neither of the next two waits. Descriptors stay open here. False with errno. */
bool agent_wire_send(int socket, const struct agent_packet *p);
/* The receiver owns the descriptors, which are close-on-exec. */
enum agent_wire_result agent_wire_receive(int socket, struct agent_packet *p);
/* True if a packet of n bytes with its descriptors is what it says to be. */
bool agent_wire_check(const struct agent_packet *p, size_t n);
void agent_wire_close(struct agent_packet *p);

#endif
