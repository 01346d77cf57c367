/* TCP connections; see connect.h. */
#include "sys/connect.h"

#include "base/arena.h"
#include "sys/await.h"
#include "sys/socket_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
set_options(int fd, const struct connect_request *rq)
{
    int on = 1, class = rq->dscp * 4;
    if (rq->keepalive)
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    /* Commands and data are written whole: there is nothing to wait for. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (rq->dscp >= 0 && rq->to.n == 4)
        (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &class, sizeof class);
    else if (rq->dscp >= 0)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class);
}

/* 0, or the errno. */
static int
wait_connected(int fd, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms > 0 ? await_now_ms() + timeout_ms : 0;
    for (;;) {
        int64_t left = deadline == 0 ? -1 : deadline - await_now_ms();
        if (deadline != 0 && left <= 0)
            return ETIMEDOUT;
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0)
            break;
    }
    int fault = 0;
    socklen_t n = sizeof fault;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &n) != 0 ? errno : fault;
}

/* True if the system says of the connection that it is in a state, with an option. */
static bool
is_in(int fd, int state, unsigned option)
{
    struct tcp_info i;
    socklen_t n = sizeof i;
    memset(&i, 0, sizeof i);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n) == 0 &&
           (state < 0 || i.tcpi_state == state) && (i.tcpi_options & option) == option;
}

/* There is a cookie: nothing was sent so far, the first packet goes with the first bytes, or with none. 0, or the errno. */
static int
start_fast(int fd, const struct connect_request *rq, struct connected *out)
{
    bool data = rq->first.n > 0;
    ssize_t n = send(fd, data ? rq->first.p : "", rq->first.n, MSG_NOSIGNAL);
    if (n < 0 && errno != EINPROGRESS)
        return errno;
    out->sent = n > 0 ? (size_t)n : 0;
    bool ahead = is_in(fd, TCP_SYN_SENT, 0);
    int fault = wait_connected(fd, rq->timeout_ms);
    if (fault == 0 && data && is_in(fd, -1, TCPI_OPT_SYN_DATA))
        out->fast = CONNECT_FAST_DATA;
    else if (fault == 0 && !data && ahead)
        out->fast = CONNECT_FAST_OPEN;
    return fault;
}

/* 0, or the errno. */
static int
start(int fd, const struct connect_request *rq, struct connected *out)
{
    const int on = 1;
    union socket_address a;
    set_options(fd, rq);
    if (rq->from.n != 0) {
        socklen_t n = socket_address_make(&rq->from, 0, &a);
        if (bind(fd, &a.any, n) != 0)
            return errno;
    }
    socklen_t n = socket_address_make(&rq->to, rq->port, &a);
    bool fast =
        rq->fast_open && setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) == 0;
    if (connect(fd, &a.any, n) == 0)
        return fast ? start_fast(fd, rq, out) : 0;
    return errno == EINPROGRESS || errno == EINTR ? wait_connected(fd, rq->timeout_ms) : errno;
}

static void
find_own_end(struct connected *out)
{
    union socket_address a;
    socklen_t n = sizeof a;
    memset(&a, 0, sizeof a);
    if (getsockname(out->fd, &a.any, &n) == 0)
        (void)socket_address_read(&a, &out->from, &out->port);
}

bool
connect_tcp(const struct connect_request *rq, struct connected *out)
{
    *out = (struct connected){.fd = -1, .sys_errno = EINVAL};
    if (rq->port < 1 || rq->port > 65535 || (rq->to.n != 4 && rq->to.n != 16))
        return false;
    out->fd = socket(rq->to.n == 4 ? AF_INET : AF_INET6,
                     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    out->sys_errno = out->fd < 0 ? errno : start(out->fd, rq, out);
    if (out->fd >= 0 && out->sys_errno != 0) {
        close(out->fd);
        out->fd = -1;
    }
    if (out->fd >= 0)
        find_own_end(out);
    return out->fd >= 0;
}

int64_t
connect_port(struct arena *a, struct str service)
{
    int64_t n = 0;
    size_t i = 0;
    for (; i < service.n && ascii_digit(service.p[i]) && n <= 65535; i++)
        n = n * 10 + (service.p[i] - '0');
    if (service.n > 0 && i == service.n)
        return n <= 65535 ? n : 0;
    const char *name = str_cstr(a, service);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (name == NULL || service.n == 0 || getaddrinfo(NULL, name, &hints, &found) != 0)
        return 0;
    union socket_address at;
    memset(&at, 0, sizeof at);
    if (found->ai_addrlen <= sizeof at)
        memcpy(&at, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return ntohs(at.in.sin_port);
}

/* Names of RFC 2474, 2597, 3246, and those of the old type of service. */
static const struct {
    const char *name;
    int class;
} classes[] = {
    {"af11", 10},      {"af12", 12},   {"af13", 14},    {"af21", 18},   {"af22", 20},
    {"af23", 22},      {"af31", 26},   {"af32", 28},    {"af33", 30},   {"af41", 34},
    {"af42", 36},      {"af43", 38},   {"cs0", 0},      {"cs1", 8},     {"cs2", 16},
    {"cs3", 24},       {"cs4", 32},    {"cs5", 40},     {"cs6", 48},    {"cs7", 56},
    {"ef", 46},        {"lowcost", 0}, {"lowdelay", 4}, {"mincost", 0}, {"reliability", 1},
    {"throughput", 2},
};

/* Decimal, octal or hexadecimal; -1: not one, or too large. */
static int
read_class(struct str s)
{
    char text[8], *end;
    if (s.n >= sizeof text)
        return -1;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    long n = strtol(text, &end, 0);
    return *end == '\0' && n >= 0 && n <= 63 ? (int)n : -1;
}

int
connect_dscp(struct str name)
{
    if (name.n > 0 && ascii_digit(name.p[0]))
        return read_class(name);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (str_ieqz(name, classes[i].name))
            return classes[i].class;
    return -1;
}
