/* Which addresses are this host's own, for the item @[].
 *
 * Source: specification, "Recognizing the local host": the addresses of local_interfaces and
 * extra_local_interfaces, where 0.0.0.0 and ::0 stand for those of all interfaces.
 */
#include "conf/list_state.h"

#include "base/vec.h"
#include "sys/await.h"

#include <string.h>

struct addresses {
    VEC(struct ip) found;
    struct iface_addresses all;
    bool asked;
};

/* An item with the port taken off: "[::1]:25", "127.0.0.1.25". */
static bool
read_interface(struct str item, struct ip *out)
{
    if (item.n > 0 && item.p[0] == '[') {
        size_t end = str_chr(item, ']', 1);
        return end != STR_NPOS && ip_parse(str_sub(item, 1, end - 1), out);
    }
    if (ip_parse(item, out))
        return true;
    size_t dot = str_rchr(item, '.');
    return dot != STR_NPOS && ip_parse(str_sub(item, 0, dot), out);
}

static bool
is_wildcard(const struct ip *ip)
{
    for (size_t i = 0; i < ip->n; i++)
        if (ip->b[i] != 0)
            return false;
    return true;
}

static void
add_interfaces(struct arena *a, struct addresses *s, uint8_t version)
{
    if (!s->asked && !iface_list(a, &s->all))
        s->all = (struct iface_addresses){0};
    s->asked = true;
    for (size_t i = 0; i < s->all.n; i++)
        if (s->all.v[i].n == version)
            vec_push(a, &s->found, s->all.v[i]);
}

static void
add_setting(struct arena *a, struct addresses *s, struct str list)
{
    struct strlist_split split = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&split, a, &item)) {
        struct ip ip;
        if (!read_interface(item, &ip))
            continue;
        if (is_wildcard(&ip))
            add_interfaces(a, s, ip.n);
        else
            vec_push(a, &s->found, ip);
    }
}

static struct str
setting(struct list_run *r, const char *name)
{
    const struct host *h = vm_host(r->vm);
    return h == NULL || h->setting == NULL ? STR_NULL : h->setting(vm_env(r->vm), name);
}

static struct iface_addresses *
find_addresses(struct list_run *r, struct arena *a)
{
    struct addresses s = {0};
    struct str list = setting(r, "local_interfaces");
    if (list.n == 0)
        list = STR_LIT("<; 0.0.0.0 ; ::0");
    add_setting(a, &s, list);
    add_setting(a, &s, setting(r, "extra_local_interfaces"));
    struct iface_addresses *out = ARENA_NEW(a, struct iface_addresses);
    *out = (struct iface_addresses){s.found.v, s.found.n};
    return out;
}

enum { KEPT_MS = 2000 }; /* interfaces do not change from message to message */

const struct iface_addresses *
list_local_addresses(struct list_run *r)
{
    struct list_cache *c = r->cache;
    if (c == NULL)
        return find_addresses(r, vm_scratch(r->vm));
    int64_t now = await_now_ms();
    if (c->local == NULL || now >= c->local_until_ms) {
        arena_clear(c->local_arena);
        c->local = find_addresses(r, c->local_arena);
        c->local_until_ms = now + KEPT_MS;
    }
    return c->local;
}

bool
list_is_local_ip(struct list_run *r, const struct ip *ip)
{
    const struct iface_addresses *all = list_local_addresses(r);
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].n == ip->n && memcmp(all->v[i].b, ip->b, ip->n) == 0)
            return true;
    return false;
}

bool
list_is_local(struct list_run *r, struct str address)
{
    struct ip ip;
    return ip_parse(address, &ip) && list_is_local_ip(r, &ip);
}

bool
list_is_local_address(struct eval *e, struct vm *vm, struct str ip)
{
    struct list_run r = {.e = e, .vm = vm, .cache = e->lists};
    return list_is_local(&r, ip);
}
