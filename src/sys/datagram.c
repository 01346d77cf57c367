/* Packets by UDP; see datagram.h. */
#include "sys/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union end {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static socklen_t
to_end(const struct ip *ip, int64_t port, union end *out)
{
    memset(out, 0, sizeof *out);
    if (ip->n == 4) {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons((uint16_t)port);
        memcpy(&out->in.sin_addr, ip->b, 4);
        return sizeof out->in;
    }
    out->in6.sin6_family = AF_INET6;
    out->in6.sin6_port = htons((uint16_t)port);
    memcpy(&out->in6.sin6_addr, ip->b, 16);
    return sizeof out->in6;
}

int
datagram_send(const struct ip *to, int64_t port, struct str text)
{
    union end end;
    socklen_t n = to_end(to, port, &end);
    int fd = socket(end.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    ssize_t sent = sendto(fd, text.p, text.n, MSG_NOSIGNAL, &end.any, n);
    int why = sent < 0 ? errno : 0;
    close(fd);
    return why;
}
