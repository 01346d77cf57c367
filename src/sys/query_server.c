/* One query, one answer; see query_server.h. */
#include "sys/query_server.h"

#include "base/arena.h"
#include "sys/socket_address.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

static bool
connect_to(int fd, const struct query_server *q)
{
    union socket_address to;
    socklen_t n = socket_address_make(&q->ip, q->port, &to);
    if (connect(fd, &to.any, n) == 0)
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
