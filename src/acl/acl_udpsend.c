/* The modifier udpsend: one packet to a host and port, for those who count or watch.
 *
 * Source: specification, "ACL modifiers".
 */
#include "acl/acl_machine.h"

#include "base/num.h"
#include "base/strlist.h"
#include "conf/host_find.h"
#include "sys/datagram.h"

#include <string.h>

enum { PORT_MAX = 65535 };

struct packet {
    struct str host, text;
    uint64_t port;
};

/* "host : port : text", where the text goes to the end whatever is in it. */
static enum acl_test
parse(struct acl_call *c, struct str arg, struct packet *p)
{
    struct arena *a = vm_scratch(c->r->vm);
    struct strlist_split s = strlist_split_start(arg, ':');
    struct str port;
    if (!strlist_split_next(&s, a, &p->host))
        return acl_error(c, "missing destination host in \"udpsend\" modifier");
    if (!strlist_split_next(&s, a, &port))
        return acl_error(c, "missing destination port in \"udpsend\" modifier");
    if (!num_parse_digits(port, &p->port) || p->port == 0 || p->port > PORT_MAX)
        return acl_error(c, "bad destination port in \"udpsend\" modifier");
    p->text = s.rest;
    return ACL_TEST_TRUE;
}

static bool
find_host(struct acl_call *c, struct str name, struct ip *out)
{
    struct arena *a = vm_scratch(c->r->vm);
    struct host_targets found = {0};
    struct host_find q = {
        .eval = c->r->eval,
        .vm = c->r->vm,
        .arena = a,
        .host = {.name = name, .address = STR_NULL, .preference = -1},
        .how = HOST_FIND_IPV4_PREFER,
        .out = &found,
    };
    if (ip_parse(name, out))
        return true;
    return name.n > 0 && host_find_any(&q) == HOST_FOUND && found.n > 0 &&
           ip_parse(found.v[0].address, out);
}

enum acl_test
acl_mod_udpsend(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct packet p = {.host = STR_NULL};
    struct ip to;
    (void)item;
    enum acl_test t = parse(c, arg, &p);
    if (t != ACL_TEST_TRUE)
        return t;
    if (!find_host(c, p.host, &to))
        return acl_defer(c, "DNS lookup failed in \"udpsend\" modifier");
    int why = datagram_send(&to, (int64_t)p.port, p.text);
    if (why != 0)
        return acl_defer(c, "failed to send packet of \"udpsend\" modifier to %.*s: %s",
                         STR_ARG(p.host), strerror(why));
    return ACL_TEST_TRUE;
}
