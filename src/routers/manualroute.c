/* The manualroute router: takes the hosts of a domain from rules in the configuration. */
#include "base/strlist.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "filter/expand.h"
#include "routers/route_hosts.h"
#include "routers/route_rule.h"
#include "transports/transport.h"

struct router_manualroute {
    struct str host_all_ignored, host_find_failed;
    struct opt_xbool hosts_randomize;
    struct xstr route_data, route_list;
    bool same_domain_copy_routing;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_STR(struct router_manualroute, host_all_ignored, "defer", 0,
        "What to do when every host is left out by ignore_target_hosts."),
    OPT_STR(struct router_manualroute, host_find_failed, "freeze", 0,
        "What to do when the address of a host cannot be found."),
    OPT_XBOOL(struct router_manualroute, hosts_randomize, false, 0,
        "Tries the hosts in an order that differs each time."),
    OPT_XSTR(struct router_manualroute, route_data, NULL, 0,
        "One rule, without the domain: hosts, then options."),
    OPT_LIST(struct router_manualroute, route_list, NULL, 0,
        "Rules by domain: a pattern, hosts, then options, with semicolons between."),
    OPT_BOOL(struct router_manualroute, same_domain_copy_routing, false, 0,
        "Uses the result for other addresses of the message in the same domain."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "manualroute router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_manualroute),
};

static bool
is_one_of(struct str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eqz(word, words[i]))
            return true;
    return false;
}

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    /* "ignore" makes no sense when all hosts are ignored already. */
    static const char *const actions[] = {"decline", "defer", "fail",
                                          "freeze",  "pass",  "ignore"};
    (void)a;
    const struct router_manualroute *own = d->own.fields;
    bool ok = true;
    if (!is_one_of(own->host_find_failed, actions, 6))
        ok = driver_fault(diags, d, "host_find_failed", DRIVER_WORDS_FOR,
                          "unrecognized setting for host_find_failed option");
    if (!is_one_of(own->host_all_ignored, actions, 5))
        ok = driver_fault(diags, d, "host_all_ignored", DRIVER_WORDS_FOR,
                          "unrecognized setting for host_all_ignored option");
    if (str_is_set(own->route_data.text) == str_is_set(own->route_list.text))
        ok = driver_fault(diags, d, "route_list", DRIVER_WORDS_FOR,
                          "route_list or route_data (but not both) must be specified");
    return router_check_generic(d, ROUTER_TRANSPORT_OPTIONAL, diags) && ok;
}

/* What the options of a rule say. */
struct rule_options {
    const struct driver_instance *transport; /* NULL: the generic option's */
    unsigned how;
    bool randomize;
};

/* Logged as well: it is the administrator's fault. */
static void
error(const struct route_call *c, struct route_result *out, struct str logged, struct str told)
{
    const struct router_generic *g = c->router->generic.fields;
    if (!g->disable_logging)
        c->up->log(c->up->ctx, ROUTE_LOG_MAIN, logged);
    route_hosts_say(c, out, OUT_DEFER, "%.*s", STR_ARG(told));
}

static bool
read_option(const struct route_call *c, struct str word, struct rule_options *o)
{
    static const struct {
        const char *word;
        unsigned how;
    } words[] = {{"byname", ROUTE_FIND_BYNAME},
                 {"bydns", ROUTE_FIND_BYDNS},
                 {"ipv4_only", HOST_FIND_IPV4_ONLY},
                 {"ipv4_prefer", HOST_FIND_IPV4_PREFER}};
    const unsigned source = ROUTE_FIND_BYNAME | ROUTE_FIND_BYDNS;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_eqz(word, words[i].word))
            continue;
        if ((words[i].how & source) != 0)
            o->how &= ~source;
        o->how |= words[i].how;
        return true;
    }
    if (str_eqz(word, "randomize") || str_eqz(word, "no_randomize")) {
        o->randomize = word.p[0] == 'r';
        return true;
    }
    o->transport = conf_transport(c->eval->conf, word);
    return o->transport != NULL;
}

static bool
read_options(const struct route_call *c, struct str text, struct rule_options *o,
             struct route_result *out)
{
    struct str rest = text, word, from;
    for (from = str_trim(rest); route_rule_option(&rest, &word); from = str_trim(rest)) {
        if (read_option(c, word, o))
            continue;
        struct str what = str_printf(c->arena,
                                     "unknown routing option or transport name "
                                     "\"%.*s\"",
                                     STR_ARG(from));
        error(c, out,
              str_printf(c->arena, "Error in %.*s router: %.*s", STR_ARG(c->router->name),
                         STR_ARG(what)),
              str_printf(c->arena, "error in router: %.*s", STR_ARG(what)));
        return false;
    }
    return true;
}

/* The rule for the domain. OUT_DECLINE: there is none. $1.. and $value are those of the match. */
static enum outcome
find_rule(const struct route_call *c, const struct router_manualroute *own,
          struct route_rule *rule, struct route_result *out)
{
    struct strlist_split split = strlist_split_start(own->route_list.text, ';');
    struct str item;
    while (strlist_split_next(&split, c->arena, &item)) {
        struct list_answer answer;
        struct str pattern;
        if (item.n == 0)
            continue;
        *rule = route_rule_read(c->arena, item, ROUTE_RULE_LIST);
        enum outcome o = OUT_DEFER;
        enum vm_status st = vm_expand(c->vm, rule->pattern, &pattern);
        if (st == VM_FORCED)
            continue;
        if (st == VM_OK) {
            /* A list of just the pattern: it may have colons. */
            struct str list = str_cat(c->arena, STR_LIT("<\n"), pattern);
            const struct list_question q = {.kind = LIST_DOMAIN,
                                            .subject = c->address->domain,
                                            .list = list,
                                            .what = STR_LIT("route_list")};
            o = list_match(c->eval, c->vm, &q, &answer);
        } else {
            c->up->log(c->up->ctx, ROUTE_LOG_BOTH,
                       str_printf(c->arena,
                                  "failed to expand \"%.*s\" while checking a list: %.*s",
                                  STR_ARG(rule->pattern), STR_ARG(vm_error(c->vm))));
        }
        if (o == OUT_OK)
            vm_set_value(c->vm, answer.value);
        if (o == OUT_FAIL)
            continue;
        if (o != OUT_OK)
            route_hosts_say(c, out, OUT_DEFER, "lookup defer in route_list");
        return o == OUT_OK ? OUT_OK : OUT_DEFER;
    }
    return OUT_DECLINE;
}

static enum outcome
expand_rule(const struct route_call *c, const struct router_manualroute *own,
            struct route_rule *rule, struct route_result *out)
{
    struct str text;
    switch (vm_expand_x(c->vm, &own->route_data, &text)) {
    case VM_OK:
        break;
    case VM_FORCED:
        return OUT_DECLINE;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        route_hosts_say(c, out, OUT_DEFER, "failed to expand \"%.*s\": %.*s",
                        STR_ARG(own->route_data.text), STR_ARG(vm_error(c->vm)));
        return OUT_DEFER;
    }
    text = str_dup(c->arena, str_trim(text));
    if (text.n == 0)
        return OUT_DECLINE;
    *rule = route_rule_read(c->arena, text, ROUTE_RULE_DATA);
    return OUT_OK;
}

/* The list of hosts. OUT_DECLINE: forced failure. */
static enum outcome
expand_hosts(const struct route_call *c, struct str text, struct str *hosts,
             struct route_result *out)
{
    switch (vm_expand(c->vm, text, hosts)) {
    case VM_OK:
        *hosts = str_dup(c->arena, str_trim(*hosts));
        return OUT_OK;
    case VM_FORCED:
        return OUT_DECLINE;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    route_hosts_say(c, out, OUT_DEFER, "%.*s router: failed to expand \"%.*s\": %.*s",
                    STR_ARG(c->router->name), STR_ARG(text), STR_ARG(vm_error(c->vm)));
    return OUT_DEFER;
}

static bool
is_check(const struct route_call *c)
{
    const struct router_generic *g = c->router->generic.fields;
    return g->verify_only &&
           (c->purpose == ROUTE_FOR_RECIPIENT_CHECK || c->purpose == ROUTE_FOR_SENDER_CHECK);
}

/* The transport of the rule, or of the router. */
static bool
set_transport(const struct route_call *c, const struct rule_options *o,
              struct route_result *out)
{
    out->transport = o->transport;
    if (out->transport != NULL ||
        c->up->find_transport(c->up->ctx, &out->transport, &out->why) == OUT_OK)
        return true;
    out->outcome = OUT_DEFER;
    return false;
}

/* Without a transport nothing can be delivered to the hosts that were found. */
static void
need_transport(const struct route_call *c, struct route_result *out)
{
    if (out->transport != NULL || out->outcome != OUT_OK || str_is_set(out->rerouted_domain) ||
        is_check(c))
        return;
    error(c, out,
          str_printf(c->arena, "Error in %.*s router: no transport defined",
                     STR_ARG(c->router->name)),
          STR_LIT("error in router: transport missing"));
}

static void
route_to(const struct route_call *c, const struct router_manualroute *own, struct str hosts,
         const struct rule_options *o, struct route_result *out)
{
    if (out->transport != NULL &&
        transport_driver_of(out->transport)->place == TRANSPORT_LOCAL) {
        struct host_target all = {.name = hosts, .preference = -1};
        if (hosts.n > 0)
            vec_push(c->arena, &out->hosts, all);
        out->outcome = OUT_OK;
        return;
    }
    if (hosts.n == 0) {
        struct str text = str_printf(c->arena,
                                     "error in %.*s router: no host(s) specified for domain "
                                     "%.*s",
                                     STR_ARG(c->router->name), STR_ARG(c->address->domain));
        error(c, out, text, text);
        return;
    }
    const struct route_hosts q = {
        .call = c,
        .items = host_items_read(c->arena, hosts,
                                 o->randomize ? HOST_ORDER_SHUFFLE : HOST_ORDER_KEEP),
        .how = o->how,
        .find_failed = own->host_find_failed,
        .all_ignored = own->host_all_ignored,
    };
    route_hosts_find(&q, out);
    out->copies_routing = own->same_domain_copy_routing;
    need_transport(c, out);
}

/* hosts_randomize may be text. A value that it cannot have counts as off. */
static bool
randomizes(const struct route_call *c, const struct opt_xbool *x)
{
    struct str text;
    if (!str_is_set(x->text.text))
        return x->on;
    return vm_expand_x(c->vm, &x->text, &text) == VM_OK &&
           (str_ieqz(text, "yes") || str_ieqz(text, "true"));
}

static void
route(const struct route_call *c, struct route_result *out)
{
    const struct router_manualroute *own = c->router->own.fields;
    struct rule_options o = {.transport = NULL};
    struct route_rule rule;
    struct str hosts;
    bool by_list = str_is_set(own->route_list.text);
    out->outcome = by_list ? find_rule(c, own, &rule, out) : expand_rule(c, own, &rule, out);
    if (out->outcome == OUT_OK)
        out->outcome = expand_hosts(c, rule.hosts, &hosts, out);
    if (out->outcome != OUT_OK)
        return;
    o.randomize = randomizes(c, &own->hosts_randomize);
    if (!read_options(c, rule.options, &o, out))
        return;
    if (is_check(c) && hosts.n == 0) /* there is nothing to call, and nothing to deliver */
        return;
    if (set_transport(c, &o, out))
        route_to(c, own, hosts, &o, out);
}

const struct router_driver router_manualroute = {
    .base =
        {
            .name = STR_INIT("manualroute"),
            .opts = &opts,
            .check = check,
        },
    .route = route,
};
