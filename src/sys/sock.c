/* One request, one answer; see sock.h. */
#include "sys/sock.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/tls_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Waits for events; false with errno (ETIMEDOUT when the time is up). */
static bool
wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int r;
    do {
        r = poll(&p, 1, timeout_ms);
    } while (r < 0 && errno == EINTR);
    if (r == 0)
        errno = ETIMEDOUT;
    return r > 0;
}

static bool
connect_within(int fd, const struct sockaddr *addr, socklen_t n, int timeout_ms)
{
    if (connect(fd, addr, n) == 0)
        return true;
    if (errno != EINPROGRESS && errno != EAGAIN)
        return false;
    if (!wait_for(fd, POLLOUT, timeout_ms))
        return false;
    int failed = 0;
    socklen_t size = sizeof failed;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0)
        return false;
    errno = failed;
    return failed == 0;
}

static int
open_socket(int family, const struct sockaddr *addr, socklen_t n, int timeout_ms)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect_within(fd, addr, n, timeout_ms))
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int
connect_unix(struct arena *a, const struct sock_request *rq, struct str *error)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (rq->where.n >= sizeof sa.sun_path || str_has_nul(rq->where)) {
        *error = str_printf(a, "failed to connect to socket %.*s: %s", STR_ARG(rq->where),
                            strerror(ENAMETOOLONG));
        return -1;
    }
    memcpy(sa.sun_path, rq->where.p, rq->where.n);
    int fd = open_socket(AF_UNIX, (const struct sockaddr *)&sa, sizeof sa, rq->timeout_ms);
    if (fd < 0)
        *error = str_printf(a, "failed to connect to socket %.*s: %s", STR_ARG(rq->where),
                            strerror(errno));
    return fd;
}

/* Cuts inet:host:port in two; the host as written (with brackets) is for messages. */
static bool
cut_host_port(struct arena *a, struct str where, struct str *host, const char **node,
              const char **port, struct str *error)
{
    struct str rest = str_sub(where, strlen("inet:"), where.n);
    size_t colon = str_rchr(rest, ':');
    size_t bracket = str_rchr(rest, ']');
    if (colon == STR_NPOS || (bracket != STR_NPOS && colon < bracket)) {
        *error = str_printf(a, "missing port number for readsocket %.*s", STR_ARG(where));
        return false;
    }
    *host = str_sub(rest, 0, colon);
    struct str bare = *host;
    if (bare.n > 1 && bare.p[0] == '[' && bare.p[bare.n - 1] == ']')
        bare = str_sub(bare, 1, bare.n - 2);
    *node = str_cstr(a, bare);
    *port = str_cstr(a, str_sub(rest, colon + 1, rest.n));
    if (*node != NULL && *port != NULL && **port != '\0')
        return true;
    *error = str_printf(a, "missing port number for readsocket %.*s", STR_ARG(where));
    return false;
}

static int
connect_inet(struct arena *a, const struct sock_request *rq, struct str *error)
{
    struct str host;
    const char *node, *port;
    if (!cut_host_port(a, rq->where, &host, &node, &port, error))
        return -1;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int r = getaddrinfo(node, port, &hints, &found);
    if (r == EAI_SERVICE) {
        *error = str_printf(a, "unknown port \"%s\"", port);
        return -1;
    }
    if (r != 0) {
        *error = str_printf(a, "no IP address found for host %.*s", STR_ARG(host));
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *i = found; i != NULL && fd < 0; i = i->ai_next)
        fd = open_socket(i->ai_family, i->ai_addr, i->ai_addrlen, rq->timeout_ms);
    if (fd < 0)
        *error = str_printf(a, "failed to connect to any address for %.*s: %s", STR_ARG(host),
                            strerror(errno));
    freeaddrinfo(found);
    return fd;
}

/* --- what goes through it --- */

/* A connected socket, with TLS or without. */
struct channel {
    int fd;
    const struct sock_request *rq;
    void *tls;
    struct tls_wait wait;
};

/* After a call that failed: true when it may be tried again. */
static bool
may_go_on(struct channel *c)
{
    return errno == EINTR ||
           (errno == EAGAIN && wait_for(c->fd, c->wait.events, c->rq->timeout_ms));
}

static ssize_t
channel_send(struct channel *c, const char *p, size_t n)
{
    c->wait.events = POLLOUT;
    return c->tls != NULL ? c->rq->tls->send(c->tls, p, n, &c->wait)
                          : send(c->fd, p, n, MSG_NOSIGNAL);
}

static ssize_t
channel_receive(struct channel *c, char *p, size_t n)
{
    c->wait.events = POLLIN;
    return c->tls != NULL ? c->rq->tls->receive(c->tls, p, n, &c->wait) : recv(c->fd, p, n, 0);
}

/* What errno means, with more from TLS. */
static const char *
channel_error(const struct channel *c)
{
    return errno == EPROTO && c->wait.why.n > 0 ? str_cstr(c->wait.arena, c->wait.why)
                                                : strerror(errno);
}

static bool
start_tls(struct channel *c, struct str *error)
{
    const struct sock_request *rq = c->rq;
    struct arena *a = c->wait.arena;
    if (rq->tls == NULL)
        return true;
    c->tls = rq->tls->start(c->fd, rq->sni.n > 0 ? str_cstr(a, rq->sni) : NULL, &c->wait);
    bool ok = c->tls != NULL;
    errno = EPROTO;
    while (ok && rq->tls->handshake(c->tls, &c->wait) != 0)
        ok = may_go_on(c);
    if (!ok)
        *error = str_printf(a, "TLS negotiation failed: %s", channel_error(c));
    return ok;
}

static bool
send_all(struct channel *c, struct str *error)
{
    struct str text = c->rq->text;
    for (size_t at = 0; at < text.n;) {
        ssize_t r = channel_send(c, text.p + at, text.n - at);
        if (r >= 0) {
            at += (size_t)r;
        } else if (!may_go_on(c)) {
            *error = str_printf(c->wait.arena, "request write to socket failed: %s",
                                channel_error(c));
            return false;
        }
    }
    return true;
}

/* Reads to end of file; the words of the error are Exim's. */
static bool
read_answer(struct channel *c, struct str *answer, struct str *error)
{
    struct buf b = buf_in(c->wait.arena, c->rq->max_answer);
    char chunk[4096];
    ssize_t r;
    errno = 0;
    while ((r = channel_receive(c, chunk, sizeof chunk)) != 0) {
        if (r > 0)
            buf_add(&b, chunk, (size_t)r);
        else if (!may_go_on(c))
            break;
        errno = 0;
        if (b.overflow) {
            *error = STR_LIT("answer from socket is too long");
            return false;
        }
    }
    if (errno == ETIMEDOUT) {
        *error = STR_LIT("socket read timed out");
        return false;
    }
    *answer = str_tainted(buf_str(&b));
    if (answer->p == NULL)
        *answer = str_tainted(STR_EMPTY);
    return true;
}

bool
sock_ask(struct arena *a, const struct sock_request *rq, struct str *answer, struct str *error)
{
    struct channel c = {.rq = rq, .wait = {.arena = a}};
    c.fd = str_starts(rq->where, "inet:") ? connect_inet(a, rq, error)
                                          : connect_unix(a, rq, error);
    if (c.fd < 0)
        return false;
    bool ok = start_tls(&c, error) && send_all(&c, error);
    if (ok && rq->shut_down && c.tls == NULL)
        shutdown(c.fd, SHUT_WR);
    if (ok)
        ok = read_answer(&c, answer, error);
    if (c.tls != NULL)
        rq->tls->end(c.tls);
    close(c.fd);
    return ok;
}
