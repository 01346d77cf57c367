/* Messages between our own processes; see ipc.h. */
#include "sys/ipc.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where a packet is read or written. */
struct cursor {
    char *p;
    size_t n, at;
};

static bool
take(struct cursor *c, void *out, size_t n)
{
    if (n > c->n - c->at)
        return false;
    memcpy(out, c->p + c->at, n);
    c->at += n;
    return true;
}

static bool
put(struct cursor *c, const void *in, size_t n)
{
    if (n > c->n - c->at)
        return false;
    if (n > 0)
        memcpy(c->p + c->at, in, n);
    c->at += n;
    return true;
}

bool
ipc_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0;
}

/* --- reading --- */

static bool
take_text(struct cursor *c, struct str *out)
{
    uint16_t n;
    if (!take(c, &n, sizeof n) || n > IPC_TEXT_MAX || n > c->n - c->at)
        return false;
    *out = str_tainted(str_from(c->p + c->at, n));
    c->at += n;
    return !str_has_nul(*out);
}

static bool
take_fields(struct cursor *c, const char *shape, struct ipc_message *out)
{
    for (out->n = 0; shape[out->n] != '\0'; out->n++) {
        struct ipc_field *f = &out->f[out->n];
        bool good = shape[out->n] == 'u' ? take(c, &f->number, sizeof f->number)
                                         : take_text(c, &f->text);
        if (!good)
            return false;
    }
    return c->at == c->n;
}

bool
ipc_parse(const struct ipc_protocol *p, unsigned from, unsigned to, size_t n, bool has_fd,
          struct ipc_message *out)
{
    struct cursor c = {.p = out->bytes, .n = n};
    uint16_t type, length;
    if (n > IPC_PACKET_MAX || !take(&c, &type, sizeof type) ||
        !take(&c, &length, sizeof length))
        return false;
    if (length != n || type >= p->n)
        return false;
    const struct ipc_row *row = &p->rows[type];
    if ((row->from & from) == 0 || (row->to & to) == 0 || row->fd != has_fd)
        return false;
    out->type = type;
    memset(out->f, 0, sizeof out->f);
    return take_fields(&c, row->shape, out);
}

/* Takes the descriptor out of the ancillary part; further ones are closed. False: more than one came. */
static bool
take_fd(struct msghdr *m, int *fd)
{
    bool one = true;
    *fd = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int got;
            memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
            if (*fd < 0) {
                *fd = got;
                continue;
            }
            close(got);
            one = false;
        }
    }
    return one;
}

/* One packet with what lies beside it, in *m and out->bytes. */
static ssize_t
read_packet(int socket, int flags, struct msghdr *m)
{
    ssize_t n;
    do {
        n = recvmsg(socket, m, MSG_CMSG_CLOEXEC | flags);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Who sends and who receives, as bits. */
struct way {
    unsigned from, to;
};

static enum ipc_result
receive(const struct ipc_protocol *p, int socket, int flags, struct way w,
        struct ipc_message *out)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec io = {.iov_base = out->bytes, .iov_len = sizeof out->bytes};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = read_packet(socket, flags, &m);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? IPC_AGAIN : IPC_CLOSED;
    if (n == 0)
        return IPC_CLOSED;
    bool one = take_fd(&m, &out->fd);
    bool whole = (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    if (one && whole && ipc_parse(p, w.from, w.to, (size_t)n, out->fd >= 0, out))
        return IPC_OK;
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
    return IPC_FORGED;
}

enum ipc_result
ipc_receive(const struct ipc_protocol *p, int socket, unsigned from, unsigned to,
            struct ipc_message *out)
{
    return receive(p, socket, 0, (struct way){from, to}, out);
}

enum ipc_result
ipc_receive_now(const struct ipc_protocol *p, int socket, unsigned from, unsigned to,
                struct ipc_message *out)
{
    return receive(p, socket, MSG_DONTWAIT, (struct way){from, to}, out);
}

/* --- writing --- */

static size_t
pack(const struct ipc_row *row, unsigned type, const struct ipc_field *f, char *bytes)
{
    struct cursor c = {.p = bytes, .n = IPC_PACKET_MAX, .at = IPC_HEADER};
    bool fits = true;
    for (size_t i = 0; row->shape[i] != '\0' && fits; i++) {
        if (row->shape[i] == 'u') {
            fits = put(&c, &f[i].number, sizeof f[i].number);
            continue;
        }
        uint16_t n = (uint16_t)f[i].text.n;
        fits = f[i].text.n <= IPC_TEXT_MAX && put(&c, &n, sizeof n) && put(&c, f[i].text.p, n);
    }
    if (!fits)
        return 0;
    uint16_t head[2] = {(uint16_t)type, (uint16_t)c.at};
    memcpy(bytes, head, sizeof head);
    return c.at;
}

static void
add_fd(struct msghdr *m, char *control, size_t n, int fd)
{
    memset(control, 0, n);
    m->msg_control = control;
    m->msg_controllen = n;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

/* What is to be sent. */
struct parcel {
    unsigned type;
    const struct ipc_field *f;
    int fd; /* -1: none */
};

static enum ipc_result
send_parcel(const struct ipc_protocol *p, int socket, int flags, const struct parcel *x)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char bytes[IPC_PACKET_MAX];
    assert(x->type < p->n && p->rows[x->type].fd == (x->fd >= 0));
    struct iovec io = {.iov_base = bytes,
                       .iov_len = pack(&p->rows[x->type], x->type, x->f, bytes)};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (io.iov_len == 0) {
        errno = EMSGSIZE;
        return IPC_CLOSED;
    }
    if (x->fd >= 0)
        add_fd(&m, control.bytes, sizeof control.bytes, x->fd);
    ssize_t n;
    do {
        n = sendmsg(socket, &m, MSG_NOSIGNAL | flags);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return IPC_OK;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IPC_AGAIN : IPC_CLOSED;
}

enum ipc_result
ipc_send(const struct ipc_protocol *p, int socket, unsigned type, const struct ipc_field *f,
         int fd)
{
    const struct parcel x = {type, f, fd};
    return send_parcel(p, socket, 0, &x);
}

enum ipc_result
ipc_offer(const struct ipc_protocol *p, int socket, unsigned type, const struct ipc_field *f,
          int fd)
{
    const struct parcel x = {type, f, fd};
    return send_parcel(p, socket, MSG_DONTWAIT, &x);
}
