/* A relay between TLS and a socket; see smtp_relay.h. */
#include "engine/smtp_relay.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16 * 1024 };

struct relay {
    struct tls *tls;
    struct tls_connection *c;
    int fd, other;
    short wants; /* what TLS waits for on fd */
};

/* False: it has not taken the bytes. */
static bool
put_other(const struct relay *r, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(r->other, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool
put_client(const struct relay *r, const char *p, size_t n)
{
    while (n > 0) {
        struct tls_fault fault;
        ssize_t sent = tls_send(r->tls, r->c, p, n, &fault);
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
            continue;
        }
        if (sent == 0 || errno != EAGAIN)
            return false;
        struct pollfd wait = {.fd = r->fd, .events = fault.events};
        if (poll(&wait, 1, SMTP_RELAY_IDLE_MS) == 0)
            return false;
    }
    return true;
}

/* All that has come. False: the client has gone. */
static bool
from_client(struct relay *r, char *piece)
{
    struct tls_fault fault;
    ssize_t n;
    while ((n = tls_receive(r->tls, r->c, piece, PIECE, &fault)) > 0)
        if (!put_other(r, piece, (size_t)n))
            return false;
    r->wants = n < 0 && errno == EAGAIN ? fault.events : POLLIN;
    return n < 0 && errno == EAGAIN;
}

static bool
from_other(struct relay *r, char *piece)
{
    ssize_t n = recv(r->other, piece, PIECE, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    return n > 0 && put_client(r, piece, (size_t)n);
}

void
smtp_relay(struct tls *tls, struct tls_connection *c, int fd, int other)
{
    struct relay r = {.tls = tls, .c = c, .fd = fd, .other = other, .wants = POLLIN};
    char piece[PIECE];
    while (from_client(&r, piece)) {
        struct pollfd p[] = {{.fd = fd, .events = r.wants}, {.fd = other, .events = POLLIN}};
        int n = poll(p, 2, SMTP_RELAY_IDLE_MS);
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
        if (n > 0 && p[1].revents != 0 && !from_other(&r, piece))
            return;
    }
}
