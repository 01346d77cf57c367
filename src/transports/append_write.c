/* The message on its way to a file; see append_write.h. */
#include "transports/append_write.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/header.h"
#include "sys/file.h"

#include <errno.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

bool
append_write_prepare(struct append *d)
{
    (void)d;
    return true;
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

static void
add_line(struct append *d, struct buf *out, struct str line)
{
    struct str check = d->opt->check_string;
    if (check.n > 0 && line.n >= check.n && memcmp(line.p, check.p, check.n) == 0) {
        buf_adds(out, d->opt->escape_string);
        line = str_sub(line, check.n, line.n);
    }
    buf_adds(out, line);
}

static void
add_lines(struct append *d, struct buf *out, struct str text)
{
    for (size_t at = 0; at < text.n;) {
        size_t nl = str_chr(text, '\n', at);
        size_t n = nl == STR_NPOS ? text.n - at : nl + 1 - at;
        add_line(d, out, str_sub(text, at, n));
        at += n;
    }
}

bool
append_write(struct append *d, int fd, const char *name)
{
    const struct transport_job *job = d->job;
    struct str prefix, suffix, body;
    if (!append_expand(d, &d->opt->message_prefix, "prefix", &prefix) ||
        !append_expand(d, &d->opt->message_suffix, "suffix", &suffix))
        return false;
    struct buf out = buf_in(d->arena, 0);
    buf_adds(&out, prefix);
    for (size_t i = 0; job->message->headers != NULL && i < job->message->headers->n; i++)
        if (job->message->headers->v[i].type != HEADER_TYPE_DELETED)
            add_lines(d, &out, job->message->headers->v[i].text);
    buf_addc(&out, '\n');
    if (lseek(job->body_fd, job->body_start, SEEK_SET) < 0 ||
        file_read_fd(d->arena, job->body_fd, STR_MAX - 2, &body) != FILE_OK)
        return append_defer(d, errno, "error while reading the message");
    add_lines(d, &out, body);
    buf_adds(&out, suffix);
    struct durable_fault fault;
    if (!durable_append(d->calls, fd, name, buf_str(&out), &fault)) {
        errno = fault.sys_errno;
        return append_write_failed(d, name);
    }
    d->written = (int64_t)out.n;
    return true;
}
