/* Addresses of sockets; see socket_address.h. */
#include "sys/socket_address.h"

#include <string.h>

socklen_t
socket_address_make(const struct ip *ip, int64_t port, union socket_address *out)
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

bool
socket_address_read(const union socket_address *from, struct ip *ip, int64_t *port)
{
    if (from->any.sa_family == AF_INET) {
        ip->n = 4;
        memcpy(ip->b, &from->in.sin_addr, 4);
        *port = ntohs(from->in.sin_port);
        return true;
    }
    if (from->any.sa_family != AF_INET6)
        return false;
    ip->n = 16;
    memcpy(ip->b, &from->in6.sin6_addr, 16);
    *port = ntohs(from->in6.sin6_port);
    return true;
}
