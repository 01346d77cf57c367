/* A relay between a client and a socket; see smtp_relay.h. */
#include "engine/smtp_relay.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16 * 1024 };

struct relay {
    const struct smtp_relay *ends;
    short wants; /* what TLS waits for */
};

/* --- the client's side; -1 with EAGAIN: *events has to be awaited --- */

static ssize_t
client_take(const struct relay *r, char *piece, short *events)
{
    const struct smtp_relay *e = r->ends;
    struct tls_fault fault;
    if (e->secure != NULL) {
        ssize_t n = tls_receive(e->tls, e->secure, piece, PIECE, &fault);
        *events = fault.events;
        return n;
    }
    struct pollfd p = {.fd = e->in, .events = POLLIN};
    *events = POLLIN;
    if (poll(&p, 1, 0) > 0)
        return read(e->in, piece, PIECE);
    errno = EAGAIN;
    return -1;
}

static ssize_t
client_give(const struct relay *r, const char *p, size_t n, short *events)
{
    const struct smtp_relay *e = r->ends;
    struct tls_fault fault;
    *events = POLLOUT;
    if (e->secure == NULL)
        return write(e->out, p, n);
    ssize_t sent = tls_send(e->tls, e->secure, p, n, &fault);
    *events = fault.events;
    return sent;
}

/* The end that is awaited. */
static int
end_for(const struct relay *r, short events)
{
    return (events & POLLOUT) != 0 ? r->ends->out : r->ends->in;
}

/* --- both ways --- */

/* False: it has not taken the bytes. */
static bool
put_other(const struct relay *r, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(r->ends->other, p, n, MSG_NOSIGNAL);
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
        short events;
        ssize_t sent = client_give(r, p, n, &events);
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent == 0 || errno != EAGAIN)
            return false;
        struct pollfd wait = {.fd = end_for(r, events), .events = events};
        if (poll(&wait, 1, SMTP_RELAY_IDLE_MS) == 0)
            return false;
    }
    return true;
}

/* All that has come. False: the client has gone. */
static bool
from_client(struct relay *r, char *piece)
{
    ssize_t n;
    while ((n = client_take(r, piece, &r->wants)) > 0)
        if (!put_other(r, piece, (size_t)n))
            return false;
    bool more = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (n >= 0 || errno == EINTR)
        r->wants = POLLIN;
    return more;
}

static bool
from_other(const struct relay *r, char *piece)
{
    ssize_t n = recv(r->ends->other, piece, PIECE, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    return n > 0 && put_client(r, piece, (size_t)n);
}

void
smtp_relay(const struct smtp_relay *ends)
{
    struct relay r = {.ends = ends, .wants = POLLIN};
    char piece[PIECE];
    while (from_client(&r, piece)) {
        struct pollfd p[] = {{.fd = end_for(&r, r.wants), .events = r.wants},
                             {.fd = ends->other, .events = POLLIN}};
        int n = poll(p, 2, SMTP_RELAY_IDLE_MS);
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
        if (n > 0 && p[1].revents != 0 && !from_other(&r, piece))
            return;
    }
}
