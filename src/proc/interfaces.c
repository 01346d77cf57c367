/* Where the daemon listens; see interfaces.h. */
#include "proc/interfaces.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/main_options.h"
#include "proc/cli.h"

#include <arpa/inet.h>
#include <netdb.h>

enum { PORT_MAX = 65535, INTERFACES_MAX = 1000 };

typedef VEC(int) port_list;

struct finding {
    struct arena *arena;
    const struct conf_main *main;
    port_list ports, tls_ports;
    bool all_tls;
    struct interfaces *out;
    struct str error;
};

static bool
fail(struct finding *f, struct str text)
{
    f->error = text;
    return false;
}

/* --- ports --- */

/* A number, or the name of a service. Called before there are threads. */
static int
port_of(struct arena *a, struct str text)
{
    uint64_t n;
    if (num_parse_digits(text, &n))
        return n > 0 && n <= PORT_MAX ? (int)n : 0;
    const char *z = str_cstr(a, text);
    const struct servent *s = z != NULL ? getservbyname(z, "tcp") : NULL;
    return s != NULL ? ntohs((uint16_t)s->s_port) : 0;
}

static bool
take_ports(struct finding *f, struct str list, const char *option, port_list *out)
{
    struct strlist_split l = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&l, f->arena, &item)) {
        int port = port_of(f->arena, item);
        if (port == 0)
            return fail(f, str_printf(f->arena, "TCP port \"%.*s\" not found (%s)",
                                      STR_ARG(item), option));
        vec_push(f->arena, out, port);
    }
    return true;
}

static bool
is_tls_port(const struct finding *f, int port)
{
    for (size_t i = 0; i < f->tls_ports.n; i++) {
        if (f->tls_ports.v[i] == port)
            return true;
    }
    return f->all_tls;
}

/* --- addresses --- */

static bool
is_zero(const struct ip *ip)
{
    for (size_t i = 0; i < ip->n; i++) {
        if (ip->b[i] != 0)
            return false;
    }
    return true;
}

/* All interfaces of both kinds on one port are one socket, where the first of the two stands. */
static bool
join(struct finding *f, const struct listen_request *rq)
{
    for (size_t i = 0; i < f->out->v.n; i++) {
        struct listen_request *other = &f->out->v.v[i].at;
        if (other->port != rq->port || other->ip.n != 0 || rq->ip.n != 0)
            continue;
        if (other->family != rq->family)
            other->family = LISTEN_BOTH;
        return true;
    }
    return false;
}

static bool
add(struct finding *f, struct listen_request rq, int port)
{
    rq.port = port;
    rq.backlog = (int)f->main->smtp_connect_backlog;
    rq.nodelay = f->main->tcp_nodelay;
    if (join(f, &rq))
        return true;
    struct interface one = {.at = rq, .tls = is_tls_port(f, port), .fd = -1};
    vec_push(f->arena, &f->out->v, one);
    return f->out->v.n <= INTERFACES_MAX ||
           fail(f, STR_LIT("too many addresses and ports to listen on"));
}

/* True with *rq: to be listened on; false: to be left out, or *error is set. */
static bool
take_address(struct finding *f, struct str item, struct listen_request *rq)
{
    struct str address;
    *rq = (struct listen_request){.scope = STR_EMPTY};
    if (!cli_split_address(f->arena, item, &address, &rq->port) ||
        !ip_parse_scoped(address, &rq->ip, &rq->scope))
        return fail(f, str_printf(f->arena, "invalid IP address \"%.*s\" in local_interfaces",
                                  STR_ARG(item)));
    if (rq->ip.n == 16 && f->main->disable_ipv6)
        return false;
    rq->family = rq->ip.n == 16 ? LISTEN_IPV6 : LISTEN_IPV4;
    if (is_zero(&rq->ip))
        rq->ip.n = 0;
    return true;
}

static bool
take_interfaces(struct finding *f, struct str list)
{
    struct strlist_split l = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&l, f->arena, &item)) {
        struct listen_request rq;
        if (!take_address(f, item, &rq)) {
            if (str_is_set(f->error))
                return false;
            continue;
        }
        if (rq.port > 0 && !add(f, rq, rq.port))
            return false;
        if (rq.port == 0 && f->ports.n == 0)
            return fail(f, str_printf(f->arena,
                                      "no port specified for interface %.*s and "
                                      "daemon_smtp_port is unset; cannot start daemon",
                                      STR_ARG(item)));
        for (size_t i = 0; rq.port == 0 && i < f->ports.n; i++) {
            if (!add(f, rq, f->ports.v[i]))
                return false;
        }
    }
    return true;
}

/* -oX: items with a dot or a colon are addresses, the others ports. */
static void
split_over(struct arena *a, struct str over, struct str *ports, struct str *addresses)
{
    struct strlist_split l = strlist_split_start(over, ':');
    struct buf p = buf_in(a, 0), i = buf_in(a, 0);
    struct str item;
    while (strlist_split_next(&l, a, &item)) {
        bool address = str_chr(item, '.', 0) != STR_NPOS || str_chr(item, ':', 0) != STR_NPOS;
        struct buf *to = address ? &i : &p;
        buf_addz(to, to->n == 0 ? "<," : ",");
        buf_adds(to, item);
    }
    if (p.n > 0)
        *ports = buf_str(&p);
    if (i.n > 0)
        *addresses = buf_str(&i);
}

bool
interfaces_find(struct arena *a, const struct conf_main *c, struct str over, bool all_tls,
                struct interfaces *out, struct str *error)
{
    struct finding f = {
        .arena = a, .main = c, .all_tls = all_tls, .out = out, .error = STR_NULL};
    struct str ports = c->daemon_smtp_ports, addresses = c->local_interfaces.text;
    *out = (struct interfaces){.v = {0}};
    if (str_is_set(over))
        split_over(a, over, &ports, &addresses);
    bool ok =
        take_ports(&f, ports, "daemon_smtp_ports", &f.ports) &&
        take_ports(&f, c->tls_on_connect_ports.text, "tls_on_connect_ports", &f.tls_ports) &&
        take_interfaces(&f, addresses);
    *error = f.error;
    return ok;
}

/* --- texts --- */

struct str
interfaces_address(struct arena *a, const struct interface *i)
{
    if (i->at.ip.n > 0)
        return ip_text(a, &i->at.ip);
    return i->at.family == LISTEN_IPV4 ? STR_LIT("(any IPv4)") : STR_LIT("(any IPv6)");
}

bool
interfaces_same(const struct interface *x, const struct interface *y)
{
    return x->at.port == y->at.port && x->at.ip.n == y->at.ip.n &&
           memcmp(x->at.ip.b, y->at.ip.b, x->at.ip.n) == 0 && x->at.family == y->at.family &&
           str_eq(x->at.scope, y->at.scope);
}

static const char *
family_text(const struct interfaces *all, const struct interface *i)
{
    if (i->at.family == LISTEN_BOTH)
        return " (IPv6 and IPv4)";
    if (i->at.family == LISTEN_IPV6)
        return " (IPv6)";
    /* Where IPv4 comes first nobody would think of IPv6. */
    const struct listen_request *first = &all->v.v[0].at;
    return first->ip.n == 0 && first->family == LISTEN_IPV4 ? "" : " (IPv4)";
}

static bool
has_same_address(const struct interface *x, const struct interface *y)
{
    return x->tls == y->tls && x->at.ip.n == y->at.ip.n &&
           memcmp(x->at.ip.b, y->at.ip.b, x->at.ip.n) == 0;
}

/* One interface, or several ports of one address; returns the last that it tells of. */
static size_t
add_text(struct arena *a, struct buf *b, const struct interfaces *all, size_t at)
{
    const struct interface *i = &all->v.v[at];
    if (i->at.ip.n == 0) {
        buf_printf(b, " port %d%s", i->at.port, family_text(all, i));
        return at;
    }
    buf_printf(b, " [%.*s]:", STR_ARG(ip_text(a, &i->at.ip)));
    size_t last = at;
    while (last + 1 < all->v.n && has_same_address(i, &all->v.v[last + 1]))
        last++;
    for (size_t k = at; k <= last; k++)
        buf_printf(b, "%s%d", k > at ? "," : last > at ? "{" : "", all->v.v[k].at.port);
    if (last > at)
        buf_addc(b, '}');
    return last;
}

static bool
add_kind(struct arena *a, struct buf *b, const struct interfaces *all, bool tls, bool more)
{
    bool any = false;
    for (size_t i = 0; i < all->v.n; i++) {
        if (all->v.v[i].tls != tls)
            continue;
        if (!any)
            buf_printf(b, "%s%s on", more ? " and for " : "", tls ? "SMTPS" : "SMTP");
        any = true;
        i = add_text(a, b, all, i);
    }
    return any;
}

struct str
interfaces_text(struct arena *a, const struct interfaces *i)
{
    struct buf b = buf_in(a, 0);
    bool plain = add_kind(a, &b, i, false, false);
    (void)add_kind(a, &b, i, true, plain);
    return b.n > 0 ? buf_str(&b) : STR_EMPTY;
}
