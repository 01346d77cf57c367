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

/* gethostbyname2_r is obsolete, but getaddrinfo puts addresses in an order of its own. */
static int
ask_addresses(struct arena *a, const char *name, int family, struct hostent *h,
              struct hostent **found, int *why)
{
    for (size_t n = ANSWER_FIRST;; n *= 2) {
        *found = NULL;
        int bad = gethostbyname2_r(name, family, h, arena_alloc(a, n), n, found, why);
        if (bad != ERANGE || n >= ANSWER_MAX)
            return bad;
    }
}

static void
take_addresses(struct arena *a, const struct hostent *h, uint8_t bytes,
               struct hosts_addresses *out)
{
    struct ip *v = ARENA_ARRAY(a, struct ip, HOSTS_MAX);
    size_t n = 0;
    for (; n < out->n; n++)
        v[n] = out->v[n];
    for (char **p = h->h_addr_list; *p != NULL && n < HOSTS_MAX && h->h_length == bytes; p++) {
        struct ip ip = {.n = bytes};
        memcpy(ip.b, *p, bytes);
        v[n++] = ip;
    }
    out->v = v;
    out->n = n;
    if (!str_is_set(out->name))
        out->name = str_tainted(str_dup(a, str_from_cstr(h->h_name)));
}

enum hosts_status
hosts_find_addresses(struct arena *a, struct str name, struct hosts_addresses *out)
{
    static const struct {
        int family;
        uint8_t bytes;
    } kinds[] = {{AF_INET6, 16}, {AF_INET, 4}};
    bool again = false;
    *out = (struct hosts_addresses){.name = STR_NULL};
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return HOSTS_NONE;
    const char *z = str_cstr(a, name);
    for (size_t i = 0; z != NULL && i < sizeof kinds / sizeof *kinds; i++) {
        struct hostent h, *found = NULL;
        int why = 0;
        if (ask_addresses(a, z, kinds[i].family, &h, &found, &why) == 0 && found != NULL)
            take_addresses(a, found, kinds[i].bytes, out);
        else
            again = again || why == TRY_AGAIN;
    }
    if (out->n > 0)
        return HOSTS_OK;
    return again ? HOSTS_AGAIN : HOSTS_NONE;
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
