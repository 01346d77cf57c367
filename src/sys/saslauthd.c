/* The saslauthd client; see saslauthd.h. The daemon may answer less than it announces and close: what came
 * is then the answer, as in Exim. */
#include "sys/saslauthd.h"

#include "base/arena.h"
#include "base/buf.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False with errno at the deadline. */
static bool
wait_for(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = deadline_ms - now_ms();
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR) {
            errno = n == 0 ? ETIMEDOUT : errno;
            return false;
        }
    }
}

static int
open_socket(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof to.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(to.sun_path, path, n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool
send_all(int fd, struct str text, int64_t deadline_ms)
{
    for (size_t at = 0; at < text.n;) {
        if (!wait_for(fd, POLLOUT, deadline_ms))
            return false;
        ssize_t n = send(fd, text.p + at, text.n - at, MSG_NOSIGNAL);
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
    }
    return true;
}

/* Up to n bytes, fewer at the end of file; -1: error. */
static ssize_t
receive(int fd, char *to, size_t n, int64_t deadline_ms)
{
    size_t at = 0;
    while (at < n) {
        if (!wait_for(fd, POLLIN, deadline_ms))
            return -1;
        ssize_t got = recv(fd, to + at, n - at, 0);
        if (got == 0)
            break;
        if (got > 0)
            at += (size_t)got;
        else if (errno != EINTR && errno != EAGAIN)
            return -1;
    }
    return (ssize_t)at;
}

static bool
add_text(struct buf *b, struct str s)
{
    if (s.n > SASLAUTHD_TEXT_MAX)
        return false;
    buf_addc(b, (char)(s.n >> 8));
    buf_addc(b, (char)(s.n & 0xff));
    buf_adds(b, s);
    return true;
}

static enum saslauthd_verdict
judge(struct arena *a, const char *text, size_t n, struct str *why)
{
    struct str s = str_from(text, n);
    if (str_starts(s, "OK"))
        return SASLAUTHD_YES;
    if (str_starts(s, "NO"))
        return SASLAUTHD_NO;
    *why = n >= 2 ? str_tainted(str_dup(a, s)) : STR_LIT("no answer from saslauthd daemon");
    return SASLAUTHD_ERROR;
}

static enum saslauthd_verdict
exchange(struct arena *a, int fd, struct str request, int64_t deadline_ms, struct str *why)
{
    unsigned char head[2] = {0};
    char text[SASLAUTHD_ANSWER_MAX];
    if (!send_all(fd, request, deadline_ms)) {
        *why = str_printf(a, "failed to write to saslauthd daemon: %s", strerror(errno));
        return SASLAUTHD_ERROR;
    }
    ssize_t n = receive(fd, (char *)head, sizeof head, deadline_ms);
    size_t announced = (size_t)head[0] << 8 | head[1];
    if (n == (ssize_t)sizeof head && announced <= sizeof text)
        n = receive(fd, text, announced, deadline_ms);
    else if (n > 0)
        n = 0;
    if (n >= 0)
        return judge(a, text, (size_t)n, why);
    *why = str_printf(a, "failed to read from saslauthd daemon: %s", strerror(errno));
    return SASLAUTHD_ERROR;
}

enum saslauthd_verdict
saslauthd_check(struct arena *a, const struct saslauthd_request *rq, struct str *why)
{
    struct buf b = buf_in(a, 0);
    int64_t deadline_ms = now_ms() + rq->timeout_ms;
    if (!add_text(&b, rq->user) || !add_text(&b, rq->password) || !add_text(&b, rq->service) ||
        !add_text(&b, rq->realm)) {
        *why = str_printf(a, "value for saslauthd is longer than %d bytes", SASLAUTHD_TEXT_MAX);
        return SASLAUTHD_ERROR;
    }
    int fd = open_socket(rq->path);
    if (fd < 0) {
        *why = str_printf(a, "cannot connect to saslauthd daemon at %s: %s", rq->path,
                          strerror(errno));
        return SASLAUTHD_ERROR;
    }
    enum saslauthd_verdict v = exchange(a, fd, buf_str(&b), deadline_ms, why);
    close(fd);
    return v;
}
