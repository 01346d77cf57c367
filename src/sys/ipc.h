/* Messages between our own processes: typed, length-prefixed, checked against a table on both sides.
 *
 * One message is one packet of a SOCK_SEQPACKET pair, with at most one descriptor beside it. A row of the table says who may
 * send a message to whom and what it holds; what does not fit a row is IPC_FORGED, and whoever reads it closes that one peer.
 * The bytes come from a process that may have been taken over: nothing in them is believed. No state, no lock.
 */
#ifndef REMEX_SYS_IPC_H
#define REMEX_SYS_IPC_H

#include "base/str.h"

#include <sys/types.h>

enum {
    IPC_FIELDS_MAX = 4,
    IPC_TEXT_MAX = 1024,   /* bytes of one text */
    IPC_PACKET_MAX = 3000, /* bytes of a message */
    IPC_HEADER = 4,        /* type and length, two bytes each */
};

struct ipc_row {
    const char *name;
    unsigned from, to; /* sets of process kinds, one bit each */
    const char *shape; /* a letter a field: u a number, s a text without NUL */
    bool fd;           /* a descriptor travels along */
};

struct ipc_protocol {
    const struct ipc_row *rows;
    size_t n;
};

struct ipc_field {
    uint64_t number;
    struct str text;
};

struct ipc_message {
    unsigned type;                      /* index of the row */
    size_t n;                           /* fields */
    struct ipc_field f[IPC_FIELDS_MAX]; /* texts are tainted and point into bytes */
    int fd;                             /* -1: none; the reader owns it */
    char bytes[IPC_PACKET_MAX];
};

enum ipc_result {
    IPC_OK,
    IPC_AGAIN,  /* nothing there now (the socket does not block), or no room to send */
    IPC_CLOSED, /* the peer is gone, or the socket failed: errno */
    IPC_FORGED, /* no message of the table */
};

/* A pair of sockets, close-on-exec. False with errno. */
bool ipc_pair(int fds[2]);

/* The message `type` with one field a letter of its shape. fd: the descriptor of the row, which stays open here; -1
 * without. It is our own mistake (asserted) to send what the table forbids. */
enum ipc_result ipc_send(const struct ipc_protocol *p, int socket, unsigned type,
                         const struct ipc_field *f, int fd);
/* The same, but IPC_AGAIN in place of waiting for room: a peer that does not read holds nobody up. */
enum ipc_result ipc_offer(const struct ipc_protocol *p, int socket, unsigned type,
                          const struct ipc_field *f, int fd);

/* The next message, from a peer of kind `from` (one bit) to us, kind `to`. A descriptor that came is closed unless the
 * result is IPC_OK. */
enum ipc_result ipc_receive(const struct ipc_protocol *p, int socket, unsigned from,
                            unsigned to, struct ipc_message *out);
/* The same, but IPC_AGAIN in place of waiting, also where the socket came from a peer that may have another copy of it. */
enum ipc_result ipc_receive_now(const struct ipc_protocol *p, int socket, unsigned from,
                                unsigned to, struct ipc_message *out);

/* What ipc_receive does with the n bytes in out->bytes; has_fd: a descriptor came along. False: forged. */
bool ipc_parse(const struct ipc_protocol *p, unsigned from, unsigned to, size_t n, bool has_fd,
               struct ipc_message *out);

#endif
