/* The message on its way to a file; see append_write.h. */
#include "transports/append_write.h"

#include "base/arena.h"
#include "transports/message_write.h"

#include <errno.h>

bool
append_write_prepare(struct append *d)
{
    const struct transport_appendfile *o = d->opt;
    struct message_write *w = ARENA_NEW(d->arena, struct message_write);
    struct transport_job job = *d->job;
    job.transport = d->transport;
    message_write_init(w, &job);
    w->check = o->check_string;
    w->escape = o->escape_string;
    w->prefix = o->message_prefix;
    w->suffix = o->message_suffix;
    w->flags |= o->use_bsmtp ? MESSAGE_WRITE_BSMTP | MESSAGE_WRITE_DOTS : 0u;
    w->flags |= o->use_crlf || o->mbx_format ? MESSAGE_WRITE_CRLF : 0u;
    d->message = w;
    if (message_write_prepare(w, &d->answer->why) == OUT_OK) {
        d->answer->why.outcome = OUT_OK;
        return true;
    }
    if (d->answer->why.sys_errno == 0) {
        d->answer->why.sys_errno = WHY_EXPANSION;
        d->answer->why.outcome = OUT_DEFER;
    }
    return false;
}

bool
append_write_failed(struct append *d, const char *name)
{
    int err = errno;
    if (err == EDQUOT)
        return append_defer(
            d, err, "mailbox is full (system quota exceeded while writing to %s)", name);
    return append_defer(d, err, "error while writing to %s", name);
}

/* A message's way through the table of calls. */
struct out {
    struct append *d;
    int fd;
};

static bool
put(void *ctx, struct iovec *v, int n)
{
    const struct out *o = ctx;
    struct durable_fault fault;
    for (int i = 0; i < n; i++) {
        struct str piece = str_from(v[i].iov_base, v[i].iov_len);
        if (!durable_append(o->d->calls, o->fd, "", piece, &fault)) {
            errno = fault.sys_errno;
            return false;
        }
    }
    return true;
}

static bool
explain(struct append *d, const char *name, const struct message_written *end)
{
    if (end->filter_failed) {
        int code = message_written_code(end);
        return append_defer(d, WHY_FILTER,
                            "transport filter process failed (%d) while writing to %s%s", code,
                            name, code == 127 ? ": unable to execute command" : "");
    }
    if (end->reading)
        return append_defer(d, end->sys_errno, "error while reading the message for %s", name);
    errno = end->filter_timed_out ? ETIMEDOUT : end->sys_errno;
    return append_write_failed(d, name);
}

bool
append_write(struct append *d, int fd, const char *name)
{
    struct out o = {.d = d, .fd = fd};
    struct message_sink sink = {.arena = d->arena, .put = put, .ctx = &o};
    struct message_written end;
    message_write(d->message, &sink, &end);
    d->written = end.bytes;
    return end.ok || explain(d, name, &end);
}

bool
append_write_text(struct append *d, int fd, const char *name, struct str text)
{
    struct durable_fault fault;
    if (durable_append(d->calls, fd, name, text, &fault))
        return true;
    errno = fault.sys_errno;
    return append_write_failed(d, name);
}
