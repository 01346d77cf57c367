/* Replies of servers; see reply_reader.h. */
#include "transports/reply_reader.h"

#include "base/arena.h"
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void
reply_reader_start(struct arena *a, struct reply_reader *r, int fd)
{
    *r = (struct reply_reader){.fd = fd, .text = arena_alloc(a, REPLY_READER_MAX)};
}

/* The reply at the front of what was read, taken off it. */
static enum smtp_reply_status
take(struct arena *a, struct reply_reader *r, struct smtp_reply *out)
{
    size_t used = 0;
    struct str in = str_tainted(str_from(r->text, r->n));
    enum smtp_reply_status st = smtp_reply_parse(a, in, &used, out);
    if (st == SMTP_REPLY_DONE) {
        out->text = str_dup(a, out->text);
        out->enhanced = str_is_set(out->enhanced) ? str_dup(a, out->enhanced) : STR_NULL;
        memmove(r->text, r->text + used, r->n - used);
        r->n -= used;
    }
    if (st == SMTP_REPLY_BAD || (st == SMTP_REPLY_MORE && r->n == REPLY_READER_MAX)) {
        size_t end = str_chr(in, '\n', 0);
        struct str line = str_sub(in, 0, end == STR_NPOS ? in.n : end);
        out->text = str_dup(a, str_trim(str_sub(line, 0, SMTP_REPLY_LINE_MAX)));
        return SMTP_REPLY_BAD;
    }
    return st;
}

static enum reply_end
wait_for(const struct reply_reader *r, short events, int64_t deadline_ms)
{
    int64_t left = -1;
    if (deadline_ms > 0) {
        left = deadline_ms - await_now_ms();
        if (left <= 0)
            return REPLY_TIMED_OUT;
    }
    struct pollfd p = {.fd = r->fd, .events = events};
    int ready = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    if (ready < 0 && errno != EINTR)
        return REPLY_CLOSED;
    return ready == 0 ? REPLY_TIMED_OUT : REPLY_READ;
}

/* Reads once. REPLY_READ: something came, or may have. */
static enum reply_end
fill(struct reply_reader *r, int64_t deadline_ms)
{
    short events = POLLIN;
    char *to = r->text + r->n;
    size_t room = REPLY_READER_MAX - r->n;
    enum reply_end end = r->read == NULL ? wait_for(r, events, deadline_ms) : REPLY_READ;
    if (end != REPLY_READ)
        return end;
    ssize_t n = r->read != NULL ? r->read(r->ctx, to, room, &events) : read(r->fd, to, room);
    if (n < 0 && errno == EAGAIN && r->read != NULL)
        return wait_for(r, events, deadline_ms);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return REPLY_READ;
    if (n == 0)
        errno = 0;
    if (n <= 0)
        return REPLY_CLOSED;
    r->n += (size_t)n;
    return REPLY_READ;
}

enum reply_end
reply_reader_next(struct arena *a, struct reply_reader *r, int64_t timeout_ms,
                  struct smtp_reply *out)
{
    int64_t deadline = timeout_ms > 0 ? await_now_ms() + timeout_ms : 0;
    for (;;) {
        *out = (struct smtp_reply){.text = STR_EMPTY};
        enum smtp_reply_status st = r->n > 0 ? take(a, r, out) : SMTP_REPLY_MORE;
        if (st == SMTP_REPLY_DONE)
            return REPLY_READ;
        if (st == SMTP_REPLY_BAD)
            return REPLY_BAD;
        enum reply_end end = fill(r, deadline);
        if (end != REPLY_READ)
            return end;
    }
}
