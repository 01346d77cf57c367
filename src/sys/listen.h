/* Sockets that listen for TCP connections, and what is accepted from them. */
#ifndef REMEX_SYS_LISTEN_H
#define REMEX_SYS_LISTEN_H

#include "mail/ip.h"

#include <stdbool.h>

enum listen_family { LISTEN_IPV4, LISTEN_IPV6, LISTEN_BOTH /* one IPv6 socket for both */ };

struct listen_request {
    struct ip ip;              /* n 0: all interfaces */
    enum listen_family family; /* of all interfaces */
    struct str scope;          /* of a link-local address: name of an interface; may be empty */
    int port;
    int backlog;
    bool nodelay; /* of the connections too: small packets are not held back */
};

enum listen_step { LISTEN_OK, LISTEN_SOCKET, LISTEN_BIND, LISTEN_LISTEN };

/* A listening socket, close-on-exec, not blocking, in *fd. Otherwise the step that failed, with errno. */
enum listen_step listen_open(const struct listen_request *rq, int *fd);

/* Whether what is accepted from it sends small packets at once (TCP_NODELAY), or waits until earlier ones have arrived. */
void listen_set_nodelay(int fd, bool on);

/* The next connection, close-on-exec and blocking. keepalive: dead peers are noticed. -1 with errno (EAGAIN: none is waiting). */
int listen_accept(int fd, bool keepalive);

/* Connections that wait to be accepted; -1: unknown. */
int listen_waiting(int fd);

/* What TCP fast open has brought to a connection that was just accepted. */
enum listen_fast {
    LISTEN_FAST_NONE,
    LISTEN_FAST_OPEN, /* it can be written to before the peer has answered our first packet */
    LISTEN_FAST_DATA, /* bytes came with the first packet */
};
enum listen_fast listen_fast(int fd);

/* True if it is a listening TCP socket. */
bool listen_is(int fd);

/* The address of the peer of a connected socket. False: not of TCP/IP. */
bool listen_peer(int fd, struct ip *out, int *port);

#endif
