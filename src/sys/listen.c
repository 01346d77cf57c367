/* Listening sockets; see listen.h. */
#include "sys/listen.h"

#include "base/arena.h"
#include "sys/socket_address.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* --- addresses --- */

static unsigned
scope_index(struct str scope)
{
    char name[IF_NAMESIZE];
    if (scope.n == 0 || scope.n >= sizeof name)
        return 0;
    memcpy(name, scope.p, scope.n);
    name[scope.n] = '\0';
    return if_nametoindex(name);
}

static socklen_t
make_address(const struct listen_request *rq, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    bool v6 = rq->ip.n == 16 || (rq->ip.n == 0 && rq->family != LISTEN_IPV4);
    if (v6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                                   .sin6_port = htons((uint16_t)rq->port),
                                   .sin6_scope_id = scope_index(rq->scope)};
        if (rq->ip.n == 16)
            memcpy(&in6.sin6_addr, rq->ip.b, 16);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)rq->port)};
    if (rq->ip.n == 4)
        memcpy(&in.sin_addr, rq->ip.b, 4);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

bool
listen_peer(int fd, struct ip *out, int *port)
{
    union socket_address from;
    socklen_t n = sizeof from;
    int64_t at;
    *out = (struct ip){.n = 0};
    if (getpeername(fd, &from.any, &n) != 0 || !socket_address_read(&from, out, &at))
        return false;
    ip_unmap(out);
    *port = (int)at;
    return true;
}

enum listen_fast
listen_fast(int fd)
{
    struct tcp_info i;
    socklen_t n = sizeof i;
    memset(&i, 0, sizeof i);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n) != 0)
        return LISTEN_FAST_NONE;
    return (i.tcpi_options & TCPI_OPT_SYN_DATA) != 0 ? LISTEN_FAST_DATA
           : i.tcpi_state == TCP_SYN_RECV            ? LISTEN_FAST_OPEN
                                                     : LISTEN_FAST_NONE;
}

/* --- opening --- */

/* Fast open, where the system allows it: it does no harm if not. */
static void
allow_fast(int fd, int backlog)
{
    (void)setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &backlog, sizeof backlog);
}

static enum listen_step
prepare(int fd, const struct listen_request *rq)
{
    struct sockaddr_storage ss;
    socklen_t n = make_address(rq, &ss);
    const int on = 1;
    const int only = rq->family == LISTEN_BOTH ? 0 : 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return LISTEN_SOCKET;
    if (ss.ss_family == AF_INET6 && rq->ip.n == 0 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0)
        return LISTEN_SOCKET;
    if (rq->nodelay)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&ss, n) != 0)
        return LISTEN_BIND;
    allow_fast(fd, rq->backlog);
    return listen(fd, rq->backlog) == 0 ? LISTEN_OK : LISTEN_LISTEN;
}

enum listen_step
listen_open(const struct listen_request *rq, int *fd)
{
    bool v6 = rq->ip.n == 16 || (rq->ip.n == 0 && rq->family != LISTEN_IPV4);
    *fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return LISTEN_SOCKET;
    enum listen_step step = prepare(*fd, rq);
    if (step == LISTEN_OK)
        return LISTEN_OK;
    int saved = errno;
    close(*fd);
    *fd = -1;
    errno = saved;
    return step;
}

void
listen_set_nodelay(int fd, bool on)
{
    const int value = on;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

int
listen_accept(int fd, bool keepalive)
{
    const int on = 1;
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (got >= 0 && keepalive)
        (void)setsockopt(got, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return got;
}

int
listen_waiting(int fd)
{
    struct tcp_info info; /* of a listening socket: what waits, and how much may */
    socklen_t n = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 ? (int)info.tcpi_unacked : -1;
}

bool
listen_is(int fd)
{
    int on = 0, domain = 0;
    socklen_t n = sizeof on, m = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on != 0 &&
           getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &m) == 0 &&
           (domain == AF_INET || domain == AF_INET6);
}
