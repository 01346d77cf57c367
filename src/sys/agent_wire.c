/* Packets to and from the agent; see agent_wire.h. */
#include "sys/agent_wire.h"

#include "sys/key_file.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(AGENT_FDS * sizeof(int))];
};

bool
agent_wire_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0;
}

bool
agent_wire_send(int socket, const struct agent_packet *p)
{
    union control c;
    const struct agent_head *h = &p->head;
    /* what follows the path is not sent */
    size_t n = offsetof(struct agent_head, path) + h->path_n + 1;
    struct iovec io = {.iov_base = (void *)(uintptr_t)h, .iov_len = n};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    ssize_t sent;
    if (p->fds > 0) {
        memset(&c, 0, sizeof c);
        m.msg_control = c.bytes;
        m.msg_controllen = CMSG_SPACE(p->fds * sizeof(int));
        c.align = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                   .cmsg_type = SCM_RIGHTS,
                                   .cmsg_len = CMSG_LEN(p->fds * sizeof(int))};
        memcpy(CMSG_DATA(&c.align), p->fd, p->fds * sizeof(int));
    }
    do {
        sent = sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)n;
}

/* A text with its length, and nothing but NULs to its end. */
static bool
is_text(const char *p, size_t n, size_t room)
{
    return n < room && p[n] == '\0' && memchr(p, '\0', n) == NULL;
}

/* What one type has of the form. */
static bool
fits_type(const struct agent_packet *p)
{
    const struct agent_head *h = &p->head;
    bool none = h->name_n == 0 && h->path_n == 0, answers = h->end != 0 || h->sys_errno != 0;
    switch (h->type) {
    case AGENT_JOB:
        return !answers && (p->fds == AGENT_FD_BODY || p->fds == AGENT_FDS) &&
               (h->path_n == 0 || h->path[0] == '/');
    case AGENT_CONNECT:
        return !answers && p->fds == 1 && none;
    case AGENT_KEY:
        return !answers && p->fds == 1 && h->name_n > 0 && h->path[0] == '/';
    case AGENT_OPENED:
        return h->end < KEY_FILE_ENDS && p->fds == (h->end == KEY_FILE_OK) && none;
    default:
        return false;
    }
}

bool
agent_wire_check(const struct agent_packet *p, size_t n)
{
    const struct agent_head *h = &p->head;
    const size_t least = offsetof(struct agent_head, path);
    if (n <= least || n > sizeof *h || h->path_n != n - least - 1 ||
        (h->flags & ~(uint32_t)AGENT_ALL_FLAGS) != 0 || h->timeout_ms < 0 ||
        h->timeout_ms > AGENT_TIMEOUT_MAX_MS)
        return false;
    if (!is_text(h->name, h->name_n, sizeof h->name) ||
        !is_text(h->path, h->path_n, sizeof h->path))
        return false;
    return fits_type(p);
}

void
agent_wire_close(struct agent_packet *p)
{
    for (size_t i = 0; i < p->fds; i++)
        if (p->fd[i] >= 0)
            close(p->fd[i]);
    p->fds = 0;
}

/* False: more of them than there can be, which are closed. */
static bool
take_fds(struct msghdr *m, struct agent_packet *p)
{
    bool good = true;
    p->fds = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int got;
            memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
            if (p->fds < AGENT_FDS) {
                p->fd[p->fds++] = got;
                continue;
            }
            close(got);
            good = false;
        }
    }
    return good;
}

enum agent_wire_result
agent_wire_receive(int socket, struct agent_packet *p)
{
    union control c;
    struct iovec io = {.iov_base = &p->head, .iov_len = sizeof p->head};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = c.bytes,
                       .msg_controllen = sizeof c.bytes};
    ssize_t n;
    memset(&p->head, 0, sizeof p->head);
    p->fds = 0;
    do {
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? AGENT_WIRE_AGAIN : AGENT_WIRE_CLOSED;
    bool good = take_fds(&m, p) && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    if (n == 0 && p->fds == 0)
        return AGENT_WIRE_CLOSED;
    if (good && agent_wire_check(p, (size_t)n))
        return AGENT_WIRE_OK;
    agent_wire_close(p);
    return AGENT_WIRE_FORGED;
}
