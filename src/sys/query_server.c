/* One query, one answer; see query_server.h. */
#include "sys/query_server.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static bool
wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do {
        n = poll(&p, 1, timeout_ms);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

static socklen_t
make_address(const struct query_server *q, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (q->ip.n == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)q->port)};
        memcpy(&in.sin_addr, q->ip.b, 4);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)q->port)};
    memcpy(&in.sin6_addr, q->ip.b, 16);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

static bool
connect_to(int fd, const struct query_server *q)
{
    struct sockaddr_storage to;
    socklen_t n = make_address(q, &to);
    if (connect(fd, (const struct sockaddr *)&to, n) == 0)
        return true;
    if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, q->timeout_ms))
        return false;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return false;
    errno = error;
    return error == 0;
}

static bool
exchange(int fd, const struct query_server *q, char *p, size_t room, size_t *got)
{
    if (!connect_to(fd, q))
        return false;
    ssize_t n = send(fd, q->query.p, q->query.n, MSG_NOSIGNAL);
    if (n != (ssize_t)q->query.n) {
        errno = n < 0 ? errno : EMSGSIZE;
        return false;
    }
    if (!wait_for(fd, POLLIN, q->timeout_ms))
        return false;
    n = recv(fd, p, room, 0);
    *got = n > 0 ? (size_t)n : 0;
    if (n == 0)
        errno = ECONNRESET;
    return n > 0;
}

bool
query_server_ask(struct arena *a, const struct query_server *q, struct str *answer)
{
    int family = q->ip.n == 4 ? AF_INET : AF_INET6;
    int type = q->protocol == QUERY_SERVER_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    char *p = arena_alloc(a, QUERY_SERVER_ANSWER_MAX);
    size_t n = 0;
    bool ok = exchange(fd, q, p, QUERY_SERVER_ANSWER_MAX, &n);
    int error = errno;
    close(fd);
    errno = error;
    *answer = str_tainted(str_from(p, n));
    return ok;
}
