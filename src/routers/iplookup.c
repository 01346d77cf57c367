/* The iplookup router: asks a server by UDP or TCP for a new address. */
#include "base/strlist.h"
#include "conf/eval.h"
#include "filter/expand.h"
#include "mail/address.h"
#include "mail/ip.h"
#include "routers/route_hosts.h"
#include "sys/query_server.h"

enum { WAIT_MAX_S = 3600 };

struct router_iplookup {
    struct str hosts;
    bool optional;
    int64_t port;
    struct str protocol;
    struct xstr query, reroute;
    struct str response_pattern;
    int64_t timeout;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_STR(struct router_iplookup, hosts, NULL, 0,
        "Hosts that are asked."),
    OPT_BOOL(struct router_iplookup, optional, false, 0,
        "Declines and does not defer when no host answers."),
    OPT_INT(struct router_iplookup, port, 0, 0,
        "Port on which the hosts are asked."),
    OPT_STR(struct router_iplookup, protocol, NULL, 0,
        "Protocol of the query, udp or tcp."),
    OPT_XSTR(struct router_iplookup, query, NULL, 0,
        "Text of the query."),
    OPT_XSTR(struct router_iplookup, reroute, NULL, 0,
        "New address, made from the answer."),
    OPT_STR(struct router_iplookup, response_pattern, NULL, 0,
        "Pattern that an answer must match."),
    OPT_TIME(struct router_iplookup, timeout, 5, 0,
        "Time limit for the answer."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "iplookup router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_iplookup),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct router_iplookup *own = d->own.fields;
    bool ok = true;
    if (own->port <= 0)
        ok = driver_fault(diags, d, "port", DRIVER_WORDS_FOR, "a port must be specified");
    if (own->hosts.n == 0)
        ok = driver_fault(diags, d, "hosts", DRIVER_WORDS_FOR, "hosts must be specified");
    if (str_is_set(own->protocol) && !str_eqz(own->protocol, "udp") &&
        !str_eqz(own->protocol, "tcp"))
        ok = driver_fault(diags, d, "protocol", DRIVER_WORDS_FOR,
                          "protocol not specified as udp or tcp");
    return router_check_generic(d, ROUTER_TRANSPORT_FORBIDDEN, diags) && ok;
}

/* The text that is asked; without the option it is the address twice. */
static bool
make_query(const struct route_call *c, const struct router_iplookup *own, struct str *query,
           struct route_result *out)
{
    const struct address *a = c->address;
    if (!str_is_set(own->query.text)) {
        *query = str_printf(c->arena, "%.*s@%.*s %.*s@%.*s", STR_ARG(a->local_part),
                            STR_ARG(a->domain), STR_ARG(a->local_part), STR_ARG(a->domain));
        return true;
    }
    if (vm_expand_x(c->vm, &own->query, query) == VM_OK) {
        *query = str_dup(c->arena, *query);
        return true;
    }
    route_hosts_say(c, out, OUT_DEFER, "%.*s router: failed to expand %.*s: %.*s",
                    STR_ARG(c->router->name), STR_ARG(own->query.text),
                    STR_ARG(vm_error(c->vm)));
    return false;
}

/* True with the answer of the first address of the host that gives one. */
static bool
ask_host(const struct route_call *c, const struct router_iplookup *own, struct str name,
         struct str query, struct str *answer)
{
    struct host_target host = {.name = name, .preference = -1};
    struct host_targets found = {NULL, 0, 0};
    struct host_find h = {
        .eval = c->eval, .vm = c->vm, .arena = c->arena, .host = host, .out = &found};
    struct ip ip;
    if (ip_parse(name, &ip)) {
        host.address = name;
        vec_push(c->arena, &found, host);
    } else if (host_find_by_name(&h) != HOST_FOUND) {
        return false;
    }
    struct query_server q = {
        .protocol = str_eqz(own->protocol, "tcp") ? QUERY_SERVER_TCP : QUERY_SERVER_UDP,
        .port = own->port,
        .query = query,
        .timeout_ms = own->timeout > WAIT_MAX_S ? WAIT_MAX_S * 1000 : (int)own->timeout * 1000,
    };
    for (size_t i = 0; i < found.n; i++)
        if (ip_parse(found.v[i].address, &q.ip) && query_server_ask(c->arena, &q, answer))
            return true;
    return false;
}

static bool
ask(const struct route_call *c, const struct router_iplookup *own, struct str query,
    struct str *answer)
{
    struct strlist_split split = strlist_split_start(own->hosts, ':');
    struct str name;
    while (strlist_split_next(&split, c->arena, &name))
        if (name.n > 0 && ask_host(c, own, name, query, answer))
            return true;
    return false;
}

/* Whether the answer belongs to the question: by the pattern, or by the address that comes back behind the new one. */
static bool
fits(const struct route_call *c, const struct router_iplookup *own, struct str query,
     struct str answer)
{
    struct str why;
    size_t at = 0;
    if (str_is_set(own->response_pattern)) {
        const struct regex *re = vm_regex(c->vm, own->response_pattern, 0, &why, &at);
        return re != NULL && vm_regex_match(c->vm, re, answer) == VM_OK;
    }
    vm_set_captures(c->vm, &answer, 1);
    if (str_is_set(own->query.text))
        return true;
    while (at < answer.n && !ascii_space(answer.p[at]))
        at++;
    struct str back = str_trim(str_sub(answer, at, answer.n));
    size_t blank = str_rchr(query, ' ');
    return str_eq(back, str_sub(query, blank + 1, query.n));
}

static void
reroute(const struct route_call *c, const struct router_iplookup *own, struct str answer,
        struct route_result *out)
{
    struct address_parts p;
    struct str text = answer;
    if (!str_is_set(own->reroute.text)) {
        size_t at = 0;
        while (at < text.n && !ascii_space(text.p[at]))
            at++;
        text = str_sub(text, 0, at);
    } else if (vm_expand_x(c->vm, &own->reroute, &text) != VM_OK) {
        route_hosts_say(c, out, OUT_DEFER, "%.*s router: failed to expand %.*s: %.*s",
                        STR_ARG(c->router->name), STR_ARG(own->reroute.text),
                        STR_ARG(vm_error(c->vm)));
        return;
    }
    if (address_parse(c->arena, text, 0, &p) != ADDRESS_OK || p.domain == 0) {
        route_hosts_say(c, out, OUT_DEFER, "%.*s router: reroute string %.*s is not an address",
                        STR_ARG(c->router->name), STR_ARG(text));
        return;
    }
    struct address *child = ARENA_NEW(c->arena, struct address);
    child->text = str_tainted(str_dup(c->arena, p.text));
    child->mode = -1;
    vec_push(c->arena, &out->children, child);
    out->outcome = OUT_OK;
    out->rewrite_children = true;
}

static void
route(const struct route_call *c, struct route_result *out)
{
    const struct router_iplookup *own = c->router->own.fields;
    struct str query, answer;
    if (!make_query(c, own, &query, out))
        return;
    if (!ask(c, own, query, &answer)) {
        route_hosts_say(c, out, OUT_DEFER, "%.*s router: failed to get anything",
                        STR_ARG(c->router->name));
        if (own->optional)
            out->outcome = OUT_PASS;
        return;
    }
    if (fits(c, own, query, answer))
        reroute(c, own, answer, out);
    else
        out->outcome = OUT_DECLINE;
}

const struct router_driver router_iplookup = {
    .base =
        {
            .name = STR_INIT("iplookup"),
            .opts = &opts,
            .check = check,
        },
    .route = route,
};
