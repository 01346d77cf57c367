/* Dialogues in lines; see line_socket.h. */
#include "sys/line_socket.h"

#include "base/arena.h"
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool
wait_for(const struct line_socket *s, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - await_now_ms();
        struct pollfd p = {.fd = s->fd, .events = events};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0)
            return true;
        if (n == 0)
            errno = ETIMEDOUT;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

void
line_socket_start(struct arena *a, struct line_socket *s, int fd, int64_t timeout_ms)
{
    *s = (struct line_socket){
        .fd = fd, .timeout_ms = timeout_ms, .text = arena_alloc(a, LINE_SOCKET_MAX)};
}

/* A server whose queue is full takes us later: nothing tells when. */
static bool
connect_local(int fd, const struct sockaddr_un *to, int64_t deadline_ms)
{
    enum { PAUSE_MS = 10 };
    while (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
        if (errno != EAGAIN && errno != EINTR)
            return false;
        if (await_now_ms() + PAUSE_MS >= deadline_ms) {
            errno = ETIMEDOUT;
            return false;
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
    return true;
}

bool
line_socket_open(struct arena *a, struct line_socket *s, struct str path, int64_t timeout_ms)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    *s = (struct line_socket){.fd = -1, .timeout_ms = timeout_ms};
    if (path.n == 0 || path.n >= sizeof to.sun_path || str_has_nul(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(to.sun_path, path.p, path.n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    line_socket_start(a, s, fd, timeout_ms);
    if (fd >= 0 && connect_local(fd, &to, await_now_ms() + timeout_ms))
        return true;
    int error = errno;
    line_socket_close(s);
    errno = error;
    return false;
}

bool
line_socket_send(struct line_socket *s, struct str text)
{
    int64_t deadline_ms = await_now_ms() + s->timeout_ms;
    while (text.n > 0) {
        ssize_t n = send(s->fd, text.p, text.n, MSG_NOSIGNAL);
        if (n >= 0)
            text = str_sub(text, (size_t)n, text.n);
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(s, POLLOUT, deadline_ms)))
            return false;
    }
    return true;
}

static bool
fill(struct line_socket *s, int64_t deadline_ms)
{
    if (s->at > 0) {
        memmove(s->text, s->text + s->at, s->end - s->at);
        s->end -= s->at;
        s->at = 0;
    }
    if (s->end == LINE_SOCKET_MAX) {
        errno = EMSGSIZE;
        return false;
    }
    if (!wait_for(s, POLLIN, deadline_ms))
        return false;
    ssize_t n = recv(s->fd, s->text + s->end, LINE_SOCKET_MAX - s->end, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n == 0)
        errno = 0;
    if (n > 0)
        s->end += (size_t)n;
    return n > 0;
}

bool
line_socket_read(struct line_socket *s, struct str *line)
{
    int64_t deadline_ms = await_now_ms() + s->timeout_ms;
    for (;;) {
        char *nl = s->at < s->end ? memchr(s->text + s->at, '\n', s->end - s->at) : NULL;
        if (nl != NULL) {
            size_t n = (size_t)(nl - (s->text + s->at));
            *line = str_tainted(str_from(s->text + s->at, n));
            s->at += n + 1;
            return true;
        }
        if (!fill(s, deadline_ms))
            return false;
    }
}

ssize_t
line_socket_some(struct line_socket *s, char *p, size_t n)
{
    int64_t deadline_ms = await_now_ms() + s->timeout_ms;
    while (s->at == s->end) {
        s->at = s->end = 0;
        if (!fill(s, deadline_ms))
            return errno == 0 ? 0 : -1;
    }
    n = n < s->end - s->at ? n : s->end - s->at;
    memcpy(p, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

void
line_socket_close(struct line_socket *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
