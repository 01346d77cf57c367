/* Hosts of remote deliveries; see remote_hosts.h. */
#include "engine/remote_hosts.h"

#include "base/strlist.h"
#include "conf/host_find.h"
#include "engine/maillog.h"
#include "mail/ip.h"
#include "mail/why_errno.h"
#include "routers/host_items.h"
#include "sys/entropy.h"

static bool
say(struct delivery *d, struct why *why, bool panic, struct str text)
{
    if (panic)
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "%.*s", STR_ARG(text));
    *why = (struct why){
        .outcome = panic ? OUT_ERROR : OUT_DEFER, .sys_errno = WHY_UNKNOWN, .log = text};
    return false;
}

/* A fault of the configuration that the line of the address tells. */
static bool
say_ours(struct why *why, struct str text)
{
    *why = (struct why){.outcome = OUT_ERROR, .sys_errno = WHY_UNKNOWN, .log = text};
    return false;
}

/* --- lists --- */

static struct host_target
target_of(const struct host_item *item)
{
    struct host_target one = {.name = item->name, .port = item->port, .preference = -1};
    struct ip ip;
    if (ip_parse(item->name, &ip))
        one.address = item->name;
    return one;
}

static void
read_list(struct delivery *d, struct str list, enum host_order order, struct host_targets *out)
{
    struct host_items items = host_items_read(d->arena, list, order);
    for (size_t i = 0; i < items.v.n && i < REMOTE_HOSTS_MAX; i++)
        vec_push(d->arena, out, target_of(&items.v.v[i]));
}

static bool
randomizes(struct delivery *d, const struct transport_smtp *o)
{
    struct str text;
    const struct opt_xbool *x = &o->hosts_randomize;
    if (!str_is_set(x->text.text))
        return x->on;
    return vm_expand_x(d->engine->vm, &x->text, &text) == VM_OK &&
           (str_ieqz(text, "yes") || str_ieqz(text, "true"));
}

/* Hosts of a router that did not come from MX records. */
static void
shuffle(struct remote_hosts *hosts)
{
    for (size_t i = 0; i < hosts->v.n; i++)
        if (hosts->v.v[i].preference >= 0)
            return;
    for (size_t i = hosts->v.n; i > 1; i--) {
        size_t j = entropy_below(i);
        struct host_target swap = hosts->v.v[i - 1];
        hosts->v.v[i - 1] = hosts->v.v[j];
        hosts->v.v[j] = swap;
    }
}

static bool
read_own(struct delivery *d, const struct driver_instance *transport, struct remote_hosts *out,
         struct why *why)
{
    const struct transport_smtp *o = transport_smtp_options(transport);
    struct str text;
    if (!str_is_set(o->hosts.text))
        return say(d, why, true,
                   str_printf(d->arena, "%.*s transport called with no hosts set",
                              STR_ARG(transport->name)));
    enum vm_status st = vm_expand_x(d->engine->vm, &o->hosts, &text);
    if (st != VM_OK)
        return say(d, why, st != VM_DEFER,
                   str_printf(d->arena,
                              "failed to expand list of hosts \"%.*s\" in %.*s transport: %.*s",
                              STR_ARG(o->hosts.text), STR_ARG(transport->name),
                              STR_ARG(vm_error(d->engine->vm))));
    struct host_targets list = {NULL, 0, 0};
    read_list(d, str_dup(d->arena, text),
              randomizes(d, o) ? HOST_ORDER_SHUFFLE : HOST_ORDER_KEEP, &list);
    for (size_t i = 0; i < list.n; i++)
        vec_push(d->arena, &out->v, list.v[i]);
    out->own = true;
    if (list.n == 0)
        return say(d, why, false,
                   str_printf(d->arena, "%.*s transport called with hosts setting empty",
                              STR_ARG(transport->name)));
    return true;
}

bool
remote_hosts_choose(struct delivery *d, const struct driver_instance *transport,
                    const struct address *a, bool fallback, struct remote_hosts *out,
                    struct why *why)
{
    const struct transport_smtp *o = transport_smtp_options(transport);
    *out = (struct remote_hosts){.own = fallback};
    if (!fallback && (a->hosts.n == 0 || o->hosts_override) &&
        (a->hosts.n == 0 || str_is_set(o->hosts.text)))
        return read_own(d, transport, out, why);
    for (size_t i = 0; i < a->hosts.n && i < REMOTE_HOSTS_MAX; i++)
        vec_push(d->arena, &out->v, a->hosts.v[i]);
    if (randomizes(d, o))
        shuffle(out);
    return true;
}

struct host_targets
remote_hosts_fallback(struct delivery *d, const struct address *a)
{
    struct host_targets out = {NULL, 0, 0};
    const struct transport_smtp *o = transport_smtp_options(a->transport);
    if (a->fallback_hosts.n > 0)
        return a->fallback_hosts;
    struct str text;
    if (str_is_set(o->fallback_hosts.text) &&
        vm_expand_x(d->engine->vm, &o->fallback_hosts, &text) == VM_OK)
        read_list(d, str_dup(d->arena, text), HOST_ORDER_KEEP, &out);
    return out;
}

/* --- addresses --- */

static bool
in_domains(struct delivery *d, const struct xstr *option, const char *name, struct str host)
{
    return resolve_in_domains(d->engine->eval, d->engine->vm, option, name, host);
}

static enum host_found
find_host(struct delivery *d, const struct driver_instance *transport,
          const struct host_target *host, struct host_targets *found)
{
    const struct transport_smtp *o = transport_smtp_options(transport);
    struct host_find q = {.eval = d->engine->eval,
                          .vm = d->engine->vm,
                          .arena = d->arena,
                          .host = *host,
                          .out = found};
    if (o->gethostbyname)
        return host_find_by_name(&q);
    if (o->dns_qualify_single)
        q.how |= HOST_FIND_QUALIFY_SINGLE;
    if (o->dns_search_parents)
        q.how |= HOST_FIND_SEARCH_PARENTS;
    if (in_domains(d, &o->dnssec_request_domains, "dnssec_request_domains", host->name))
        q.how |= HOST_FIND_SECURE_ASK;
    if (in_domains(d, &o->dnssec_require_domains, "dnssec_require_domains", host->name))
        q.how |= HOST_FIND_SECURE_NEED;
    return host_find_any(&q);
}

enum outcome
remote_hosts_find(struct delivery *d, const struct driver_instance *transport,
                  struct remote_hosts *hosts, size_t i)
{
    struct remote_hosts all = {.own = hosts->own};
    struct host_targets found = {NULL, 0, 0};
    switch (find_host(d, transport, &hosts->v.v[i], &found)) {
    case HOST_FOUND:
        break;
    case HOST_NONE:
        return OUT_FAIL;
    case HOST_AGAIN:
    case HOST_INSECURE:
        return OUT_DEFER;
    }
    for (size_t k = 0; k < i; k++)
        vec_push(d->arena, &all.v, hosts->v.v[k]);
    for (size_t k = 0; k < found.n && all.v.n < REMOTE_HOSTS_MAX; k++)
        vec_push(d->arena, &all.v, found.v[k]);
    for (size_t k = i + 1; k < hosts->v.n; k++)
        vec_push(d->arena, &all.v, hosts->v.v[k]);
    *hosts = all;
    return OUT_OK;
}

/* --- how it is reached --- */

static bool
choose_port(struct delivery *d, const struct driver_instance *transport, int64_t *port,
            struct why *why)
{
    const struct transport_smtp *o = transport_smtp_options(transport);
    struct str text;
    if (vm_expand_x(d->engine->vm, &o->port, &text) != VM_OK)
        return say(d, why, false,
                   str_printf(d->arena,
                              "failed to expand \"%.*s\" (port for %.*s transport): "
                              "%.*s",
                              STR_ARG(o->port.text), STR_ARG(transport->name),
                              STR_ARG(vm_error(d->engine->vm))));
    *port = connect_port(d->arena, str_trim(text));
    if (*port > 0)
        return true;
    (void)say(d, why, false,
              str_printf(d->arena, "TCP port \"%.*s\" is not defined for %.*s transport",
                         STR_ARG(text), STR_ARG(transport->name)));
    why->outcome = OUT_ERROR; /* the panic log has the line of the deferral */
    return false;
}

/* The first address in the list of the same kind as the host's. */
static bool
choose_interface(struct delivery *d, const struct driver_instance *transport,
                 const struct host_target *host, struct ip *from, struct why *why)
{
    const struct transport_smtp *o = transport_smtp_options(transport);
    struct str text, item;
    struct ip ip, to = {0};
    *from = (struct ip){0};
    if (!str_is_set(o->interface.text))
        return true;
    enum vm_status st = vm_expand_x(d->engine->vm, &o->interface, &text);
    if (st == VM_FORCED || (st == VM_OK && str_trim(text).n == 0))
        return true;
    if (st != VM_OK)
        return say_ours(
            why, str_printf(d->arena,
                            "failed to expand \"interface\" option for %.*s transport: %.*s",
                            STR_ARG(transport->name), STR_ARG(vm_error(d->engine->vm))));
    (void)ip_parse(host->address, &to);
    struct strlist_split split = strlist_split_start(str_dup(d->arena, text), ':');
    while (strlist_split_next(&split, d->arena, &item)) {
        if (!ip_parse(item, &ip))
            return say_ours(
                why, str_printf(d->arena,
                                "\"%.*s\" is not a valid IP address for the \"interface\" "
                                "option for %.*s transport",
                                STR_ARG(item), STR_ARG(transport->name)));
        if (ip.n == to.n && from->n == 0)
            *from = ip;
    }
    return true;
}

bool
remote_hosts_target(struct delivery *d, const struct driver_instance *transport,
                    const struct host_target *host, struct smtp_target *out, struct why *why)
{
    const struct transport_smtp *o = transport_smtp_options(transport);
    struct str class;
    *out = (struct smtp_target){.host = host, .port = host->port, .dscp = -1};
    if (host->port == 0 && !choose_port(d, transport, &out->port, why))
        return false;
    if (str_is_set(o->dscp.text) && vm_expand_x(d->engine->vm, &o->dscp, &class) == VM_OK)
        out->dscp = connect_dscp(str_trim(class));
    return choose_interface(d, transport, host, &out->from, why);
}
