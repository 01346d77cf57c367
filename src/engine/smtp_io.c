/* The connection of an SMTP session; see smtp_io.h. */
#include "engine/smtp_io.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/await.h"
#include "sys/tls.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    INPUT_CAP = SMTP_LINE_MAX + 4096,
    OUTPUT_FIRST = 2048, /* most answers fit */
    LINE_BYTES = 1000,   /* of what has no ends of lines count as one; RFC 5321, 4.5.3.1.6 */
    EXIT_TEMPFAIL = 75,
};

struct smtp_io {
    int in, out;
    int64_t timeout_ms;
    int64_t deadline_ms; /* of the line under way; 0: none, or nothing of it is awaited yet */
    size_t line_bytes;   /* that have come of it */
    char *input;         /* NULL: none yet */
    size_t cap;
    size_t at, end; /* of what was read and not used */
    char *output;
    size_t output_n, output_cap;
    int64_t lines;
    bool lost;      /* nothing more can be written */
    bool stuck;     /* because the peer has not read for so long */
    bool no_socket; /* out is something else */
    bool ended, timed_out, expired;
    bool skipping; /* in the rest of a line that is too long */
    bool sliced;   /* waits of the socket are short ones */
    bool may_rest; /* a read may end without a result */
    bool at_once;  /* a read is not to wait: of TLS alone */
    int64_t slice_ms;
    struct smtp_io_yield yield; /* crowded NULL: never */
    int64_t window_ms;          /* when the window under way began; 0: none is */
    size_t window_bytes;
    bool slow; /* in the window before */
    bool yielded;
    struct arena *arena;
    struct tls *tls;
    struct tls_connection *secure; /* NULL: bytes go in the clear */
    struct str tls_fault;
};

/* A buffer of that size in place of p. Sizes are ours. */
static char *
resized(char *p, size_t n)
{
    char *q = realloc(p, n);
    if (q == NULL)
        _exit(EXIT_TEMPFAIL);
    return q;
}

static void
free_buffers(void *ctx)
{
    struct smtp_io *io = ctx;
    tls_close(io->tls, io->secure, false);
    free(io->input);
    free(io->output);
}

struct smtp_io *
smtp_io_new(struct arena *a, int in, int out)
{
    struct smtp_io *io = ARENA_NEW(a, struct smtp_io);
    io->in = in;
    io->out = out;
    io->arena = a;
    io->tls_fault = STR_NULL;
    arena_on_free(a, free_buffers, io);
    return io;
}

bool
smtp_io_set_slice(struct smtp_io *io, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    io->sliced = setsockopt(io->in, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0;
    io->slice_ms = ms;
    return io->sliced;
}

void
smtp_io_let_rest(struct smtp_io *io, bool may)
{
    io->may_rest = may && io->sliced;
    io->window_ms = 0;
    io->slow = false;
}

void
smtp_io_set_yield(struct smtp_io *io, const struct smtp_io_yield *y)
{
    io->yield = *y;
}

bool
smtp_io_has_yielded(const struct smtp_io *io)
{
    return io->yielded;
}

void
smtp_io_rest(struct smtp_io *io)
{
    size_t n = io->end - io->at;
    if (io->output_n == 0) {
        free(io->output);
        io->output = NULL;
        io->output_cap = 0;
    }
    if (n == 0) {
        free(io->input);
        io->input = NULL;
    } else {
        memmove(io->input, io->input + io->at, n);
        io->input = resized(io->input, n);
    }
    io->at = 0;
    io->end = io->cap = n;
}

int64_t
smtp_io_deadline_ms(const struct smtp_io *io)
{
    return io->deadline_ms;
}

void
smtp_io_expire(struct smtp_io *io)
{
    io->expired = true;
}

void
smtp_io_set_timeout(struct smtp_io *io, int64_t ms)
{
    io->timeout_ms = ms;
}

int64_t
smtp_io_timeout_ms(const struct smtp_io *io)
{
    return io->timeout_ms;
}

enum { LINGER_MS = 1000, LINGER_BYTES = 256 * 1024 };

/* A peer whose last words are not read gets an error in place of what was said to it. */
void
smtp_io_give_up(struct smtp_io *io)
{
    char rest[4096];
    int64_t deadline_ms = await_now_ms() + LINGER_MS, left;
    io->lost = io->ended = true;
    io->output_n = 0;
    if (shutdown(io->out, SHUT_WR) != 0)
        return;
    for (size_t n = 0; n < LINGER_BYTES && (left = deadline_ms - await_now_ms()) > 0;) {
        struct pollfd p = {.fd = io->in, .events = POLLIN};
        ssize_t got = poll(&p, 1, (int)left) > 0 ? recv(io->in, rest, sizeof rest, 0) : 0;
        if (got <= 0)
            return;
        n += (size_t)got;
    }
}

/* --- output --- */

static int64_t
new_deadline(const struct smtp_io *io)
{
    return io->timeout_ms > 0 ? await_now_ms() + io->timeout_ms : 0;
}

/* Waits for a descriptor; deadline 0: for ever. False: time is up, or something is wrong (errno). */
static bool
await(int fd, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline > 0 ? deadline - await_now_ms() : -1;
        if (deadline > 0 && left <= 0) {
            errno = ETIMEDOUT;
            return false;
        }
        struct pollfd p = {.fd = fd, .events = events};
        int got = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (got > 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
    }
}

/* What there is room for. */
static ssize_t
write_some(struct smtp_io *io, const char *p, size_t n)
{
    ssize_t sent = io->no_socket ? -1 : send(io->out, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && !io->no_socket && errno != ENOTSOCK)
        return sent;
    io->no_socket = io->no_socket || sent < 0;
    return io->no_socket ? write(io->out, p, n) : sent;
}

/* TLS does not come back. */
static void
break_tls(struct smtp_io *io, const struct tls_fault *fault)
{
    if (!str_is_set(io->tls_fault))
        io->tls_fault =
            str_printf(io->arena, "(%.*s): %.*s", STR_ARG(fault->where), STR_ARG(fault->text));
    io->lost = io->ended = true;
}

/* As write(2). EAGAIN: *fd and *events say what to wait for. */
static ssize_t
send_some(struct smtp_io *io, const char *p, size_t n, int *fd, short *events)
{
    struct tls_fault fault;
    *fd = io->out;
    *events = POLLOUT;
    if (io->secure == NULL)
        return write_some(io, p, n);
    ssize_t sent = tls_send(io->tls, io->secure, p, n, &fault);
    if (sent < 0 && errno == EAGAIN && (fault.events & POLLIN) != 0) {
        *fd = io->in;
        *events = POLLIN;
    } else if (sent < 0 && errno != EAGAIN) {
        break_tls(io, &fault);
    }
    return sent;
}

/* A client that does not read what it is told loses its connection when the time for a line is up. */
bool
smtp_io_flush(struct smtp_io *io)
{
    size_t at = 0;
    int64_t deadline = -1;
    while (at < io->output_n && !io->lost) {
        int fd;
        short events;
        ssize_t n = send_some(io, io->output + at, io->output_n - at, &fd, &events);
        if (n < 0 && errno == EAGAIN && deadline < 0)
            deadline = new_deadline(io);
        if (n >= 0)
            at += (size_t)n;
        else if (errno == EAGAIN && await(fd, events, deadline))
            continue;
        else if (errno != EINTR) {
            io->lost = true;
            io->stuck = errno == ETIMEDOUT;
        }
    }
    io->output_n = 0;
    return !io->lost;
}

void
smtp_io_write(struct smtp_io *io, struct str text)
{
    if (io->out < 0)
        return;
    while (text.n > 0 && !io->lost) {
        if (io->output_cap < SMTP_OUTPUT_MAX && text.n > io->output_cap - io->output_n) {
            size_t more = io->output_cap == 0 ? OUTPUT_FIRST : io->output_cap * 4;
            io->output_cap = more < SMTP_OUTPUT_MAX ? more : SMTP_OUTPUT_MAX;
            io->output = resized(io->output, io->output_cap);
            continue;
        }
        size_t room = io->output_cap - io->output_n;
        size_t n = text.n < room ? text.n : room;
        memcpy(io->output + io->output_n, text.p, n);
        io->output_n += n;
        text = str_sub(text, n, text.n);
        if (io->output_n == SMTP_OUTPUT_MAX)
            (void)smtp_io_flush(io);
    }
}

bool
smtp_io_has_timed_out(const struct smtp_io *io)
{
    return io->timed_out;
}

bool
smtp_io_is_stuck(const struct smtp_io *io)
{
    return io->stuck;
}

bool
smtp_io_is_lost(const struct smtp_io *io)
{
    return io->lost;
}

/* --- input --- */

static void
make_room(struct smtp_io *io)
{
    if (io->at == 0)
        return;
    memmove(io->input, io->input + io->at, io->end - io->at);
    io->end -= io->at;
    io->at = 0;
}

static ssize_t
time_is_up(struct smtp_io *io)
{
    io->timed_out = true;
    io->deadline_ms = 0;
    errno = ETIMEDOUT;
    return -1;
}

enum { YIELD_LOOK_MS = 500 };

/* Whether somebody else is to have the thread that waits here. */
static bool
gives_way(struct smtp_io *io)
{
    const struct smtp_io_yield *y = &io->yield;
    int64_t now = await_now_ms();
    if (y->crowded == NULL || io->may_rest)
        return false;
    bool over = io->window_ms > 0 && now - io->window_ms >= y->window_ms;
    if (over)
        io->slow = io->window_bytes < y->bytes;
    if (over || io->window_ms == 0) {
        io->window_ms = now;
        io->window_bytes = 0;
    }
    io->yielded = io->slow && y->crowded(y->ctx);
    return io->yielded;
}

/* How long a wait may be until it has to look up; -1: for ever. */
static int
wait_ms(const struct smtp_io *io)
{
    int64_t left = io->deadline_ms > 0 ? io->deadline_ms - await_now_ms() : -1;
    if (io->yield.crowded != NULL && (left < 0 || left > YIELD_LOOK_MS))
        return YIELD_LOOK_MS;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

static void
begin_line(struct smtp_io *io)
{
    io->deadline_ms = 0;
    io->line_bytes = 0;
}

/* The time is for a line: what comes of it byte by byte has no more. */
static ssize_t
took(struct smtp_io *io, const char *p, ssize_t got)
{
    io->line_bytes += got > 0 ? (size_t)got : 0;
    io->window_bytes += got > 0 ? (size_t)got : 0;
    if (got <= 0 || io->line_bytes >= LINE_BYTES || memchr(p, '\n', (size_t)got) != NULL)
        begin_line(io);
    if (got == 0) {
        io->ended = true;
        io->lines++; /* as errors count: what is missing is in the next one */
    }
    return got;
}

/* By way of TLS, which does not wait by itself. EAGAIN: nothing in this slice, or at once, and that is told. */
static ssize_t
receive_tls(struct smtp_io *io, char *p, size_t n)
{
    struct tls_fault fault;
    for (;;) {
        ssize_t got = io->expired ? -1 : tls_receive(io->tls, io->secure, p, n, &fault);
        if (io->expired || (got < 0 && errno == EAGAIN && io->deadline_ms > 0 &&
                            await_now_ms() >= io->deadline_ms))
            return time_is_up(io);
        if (got >= 0)
            return took(io, p, got);
        if (errno != EAGAIN) {
            break_tls(io, &fault);
            io->deadline_ms = 0;
            errno = EPROTO;
            return -1;
        }
        if (io->at_once) {
            io->deadline_ms = io->line_bytes > 0 ? io->deadline_ms : 0;
            errno = EAGAIN;
            return -1;
        }
        struct pollfd f = {.fd = (fault.events & POLLIN) != 0 ? io->in : io->out,
                           .events = fault.events};
        if (gives_way(io))
            return time_is_up(io);
        int ready = poll(&f, 1, io->may_rest ? (int)io->slice_ms : wait_ms(io));
        if (ready == 0 && io->may_rest) {
            errno = EAGAIN;
            return -1;
        }
    }
}

/* The socket waits, a slice at a time. EAGAIN: nothing in this one, and that is told. */
static ssize_t
receive_sliced(struct smtp_io *io, char *p, size_t n)
{
    for (;;) {
        ssize_t got = io->expired ? -1 : recv(io->in, p, n, 0);
        if (io->expired || (got < 0 && errno == EAGAIN && io->deadline_ms > 0 &&
                            await_now_ms() >= io->deadline_ms))
            return time_is_up(io);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return took(io, p, got);
        if (errno == EAGAIN && io->may_rest)
            return -1;
        if (errno == EAGAIN) { /* a long wait is one call */
            struct pollfd f = {.fd = io->in, .events = POLLIN};
            if (gives_way(io))
                return time_is_up(io);
            (void)poll(&f, 1, wait_ms(io));
        }
    }
}

/* Reads what comes next into p. */
static ssize_t
receive(struct smtp_io *io, char *p, size_t n)
{
    if (io->ended)
        return 0;
    (void)smtp_io_flush(io);
    if (io->deadline_ms == 0)
        io->deadline_ms = new_deadline(io);
    if (io->secure != NULL)
        return receive_tls(io, p, n);
    if (io->sliced)
        return receive_sliced(io, p, n);
    for (;;) {
        if (!await(io->in, POLLIN, io->deadline_ms)) {
            io->timed_out = errno == ETIMEDOUT;
            return -1;
        }
        ssize_t got = read(io->in, p, n);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return took(io, p, got);
    }
}

static ssize_t
fill_up_to(struct smtp_io *io, size_t cap)
{
    make_room(io);
    if (io->cap < cap) {
        io->input = resized(io->input, cap);
        io->cap = cap;
    }
    ssize_t got = receive(io, io->input + io->end, io->cap - io->end);
    if (got > 0)
        io->end += (size_t)got;
    return got;
}

static ssize_t
fill(struct smtp_io *io)
{
    return fill_up_to(io, INPUT_CAP);
}

static enum smtp_read
read_fault(ssize_t got)
{
    if (got < 0 && errno == EAGAIN)
        return SMTP_READ_LATER;
    return got < 0 && errno == ETIMEDOUT ? SMTP_READ_TIMEOUT : SMTP_READ_EOF;
}

/* Throws away up to the end of the line. */
static enum smtp_read
skip_line(struct smtp_io *io)
{
    io->skipping = true;
    for (;;) {
        char *nl =
            io->at == io->end ? NULL : memchr(io->input + io->at, '\n', io->end - io->at);
        io->at = nl == NULL ? io->end : (size_t)(nl - io->input) + 1;
        if (nl != NULL)
            break;
        ssize_t got = fill(io);
        if (got <= 0)
            return read_fault(got);
    }
    io->lines++;
    io->skipping = false;
    return SMTP_READ_TOO_LONG;
}

enum smtp_read
smtp_io_line(struct smtp_io *io, struct str *line)
{
    size_t seen = 0;
    *line = STR_EMPTY;
    if (io->skipping)
        return skip_line(io);
    for (;;) {
        char *nl = io->end - io->at == seen
                       ? NULL
                       : memchr(io->input + io->at + seen, '\n', io->end - io->at - seen);
        if (nl != NULL) {
            size_t n = (size_t)(nl - (io->input + io->at));
            bool cr = n > 0 && nl[-1] == '\r';
            *line = str_tainted(str_from(io->input + io->at, cr ? n - 1 : n));
            io->at += n + 1;
            io->lines++;
            return n < SMTP_LINE_MAX ? SMTP_READ_LINE : SMTP_READ_TOO_LONG;
        }
        seen = io->end - io->at;
        if (seen >= SMTP_LINE_MAX)
            return skip_line(io);
        ssize_t got = fill(io);
        if (got <= 0)
            return read_fault(got);
    }
}

/* A line of one dot; *seen is how far there is none. Which line ends count is for who takes the text to say: here all do. */
static bool
has_last_line(struct str text, size_t *seen)
{
    size_t at = *seen;
    while (at < text.n) {
        size_t next = at + 1;
        if (text.p[at] == '.' && next < text.n)
            next += text.p[next] == '\r';
        if (text.p[at] == '.' && next < text.n && text.p[next] == '\n')
            return true;
        const char *nl = memchr(text.p + at, '\n', text.n - at);
        if (nl == NULL) /* this line is not complete */
            break;
        at = (size_t)(nl - text.p) + 1;
    }
    *seen = at;
    return false;
}

enum smtp_read
smtp_io_text(struct smtp_io *io, size_t *seen)
{
    for (;;) {
        size_t there = io->end - io->at;
        if (there > 0 && has_last_line(str_from(io->input + io->at, there), seen))
            return SMTP_READ_LINE;
        if (there >= SMTP_TEXT_MAX)
            return SMTP_READ_LINE;
        bool large = there + SMTP_LINE_MAX > INPUT_CAP;
        ssize_t got = fill_up_to(io, large ? (size_t)SMTP_TEXT_MAX : (size_t)INPUT_CAP);
        if (got > 0)
            continue;
        if (got < 0 && errno == EAGAIN)
            return SMTP_READ_LATER;
        if (got < 0 && errno == ETIMEDOUT)
            io->expired = true;
        return SMTP_READ_LINE;
    }
}

static void
count_lines(struct smtp_io *io, const char *p, size_t n, int64_t step)
{
    for (const char *nl = p; (nl = memchr(nl, '\n', n - (size_t)(nl - p))) != NULL; nl++)
        io->lines += step;
}

ssize_t
smtp_io_get(struct smtp_io *io, char *p, size_t n)
{
    ssize_t got;
    if (io->at < io->end) {
        size_t there = io->end - io->at;
        got = (ssize_t)(n < there ? n : there);
        memcpy(p, io->input + io->at, (size_t)got);
        io->at += (size_t)got;
    } else {
        got = receive(io, p, n);
    }
    if (got > 0)
        count_lines(io, p, (size_t)got, 1);
    return got;
}

/* Moves what is left so that n bytes fit in front of it. */
static void
make_front(struct smtp_io *io, size_t n)
{
    size_t there = io->end - io->at;
    if (n + there > io->cap) {
        io->cap = n + there + SMTP_LINE_MAX;
        io->input = resized(io->input, io->cap);
    }
    memmove(io->input + n, io->input + io->at, there);
    io->at = n;
    io->end = n + there;
}

void
smtp_io_unget(struct smtp_io *io, const char *p, size_t n)
{
    if (n == 0)
        return;
    if (n > io->at)
        make_front(io, n);
    io->at -= n;
    memcpy(io->input + io->at, p, n);
    count_lines(io, p, n, -1);
}

bool
smtp_io_has_more(const struct smtp_io *io)
{
    return io->at < io->end;
}

bool
smtp_io_is_ahead(struct smtp_io *io)
{
    if (io->at < io->end)
        return true;
    struct pollfd p = {.fd = io->in, .events = POLLIN};
    bool kept = io->secure != NULL && tls_pending(io->tls, io->secure) > 0;
    if (io->ended || (!kept && (poll(&p, 1, 0) <= 0 || (p.revents & POLLIN) == 0)))
        return false;
    io->at_once = true; /* what came may be no bytes of ours */
    bool ahead = fill(io) > 0;
    io->at_once = false;
    return ahead;
}

bool
smtp_io_has_hung_up(struct smtp_io *io, int64_t ms)
{
    struct pollfd p = {.fd = io->in, .events = POLLRDHUP};
    int got = poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int)ms);
    return got > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

struct str
smtp_io_peek(struct smtp_io *io, size_t n)
{
    size_t there = io->end - io->at;
    if (there == 0)
        return STR_EMPTY;
    return str_tainted(str_from(io->input + io->at, n < there ? n : there));
}

bool
smtp_io_more(struct smtp_io *io, int64_t deadline_ms)
{
    int64_t left = deadline_ms - await_now_ms();
    struct pollfd p = {.fd = io->in, .events = POLLIN};
    if (io->end - io->at >= SMTP_LINE_MAX || io->ended || io->lost || left <= 0)
        return false;
    (void)smtp_io_flush(io);
    return poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) > 0 && fill(io) > 0;
}

void
smtp_io_take(struct smtp_io *io, size_t n)
{
    assert(n <= io->end - io->at);
    io->at += n;
    begin_line(io);
}

void
smtp_io_discard_input(struct smtp_io *io)
{
    io->at = io->end = 0;
}

int64_t
smtp_io_line_number(const struct smtp_io *io)
{
    return io->lines;
}

/* --- TLS --- */

void
smtp_io_secure(struct smtp_io *io, struct tls *tls, struct tls_connection *c)
{
    smtp_io_discard_input(io);
    io->tls = tls;
    io->secure = c;
}

void
smtp_io_end_tls(struct smtp_io *io)
{
    if (io->secure == NULL)
        return;
    tls_close(io->tls, io->secure, !io->lost);
    io->secure = NULL;
    io->lost = io->ended = true;
}

struct str
smtp_io_tls_fault(const struct smtp_io *io)
{
    return io->tls_fault;
}

struct tls_connection *
smtp_io_tls(const struct smtp_io *io)
{
    return io->secure;
}
