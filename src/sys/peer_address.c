/* Addresses of a socket; see peer_address.h. */
#include "sys/peer_address.h"

#include "base/arena.h"
#include "mail/ip.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool
convert(struct arena *a, const struct sockaddr_storage *ss, struct peer_address *out)
{
    struct ip ip = {.n = 0};
    if (ss->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)ss;
        ip.n = 4;
        memcpy(ip.b, &v4->sin_addr, 4);
        out->port = ntohs(v4->sin_port);
    } else if (ss->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)ss;
        ip.n = 16;
        memcpy(ip.b, &v6->sin6_addr, 16);
        out->port = ntohs(v6->sin6_port);
    } else {
        return false;
    }
    if (ip_is_mapped(&ip)) {
        memmove(ip.b, ip.b + 12, 4);
        ip.n = 4;
    }
    out->text = ip_text(a, &ip);
    return true;
}

bool
peer_address_of(struct arena *a, int fd, struct peer_address *out)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    return getpeername(fd, (struct sockaddr *)&ss, &n) == 0 && convert(a, &ss, out);
}

bool
peer_address_own(struct arena *a, int fd, struct peer_address *out)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    return getsockname(fd, (struct sockaddr *)&ss, &n) == 0 && convert(a, &ss, out);
}
