/* Packets by UDP; see datagram.h. */
#include "sys/datagram.h"

#include "sys/socket_address.h"

#include <errno.h>
#include <unistd.h>

int
datagram_send(const struct ip *to, int64_t port, struct str text)
{
    union socket_address end;
    socklen_t n = socket_address_make(to, port, &end);
    int fd = socket(end.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    ssize_t sent = sendto(fd, text.p, text.n, MSG_NOSIGNAL, &end.any, n);
    int why = sent < 0 ? errno : 0;
    close(fd);
    return why;
}
