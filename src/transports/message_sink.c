/* Where the bytes of a message go; see message_sink.h. */
#include "transports/message_sink.h"

#include "base/arena.h"
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static bool
wait_for_room(const struct message_sink *s)
{
    int64_t left = s->idle_ms > 0 ? s->idle_ms : -1;
    if (s->deadline_ms > 0 && (left < 0 || s->deadline_ms - await_now_ms() < left)) {
        left = s->deadline_ms - await_now_ms();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    int n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0 || (n < 0 && errno == EINTR);
}

void
message_sink_advance(struct iovec **v, int *count, size_t n)
{
    while (*count > 0 && n >= (*v)->iov_len) {
        n -= (*v)->iov_len;
        (*v)++;
        (*count)--;
    }
    if (*count > 0) {
        (*v)->iov_base = (char *)(*v)->iov_base + n;
        (*v)->iov_len -= n;
    }
}

static bool
write_fd(const struct message_sink *s, struct iovec *v, int count)
{
    while (count > 0) {
        ssize_t n = writev(s->fd, v, count);
        if (n >= 0)
            message_sink_advance(&v, &count, (size_t)n);
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for_room(s))
                return false;
        } else if (errno != EINTR)
            return false;
    }
    return true;
}

/* Sends what was gathered and n more bytes. */
static bool
send_with(struct message_sink *s, const char *p, size_t n)
{
    union {
        const char *read;
        void *write;
    } bytes = {.read = p}; /* an iovec has no const; writing never changes it */
    struct iovec v[2] = {
        {.iov_base = s->gathered, .iov_len = s->gathered_n},
        {.iov_base = bytes.write, .iov_len = n},
    };
    struct iovec *from = s->gathered_n > 0 ? v : v + 1;
    int count = (int)(v + (n > 0 ? 2 : 1) - from);
    s->gathered_n = 0;
    if (s->sys_errno != 0)
        return false;
    if (count <= 0)
        return true;
    bool ok = s->put != NULL ? s->put(s->ctx, from, count) : write_fd(s, from, count);
    if (!ok)
        s->sys_errno = errno != 0 ? errno : EIO;
    return ok;
}

bool
message_sink_add(struct message_sink *s, const char *p, size_t n)
{
    if (n == 0)
        return s->sys_errno == 0;
    s->bytes += (int64_t)n;
    if (s->gathered == NULL)
        s->gathered = arena_alloc(s->arena, MESSAGE_SINK_BUFFER);
    if (n >= MESSAGE_SINK_DIRECT)
        return send_with(s, p, n);
    if (n > MESSAGE_SINK_BUFFER - s->gathered_n && !send_with(s, NULL, 0))
        return false;
    memcpy(s->gathered + s->gathered_n, p, n);
    s->gathered_n += n;
    return s->sys_errno == 0;
}

bool
message_sink_adds(struct message_sink *s, struct str text)
{
    return message_sink_add(s, text.p, text.n);
}

bool
message_sink_flush(struct message_sink *s)
{
    return send_with(s, NULL, 0);
}

/* --- lines --- */

/* The beginning of a line: as much of it as is needed to know whether it is to be escaped. Returns the bytes that need
 * no more attention. */
static size_t
begin_line(struct message_sink *s, struct message_lines *l, const char *p, size_t n)
{
    size_t i = 0, held = l->matched;
    while (i < n && l->matched < l->check.n && p[i] == l->check.p[l->matched]) {
        l->matched++;
        i++;
    }
    if (l->matched == l->check.n) {
        message_sink_adds(s, l->escape);
        l->cr = false;
    } else if (i == n)
        return n; /* not known yet; matched says what is held back */
    else {
        message_sink_add(s, l->check.p, held);
        i = 0;
    }
    l->inside = true;
    l->matched = 0;
    return i;
}

static void
end_line(struct message_sink *s, const struct message_lines *l, bool cr)
{
    if (l->crlf && !cr)
        message_sink_add(s, "\r\n", 2);
    else
        message_sink_add(s, "\n", 1);
}

/* Up to and with the next newline. Returns the bytes used. */
static size_t
rest_of_line(struct message_sink *s, struct message_lines *l, const char *p, size_t n)
{
    const char *nl = memchr(p, '\n', n);
    size_t text = nl != NULL ? (size_t)(nl - p) : n;
    bool cr = text > 0 ? p[text - 1] == '\r' : l->cr;
    message_sink_add(s, p, text);
    l->cr = cr;
    if (nl == NULL)
        return n;
    end_line(s, l, cr);
    l->cr = false;
    l->inside = false;
    return text + 1;
}

/* Whole pieces without a line that begins as check does need no other change. Returns their length. */
static size_t
plain_run(const struct message_lines *l, const char *p, size_t n)
{
    if (l->crlf)
        return 0;
    const char *at = p, *end = p + n;
    for (;;) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        if (nl == NULL || nl + 1 == end)
            return nl == NULL ? (size_t)(at - p) : n;
        at = nl + 1;
        if (*at == l->check.p[0])
            return (size_t)(at - p);
    }
}

bool
message_sink_lines(struct message_sink *s, struct message_lines *l, const char *p, size_t n)
{
    if (n == 0)
        return s->sys_errno == 0;
    l->any = true;
    l->newline = p[n - 1] == '\n';
    bool escapes = l->check.n > 0 && str_is_set(l->escape);
    if (!escapes && !l->crlf)
        return message_sink_add(s, p, n);
    for (size_t i = 0; i < n && s->sys_errno == 0;) {
        if (!l->inside && escapes) {
            i += begin_line(s, l, p + i, n - i);
            continue;
        }
        l->inside = true;
        size_t run = escapes ? plain_run(l, p + i, n - i) : 0;
        if (run > 0) {
            message_sink_add(s, p + i, run);
            i += run;
            l->inside = p[i - 1] != '\n';
            continue;
        }
        i += rest_of_line(s, l, p + i, n - i);
    }
    return s->sys_errno == 0;
}

bool
message_sink_lines_end(struct message_sink *s, struct message_lines *l)
{
    if (!l->inside && l->matched > 0)
        message_sink_add(s, l->check.p, l->matched);
    l->matched = 0;
    return s->sys_errno == 0;
}
