/* SOCKS 5; see socks.h. */
#include "sys/socks.h"

#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    VERSION = 5,
    AUTH_VERSION = 1,
    METHOD_NONE = 0,
    METHOD_NAME = 2,
    COMMAND_CONNECT = 1,
    KIND_V4 = 1,
    KIND_NAME = 3,
    KIND_V6 = 4,
    PORT_BYTES = 2,
    MESSAGE_MAX = 3 + 2 * SOCKS_WORD_MAX, /* version, two lengths, name, password */
};

/* RFC 1928 section 6. */
static const struct {
    const char *words;
    int sys_errno;
} refusals[] = {
    [1] = {"general failure", 0},
    [2] = {"connection not allowed by its rules", 0},
    [3] = {"network unreachable", ENETUNREACH},
    [4] = {"host unreachable", EHOSTUNREACH},
    [5] = {"connection refused", ECONNREFUSED},
    [6] = {"time to live expired", ETIMEDOUT},
    [7] = {"command not supported", 0},
    [8] = {"kind of address not supported", 0},
};

enum { REFUSALS = sizeof refusals / sizeof *refusals };

struct talk {
    int fd;
    int64_t deadline_ms;
    struct socks_answer *out;
};

static bool
fail(struct talk *t, enum socks_end end)
{
    t->out->end = end;
    return false;
}

/* It fits into the buffer of a fresh connection: one that takes only a part is not well. */
static bool
say(struct talk *t, const unsigned char *p, size_t n)
{
    return send(t->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n || fail(t, SOCKS_CLOSED);
}

static bool
hear(struct talk *t, unsigned char *p, size_t n)
{
    while (n > 0) {
        int64_t left = t->deadline_ms - await_now_ms();
        struct pollfd f = {.fd = t->fd, .events = POLLIN};
        int ready = left <= 0 ? 0 : poll(&f, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (ready == 0)
            return fail(t, SOCKS_TIMED_OUT);
        ssize_t got = ready < 0 ? -1 : read(t->fd, p, n);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return fail(t, SOCKS_CLOSED);
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static size_t
put_word(unsigned char *p, struct str s)
{
    p[0] = (unsigned char)s.n;
    if (s.n > 0)
        memcpy(p + 1, s.p, s.n);
    return s.n + 1;
}

static bool
authenticate(struct talk *t, const struct socks_request *rq)
{
    unsigned char m[MESSAGE_MAX] = {AUTH_VERSION};
    size_t n = 1;
    if (rq->name.n > SOCKS_WORD_MAX || rq->pass.n > SOCKS_WORD_MAX)
        return fail(t, SOCKS_NO_AUTH);
    n += put_word(m + n, rq->name);
    n += put_word(m + n, rq->pass);
    if (!say(t, m, n) || !hear(t, m, 2))
        return false;
    return m[0] != AUTH_VERSION ? fail(t, SOCKS_GARBLED)
           : m[1] != 0          ? fail(t, SOCKS_NO_AUTH)
                                : true;
}

static bool
agree(struct talk *t, const struct socks_request *rq)
{
    unsigned char method = rq->by_name ? METHOD_NAME : METHOD_NONE;
    unsigned char m[] = {VERSION, 1, method};
    if (!say(t, m, sizeof m) || !hear(t, m, 2))
        return false;
    if (m[0] != VERSION)
        return fail(t, SOCKS_GARBLED);
    if (m[1] != method)
        return fail(t, SOCKS_NO_METHOD);
    return !rq->by_name || authenticate(t, rq);
}

static bool
ask(struct talk *t, const struct socks_request *rq)
{
    unsigned char m[4 + sizeof rq->to.b + PORT_BYTES] = {VERSION, COMMAND_CONNECT, 0};
    size_t n = 4;
    m[3] = rq->to.n == 4 ? KIND_V4 : KIND_V6;
    memcpy(m + n, rq->to.b, rq->to.n);
    n += rq->to.n;
    m[n++] = (unsigned char)(rq->port >> 8);
    m[n++] = (unsigned char)(rq->port & 0xff);
    return say(t, m, n);
}

/* The address that the proxy made the connection from; a name is passed over. */
static bool
take_bound(struct talk *t, unsigned char kind)
{
    unsigned char m[SOCKS_WORD_MAX + PORT_BYTES], n = 0;
    struct ip *ip = &t->out->bound;
    switch (kind) {
    case KIND_V4:
        n = 4;
        break;
    case KIND_V6:
        n = 16;
        break;
    case KIND_NAME:
        if (!hear(t, &n, 1))
            return false;
        break;
    default:
        return fail(t, SOCKS_GARBLED);
    }
    if (!hear(t, m, (size_t)n + PORT_BYTES))
        return false;
    if (kind != KIND_NAME) {
        ip->n = n;
        memcpy(ip->b, m, n);
    }
    t->out->bound_port = m[n] << 8 | m[n + 1];
    return true;
}

static bool
take_answer(struct talk *t)
{
    unsigned char m[4];
    if (!hear(t, m, 2))
        return false;
    if (m[0] != VERSION)
        return fail(t, SOCKS_GARBLED);
    t->out->code = m[1];
    if (m[1] != 0) /* what is behind it is of no interest */
        return fail(t, SOCKS_REFUSED);
    return hear(t, m + 2, 2) && take_bound(t, m[3]);
}

bool
socks_connect(int fd, const struct socks_request *rq, struct socks_answer *out)
{
    *out = (struct socks_answer){.end = SOCKS_CONNECTED};
    struct talk t = {.fd = fd, .deadline_ms = rq->deadline_ms, .out = out};
    return agree(&t, rq) && ask(&t, rq) && take_answer(&t);
}

const char *
socks_words(const struct socks_answer *a)
{
    static const char *const words[] = {
        [SOCKS_CONNECTED] = "connected",
        [SOCKS_TIMED_OUT] = "no answer in time",
        [SOCKS_CLOSED] = "connection closed",
        [SOCKS_GARBLED] = "it does not speak SOCKS 5",
        [SOCKS_NO_METHOD] = "it wants another kind of authentication",
        [SOCKS_NO_AUTH] = "authentication failed",
        [SOCKS_REFUSED] = "refused for an unknown reason",
    };
    bool known = a->end == SOCKS_REFUSED && a->code > 0 && a->code < REFUSALS;
    return known ? refusals[a->code].words : words[a->end];
}

int
socks_errno(const struct socks_answer *a)
{
    return a->end == SOCKS_REFUSED && a->code > 0 && a->code < REFUSALS
               ? refusals[a->code].sys_errno
               : 0;
}
