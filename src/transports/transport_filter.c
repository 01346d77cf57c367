/* The program of transport_filter; see transport_filter.h. */
#include "transports/transport_filter.h"

#include "sys/await.h"
#include "sys/signals.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum { READ_CHUNK = 64 * 1024 };

extern char **environ;

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool
transport_filter_start(struct transport_filter *f, char *const *argv)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    f->in = f->out = -1;
    f->pid = -1;
    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0) {
        const struct spawn_request rq = {
            .argv = argv, .environ = environ, .in = in[0], .out = out[1]};
        f->pid = spawn_program(&rq);
    }
    int fault = errno;
    close_fd(&in[0]);
    close_fd(&out[1]);
    if (f->pid < 0) {
        close_fd(&in[1]);
        close_fd(&out[0]);
        errno = fault;
        return false;
    }
    f->in = in[1];
    f->out = out[0];
    return fcntl(f->in, F_SETFL, O_NONBLOCK) == 0;
}

/* Reads once, and passes it on. False: its end (f->out is closed then), or a fault of the destination. */
static bool
read_some(struct transport_filter *f)
{
    char chunk[READ_CHUNK];
    ssize_t n = read(f->out, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        close_fd(&f->out);
        return false;
    }
    return message_sink_lines(f->to, f->lines, chunk, (size_t)n);
}

/* Waits until something can be read, or (when writing is set) written. Returns what poll found, 0 when the time was up. */
static short
wait_either(struct transport_filter *f, bool writing, bool *readable)
{
    struct pollfd p[2] = {
        {.fd = f->out, .events = POLLIN},
        {.fd = writing ? f->in : -1, .events = POLLOUT},
    };
    int n;
    do
        n = poll(p, 2,
                 f->timeout_ms > 0 && f->timeout_ms < INT32_MAX ? (int)f->timeout_ms : -1);
    while (n < 0 && errno == EINTR);
    *readable = n > 0 && p[0].revents != 0;
    if (n == 0)
        f->timed_out = true;
    return n > 0 ? p[1].revents : 0;
}

/* Writes once. False: it reads no more. */
static bool
write_some(struct transport_filter *f, struct iovec **v, int *count)
{
    ssize_t n = signals_writev(f->in, *v, *count);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < 0) {
        close_fd(&f->in);
        return false;
    }
    message_sink_advance(v, count, (size_t)n);
    return true;
}

bool
transport_filter_put(void *ctx, struct iovec *v, int count)
{
    struct transport_filter *f = ctx;
    while (count > 0 && f->in >= 0 && f->out >= 0) {
        bool readable;
        short writable = wait_either(f, true, &readable);
        if (f->timed_out) {
            errno = ETIMEDOUT;
            return false;
        }
        if (readable && !read_some(f) && f->to->sys_errno != 0) {
            errno = f->to->sys_errno;
            return false;
        }
        if (writable != 0 && !write_some(f, &v, &count))
            break;
    }
    return true;
}

bool
transport_filter_finish(struct transport_filter *f, bool whole)
{
    bool readable;
    close_fd(&f->in);
    while (whole && f->out >= 0 && !f->timed_out && f->to->sys_errno == 0) {
        wait_either(f, false, &readable);
        if (readable)
            read_some(f);
    }
    close_fd(&f->out);
    int64_t left = f->timeout_ms > 0 ? f->timeout_ms : 0;
    if (!whole || f->timed_out || f->to->sys_errno != 0) {
        kill(-f->pid, SIGKILL);
        left = 0;
    }
    if (await_end(f->pid, left > 0 ? await_now_ms() + left : 0, &f->status) == AWAIT_TIMED_OUT)
        f->timed_out = true;
    return !f->timed_out && f->to->sys_errno == 0;
}
