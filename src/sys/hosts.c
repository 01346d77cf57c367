/* Names and addresses from the system's resolver; see hosts.h. */
#include "sys/hosts.h"

#include "base/vec.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
    NAME_MAX_BYTES = 255, /* RFC 1035, 2.3.4 */
    ANSWER_FIRST = 2048,
    ANSWER_MAX = 256 * 1024,
};

static bool
from_sockaddr(const struct sockaddr *sa, struct ip *out)
{
    *out = (struct ip){0};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        out->n = 4;
        memcpy(out->b, &in.sin_addr, 4);
        return true;
    }
    if (sa->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, sa, sizeof in6);
    out->n = 16;
    memcpy(out->b, &in6.sin6_addr, 16);
    return true;
}

static enum hosts_status
status_of(int gai)
{
    return gai == EAI_AGAIN || gai == EAI_SYSTEM || gai == EAI_MEMORY ? HOSTS_AGAIN
                                                                      : HOSTS_NONE;
}

enum hosts_status
hosts_find_addresses(struct arena *a, struct str name, struct hosts_addresses *out)
{
    *out = (struct hosts_addresses){0};
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return HOSTS_NONE;
    const char *z = str_cstr(a, name);
    if (z == NULL)
        return HOSTS_NONE;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    int bad = getaddrinfo(z, NULL, &hints, &all);
    if (bad != 0)
        return status_of(bad);
    VEC(struct ip) found = {0};
    for (const struct addrinfo *i = all; i != NULL && found.n < HOSTS_MAX; i = i->ai_next) {
        struct ip ip;
        if (from_sockaddr(i->ai_addr, &ip))
            vec_push(a, &found, ip);
    }
    freeaddrinfo(all);
    *out = (struct hosts_addresses){found.v, found.n};
    return found.n > 0 ? HOSTS_OK : HOSTS_NONE;
}

/* gethostbyaddr_r is obsolete, but getnameinfo gives no aliases. */
static int
ask(struct arena *a, const struct ip *ip, struct hostent *h, struct hostent **found, int *why)
{
    int family = ip->n == 4 ? AF_INET : AF_INET6;
    for (size_t n = ANSWER_FIRST;; n *= 2) {
        *found = NULL;
        int bad = gethostbyaddr_r(ip->b, ip->n, family, h, arena_alloc(a, n), n, found, why);
        if (bad != ERANGE || n >= ANSWER_MAX)
            return bad;
    }
}

enum hosts_status
hosts_find_names(struct arena *a, const struct ip *ip, struct hosts_names *out)
{
    *out = (struct hosts_names){0};
    if (ip->n == 0)
        return HOSTS_NONE;
    struct hostent h, *found = NULL;
    int why = 0;
    if (ask(a, ip, &h, &found, &why) != 0 || found == NULL)
        return why == TRY_AGAIN ? HOSTS_AGAIN : HOSTS_NONE;
    VEC(struct str) names = {0};
    vec_push(a, &names, str_tainted(str_dup(a, str_from_cstr(h.h_name))));
    for (char **p = h.h_aliases; p != NULL && *p != NULL && names.n < HOSTS_MAX; p++)
        vec_push(a, &names, str_tainted(str_dup(a, str_from_cstr(*p))));
    *out = (struct hosts_names){names.v, names.n};
    return HOSTS_OK;
}
