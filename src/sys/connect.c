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

/* 0, or the errno. */
static int
start(int fd, const struct connect_request *rq)
{
    union socket_address a;
    set_options(fd, rq);
    if (rq->from.n != 0) {
        socklen_t n = socket_address_make(&rq->from, 0, &a);
        if (bind(fd, &a.any, n) != 0)
            return errno;
    }
    socklen_t n = socket_address_make(&rq->to, rq->port, &a);
    if (connect(fd, &a.any, n) == 0)
        return 0;
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
    out->sys_errno = out->fd < 0 ? errno : start(out->fd, rq);
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
