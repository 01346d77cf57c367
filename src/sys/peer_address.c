/* Addresses of a socket; see peer_address.h. */
#include "sys/peer_address.h"

#include "base/arena.h"
#include "sys/socket_address.h"

static bool
convert(struct arena *a, const union socket_address *from, struct peer_address *out)
{
    struct ip ip;
    int64_t port;
    if (!socket_address_read(from, &ip, &port))
        return false;
    ip_unmap(&ip);
    out->port = (int)port;
    out->text = ip_text(a, &ip);
    return true;
}

bool
peer_address_of(struct arena *a, int fd, struct peer_address *out)
{
    union socket_address at;
    socklen_t n = sizeof at;
    return getpeername(fd, &at.any, &n) == 0 && convert(a, &at, out);
}

bool
peer_address_own(struct arena *a, int fd, struct peer_address *out)
{
    union socket_address at;
    socklen_t n = sizeof at;
    return getsockname(fd, &at.any, &n) == 0 && convert(a, &at, out);
}
