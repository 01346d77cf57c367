/* The addresses of this host's network interfaces; see iface.h. */
#include "sys/iface.h"

#include "base/vec.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool
from_sockaddr(const struct sockaddr *sa, struct ip *out)
{
    *out = (struct ip){0};
    if (sa == NULL)
        return false;
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        out->n = 4;
        memcpy(out->b, &in.sin_addr, 4);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        out->n = 16;
        memcpy(out->b, &in6.sin6_addr, 16);
        return true;
    }
    return false;
}

static bool
has(const struct ip *v, size_t n, const struct ip *ip)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].n == ip->n && memcmp(v[i].b, ip->b, ip->n) == 0)
            return true;
    return false;
}

bool
iface_list(struct arena *a, struct iface_addresses *out)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return false;
    VEC(struct ip) found = {0};
    for (const struct ifaddrs *i = all; i != NULL && found.n < IFACE_MAX; i = i->ifa_next) {
        struct ip ip;
        if ((i->ifa_flags & IFF_UP) != 0 && from_sockaddr(i->ifa_addr, &ip) &&
            !has(found.v, found.n, &ip))
            vec_push(a, &found, ip);
    }
    freeifaddrs(all);
    out->v = found.v;
    out->n = found.n;
    return true;
}
