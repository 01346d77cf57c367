/* What the program and the plugin that speaks TLS agree on: a client's side of a connection.
 *
 * The plugin is plugins/tls. The descriptor does not block; the caller waits, and closes it. Calls that cannot go on
 * return -1 with errno EAGAIN and *events to wait for, those that failed -1 with errno EPROTO and *why.
 */
#ifndef REMEX_SYS_TLS_PLUGIN_H
#define REMEX_SYS_TLS_PLUGIN_H

#include "base/str.h"

#include <sys/types.h>

struct tls_wait {
    struct arena *arena;
    short events;   /* for poll */
    struct str why; /* in arena */
};

/* The second object of the plugin. */
struct tls_client {
    /* A connection on fd; name is what the server is told it is asked for, or NULL. The peer's certificate is not
     * checked. NULL with w->why. Freed with end. */
    void *(*start)(int fd, const char *name, struct tls_wait *w);
    int (*handshake)(void *connection, struct tls_wait *w); /* 0: done */
    ssize_t (*send)(void *connection, const char *p, size_t n, struct tls_wait *w);
    /* 0: the end, whether the peer said goodbye or just went. */
    ssize_t (*receive)(void *connection, char *p, size_t n, struct tls_wait *w);
    void (*end)(void *connection);
};

#endif
