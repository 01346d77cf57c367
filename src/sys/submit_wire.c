/* A user's call on its way to the daemon; see submit_wire.h. */
#include "sys/submit_wire.h"

#include "base/arena.h"
#include "sys/file.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static bool
make_address(const char *path, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof out->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(out->sun_path, path, n);
    return true;
}

int
submit_wire_listen(const char *path)
{
    struct sockaddr_un at;
    if (!make_address(path, &at) || (unlink(path) != 0 && errno != ENOENT))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
        chmod(path, 0666) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

int
submit_wire_connect(const char *path)
{
    struct sockaddr_un to;
    if (!make_address(path, &to))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

/* --- the caller --- */

static bool
send_head(int socket, uint32_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control = {.bytes = {0}};
    const int fds[3] = {0, 1, 2};
    struct iovec io = {.iov_base = &n, .iov_len = sizeof n};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(c), fds, sizeof fds);
    return sendmsg(socket, &m, MSG_NOSIGNAL) == sizeof n;
}

bool
submit_wire_send(int socket, int argc, char *const *argv)
{
    size_t n = 0;
    for (int i = 0; i < argc; i++)
        n += strlen(argv[i]) + 1;
    if (n > SUBMIT_WIRE_BYTES_MAX) {
        errno = E2BIG;
        return false;
    }
    bool ok = send_head(socket, (uint32_t)n);
    for (int i = 0; i < argc && ok; i++)
        ok = file_write_all(socket, argv[i], strlen(argv[i]) + 1);
    return ok;
}

bool
submit_wire_wait(int socket, int *status)
{
    int32_t answer;
    ssize_t n;
    do {
        n = recv(socket, &answer, sizeof answer, MSG_WAITALL);
    } while (n < 0 && errno == EINTR);
    *status = answer & 0xff;
    return n == sizeof answer;
}

/* --- the daemon --- */

bool
submit_wire_peer(int socket, struct priv_caller *out)
{
    struct ucred who;
    socklen_t n = sizeof who, m = sizeof out->groups;
    *out = (struct priv_caller){.groups_n = 0};
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
        return false;
    out->uid = out->euid = who.uid;
    out->gid = out->egid = who.gid;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, out->groups, &m) == 0)
        out->groups_n = m / sizeof out->groups[0];
    return true;
}

/* Exactly three descriptors; all others are closed. */
static bool
take_fds(struct msghdr *m, int fds[3])
{
    size_t got = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (got < 3)
                fds[got] = fd;
            else
                close(fd);
            got++;
        }
    }
    for (size_t i = 0; got != 3 && i < got && i < 3; i++)
        close(fds[i]);
    return got == 3;
}

static bool
receive_head(int socket, uint32_t *n, int fds[3])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control;
    struct iovec io = {.iov_base = n, .iov_len = sizeof *n};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    if (got < 0 || !take_fds(&m, fds))
        return false;
    if (got == sizeof *n && (m.msg_flags & MSG_CTRUNC) == 0)
        return true;
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    return false;
}

bool
submit_wire_split(struct arena *a, char *text, size_t n, struct submit_request *out)
{
    out->args.v = NULL;
    out->args.n = out->args.cap = 0;
    if (n == 0 || text[n - 1] != '\0')
        return false;
    for (size_t at = 0; at < n; at += strlen(text + at) + 1) {
        if (out->args.n == SUBMIT_WIRE_ARGS_MAX)
            return false;
        vec_push(a, &out->args, text + at);
    }
    vec_push(a, &out->args, (char *)NULL);
    out->args.n--;
    return true;
}

bool
submit_wire_receive(struct arena *a, int socket, struct submit_request *out)
{
    const struct timeval wait = {.tv_sec = SUBMIT_WIRE_WAIT_S};
    uint32_t n;
    if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        !receive_head(socket, &n, out->fds))
        return false;
    char *text = n > 0 && n <= SUBMIT_WIRE_BYTES_MAX ? arena_alloc(a, n) : NULL;
    if (text != NULL && recv(socket, text, n, MSG_WAITALL) == (ssize_t)n &&
        submit_wire_split(a, text, n, out))
        return true;
    for (int i = 0; i < 3; i++)
        close(out->fds[i]);
    return false;
}

void
submit_wire_answer(int socket, int status)
{
    int32_t answer = status;
    (void)send(socket, &answer, sizeof answer, MSG_NOSIGNAL);
}
