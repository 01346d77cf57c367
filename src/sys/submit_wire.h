/* An ordinary user's call of the program on its way to the daemon: its words and its three standard descriptors, over a UNIX
 * socket whose kernel says who that user is. The answer is an exit status.
 *
 * What comes is a stranger's: its form has bounds, and nothing of it but the kernel's word about the peer is believed.
 */
#ifndef REMEX_SYS_SUBMIT_WIRE_H
#define REMEX_SYS_SUBMIT_WIRE_H

#include "base/str.h"
#include "base/vec.h"
#include "sys/priv.h"

enum {
    SUBMIT_WIRE_ARGS_MAX = 4096,
    SUBMIT_WIRE_BYTES_MAX = 256 * 1024,
    SUBMIT_WIRE_WAIT_S = 10
};

struct submit_request {
    VEC(char *) args; /* ends with NULL, which is not counted */
    int fds[3];
};

/* A socket to listen on, which everybody may connect to; what was at the path is replaced. -1 with errno. */
int submit_wire_listen(const char *path);
/* A socket to the daemon; -1 with errno. */
int submit_wire_connect(const char *path);

/* Sends the call. False with errno. */
bool submit_wire_send(int socket, int argc, char *const *argv);
/* Waits for the answer. False: there is none. */
bool submit_wire_wait(int socket, int *status);

/* Who is at the other end: real and effective ids alike. False with errno. */
bool submit_wire_peer(int socket, struct priv_caller *out);
/* Reads the call; the peer has SUBMIT_WIRE_WAIT_S for it. False: it is none. **owns**: the descriptors, else they are closed. */
bool submit_wire_receive(struct arena *a, int socket, struct submit_request *out);
void submit_wire_answer(int socket, int status);

/* Takes the words apart, each ends with a NUL. False: too many, none, or the last has no end. */
bool submit_wire_split(struct arena *a, char *text, size_t n, struct submit_request *out);

#endif
