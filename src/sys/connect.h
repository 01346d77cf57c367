/* Makes TCP connections, each within its time, from an address of one's own if asked for. */
#ifndef REMEX_SYS_CONNECT_H
#define REMEX_SYS_CONNECT_H

#include "mail/ip.h"

struct connect_request {
    struct ip to;
    int64_t port;       /* 1 to 65535 */
    struct ip from;     /* n == 0: as the system chooses */
    int64_t timeout_ms; /* 0: as long as the system takes */
    bool keepalive;
    int dscp; /* traffic class, 0 to 63; -1: none */
    bool
        fast_open; /* TCP fast open (RFC 7413), if the system does it and the peer has given a cookie */
    struct str first; /* bytes that may go with the first packet then; or empty */
};

/* What fast open has brought. */
enum connect_fast {
    CONNECT_FAST_NONE,
    CONNECT_FAST_OPEN, /* the peer could speak before it had our answer to its first packet */
    CONNECT_FAST_DATA, /* the peer took what came with our first packet */
};

struct connected {
    int fd;         /* non-blocking, close-on-exec; the caller closes it. -1: none */
    int sys_errno;  /* why there is none; ETIMEDOUT when the time was up */
    struct ip from; /* our end */
    int64_t port;
    size_t sent; /* of rq->first */
    enum connect_fast fast;
};

/* True: out->fd. */
bool connect_tcp(const struct connect_request *rq, struct connected *out);

/* Port of a service of TCP: a number, or a name of /etc/services. 0: there is none. */
int64_t connect_port(struct arena *a, struct str service);

/* The number of a traffic class by its name (ef, af41, cs1, throughput...) or number (decimal, octal, hexadecimal); -1: none. */
int connect_dscp(struct str name);

#endif
