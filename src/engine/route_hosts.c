/* What the engine adds to hosts that a router found: fallback_hosts, translate_ip_address; and the domain of header lines after
 * self = reroute: rewrite. */
#include "conf/host_find.h"
#include "engine/rewrite_header.h"
#include "engine/route_step.h"
#include "mail/ip.h"
#include "routers/host_items.h"
#include "transports/transport.h"

void
route_fallback(struct route_step *s, struct address *a)
{
    if (!route_has(&s->g->fallback_hosts) || a->transport == NULL ||
        transport_driver_of(a->transport)->place != TRANSPORT_REMOTE)
        return;
    struct ip ip;
    struct str list;
    if (route_expand(s, s->g->fallback_hosts.text, &list) != VM_OK)
        return;
    struct host_items items =
        host_items_read(s->r->arena, str_dup(s->r->arena, list), HOST_ORDER_KEEP);
    for (size_t i = 0; i < items.v.n; i++) {
        const struct host_item *item = &items.v.v[i];
        struct host_target one = {.name = item->name, .port = item->port, .preference = -1};
        if (ip_parse(item->name, &ip))
            one.address = item->name;
        vec_push(s->r->arena, &a->fallback_hosts, one);
    }
}

/* --- translate_ip_address --- */

/* What stands for the address: the same, another, or those of a name. */
static enum outcome
translate_one(struct route_step *s, const struct host_target *host, struct host_targets *out)
{
    struct str value, before = s->a->host_address;
    struct ip ip;
    s->a->host_address = host->address;
    enum vm_status st = route_expand(s, s->g->translate_ip_address.text, &value);
    s->a->host_address = before;
    struct host_target one = *host;
    if (st != VM_OK && st != VM_FORCED)
        return route_say(s, OUT_DEFER,
                         "failed to expand \"%.*s\" for translate_ip_address: %.*s",
                         STR_ARG(s->g->translate_ip_address.text), STR_ARG(vm_error(s->vm)));
    if (st == VM_OK && !ip_parse(value, &ip)) {
        one.name = value;
        struct host_find q = {.eval = s->eval,
                              .vm = s->vm,
                              .arena = s->r->arena,
                              .host = one,
                              .out = out};
        if (host_find_by_name(&q) != HOST_FOUND)
            return route_say(s, OUT_DEFER, "host lookup failed for \"%.*s\" (translated)",
                             STR_ARG(value));
        return OUT_OK;
    }
    if (st == VM_OK)
        one.address = value;
    vec_push(s->r->arena, out, one);
    return OUT_OK;
}

enum outcome
route_translate(struct route_step *s, struct host_targets *hosts)
{
    struct host_targets out = {NULL, 0, 0};
    if (!route_has(&s->g->translate_ip_address))
        return OUT_OK;
    for (size_t i = 0; i < hosts->n; i++) {
        if (!str_is_set(hosts->v[i].address))
            vec_push(s->r->arena, &out, hosts->v[i]);
        else if (translate_one(s, &hosts->v[i], &out) != OUT_OK)
            return OUT_DEFER;
    }
    *hosts = out;
    return OUT_OK;
}

/* --- header lines --- */

/* A domain that can stand in a rule as it is. */
static bool
is_plain(struct str domain)
{
    for (size_t i = 0; i < domain.n; i++) {
        char c = domain.p[i];
        if (!ascii_alnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return domain.n > 0;
}

void
route_rewrite_headers(struct route_step *s, struct str from, struct str to)
{
    struct message *m = s->r->message;
    struct arena *a = s->r->arena;
    if (m == NULL || m->headers == NULL || s->r->purpose != ROUTE_FOR_DELIVERY ||
        !is_plain(from) || !is_plain(to))
        return;
    struct rewrite_rule rule = {.flags = REWRITE_HEADERS};
    rule.pattern = str_printf(a, "*@%.*s", STR_ARG(from));
    rule.replacement = str_printf(a, "${quote_local_part:$1}@%.*s", STR_ARG(to));
    const struct rewrite_rules rules = {.v = {&rule, 1, 1}, .flags = rule.flags};
    const struct rewriting w = {.rules = &rules, .eval = s->eval, .vm = s->vm};
    for (size_t i = 0; i < m->headers->n; i++) {
        struct header *h = &m->headers->v[i];
        struct str text;
        if (rewrite_header_place(h->type) == 0 ||
            !rewrite_header(&w, m->arena, h, STR_NULL, &text))
            continue;
        h->text = str_dup(m->arena, text);
        m->headers->changes++;
    }
}
