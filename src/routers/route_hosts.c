/* Hosts for remote transports; see the header. */
#include "routers/route_hosts.h"

#include "conf/eval.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "filter/expand.h"
#include "mail/ip.h"
#include "mail/why_errno.h"

#include <stdarg.h>

static const struct router_generic *
generic_of(const struct route_call *c)
{
    return c->router->generic.fields;
}

void
route_hosts_say(const struct route_call *c, struct route_result *out, enum outcome o,
                const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(c->arena, fmt, ap);
    va_end(ap);
    out->outcome = o;
    out->why.log = text;
}

/* --- this host --- */

bool
route_hosts_in_domains(const struct route_call *c, const struct xstr *option, const char *name,
                       struct str domain)
{
    struct list_answer answer;
    struct str text;
    if (!str_is_set(option->text) || vm_expand_x(c->vm, option, &text) != VM_OK)
        return false;
    const struct list_question q = {.kind = LIST_DOMAIN,
                                    .subject = domain,
                                    .list = text,
                                    .what = str_from_cstr(name),
                                    .keep_domain = true};
    return list_match(c->eval, c->vm, &q, &answer) == OUT_OK;
}

bool
route_hosts_are_local(const struct route_call *c, const struct host_targets *hosts)
{
    const struct xstr *names = &c->eval->conf->main->hosts_treat_as_local;
    for (size_t i = 0; i < hosts->n; i++) {
        const struct host_target *h = &hosts->v[i];
        if (list_is_local_address(c->eval, c->vm, h->address) ||
            route_hosts_in_domains(c, names, "hosts_treat_as_local", h->name))
            return true;
    }
    return false;
}

/* self = reroute: [rewrite:] domain */
static void
reroute(const struct router_generic *g, struct route_result *out)
{
    struct str to = str_trim(str_sub(g->self, sizeof "reroute:" - 1, g->self.n));
    if (str_starts(to, "rewrite:")) {
        out->rewrite_headers = true;
        to = str_trim(str_sub(to, sizeof "rewrite:" - 1, to.n));
    }
    out->rerouted_domain = to;
    out->outcome = OUT_OK;
}

/* Where there is a message, the line about the address that follows names it. */
static void
log_self(const struct route_call *c, const char *text)
{
    const struct message *m = c->eval->message;
    struct str line = str_printf(c->arena, "%s: %.*s", text, STR_ARG(c->address->domain));
    if (m == NULL || m->id.n == 0)
        line = str_printf(c->arena, "%.*s (while routing <%.*s>)", STR_ARG(line),
                          STR_ARG(c->address->text));
    c->up->log(c->up->ctx, ROUTE_LOG_MAIN, line);
}

bool
route_hosts_self(const struct route_call *c, enum route_hosts_local kind, struct str host_name,
                 struct route_result *out)
{
    static const char *const texts[] = {"remote host address is the local host",
                                        "lowest numbered MX record points to local host"};
    const struct router_generic *g = generic_of(c);
    if (str_eqz(g->self, "send"))
        return true;
    if (str_starts(g->self, "reroute:")) {
        reroute(g, out);
        return false;
    }
    if (str_eqz(g->self, "pass")) {
        c->address->self_hostname = host_name;
        out->outcome = OUT_PASS;
        return false;
    }
    route_hosts_say(c, out, str_eqz(g->self, "fail") ? OUT_FAIL : OUT_DEFER, "%s", texts[kind]);
    out->freeze = str_eqz(g->self, "freeze");
    if (out->freeze && !g->disable_logging)
        log_self(c, texts[kind]);
    return false;
}

/* --- ignore_target_hosts --- */

enum outcome
route_hosts_ignore(const struct route_call *c, struct host_targets *hosts,
                   struct route_result *out)
{
    const struct xstr *option = &generic_of(c)->ignore_target_hosts;
    struct host_targets kept = {NULL, 0, 0};
    if (!str_is_set(option->text))
        return OUT_OK;
    for (size_t i = 0; i < hosts->n; i++) {
        struct list_answer answer;
        struct str text, before = c->address->host_address;
        c->address->host_address = hosts->v[i].address;
        enum vm_status st = vm_expand_x(c->vm, option, &text);
        struct list_question q = {.kind = LIST_HOST,
                                  .subject = hosts->v[i].address,
                                  .host_name = hosts->v[i].name,
                                  .list = st == VM_OK ? text : STR_EMPTY,
                                  .what = STR_LIT("ignore_target_hosts")};
        enum outcome o = st == VM_OK       ? list_match(c->eval, c->vm, &q, &answer)
                         : st == VM_FORCED ? OUT_FAIL
                                           : OUT_DEFER;
        c->address->host_address = before;
        if (o == OUT_DEFER || o == OUT_ERROR) {
            route_hosts_say(c, out, OUT_DEFER, "ignore_target_hosts check: %.*s",
                            STR_ARG(vm_error(c->vm)));
            return OUT_DEFER;
        }
        if (o != OUT_OK)
            vec_push(c->arena, &kept, hosts->v[i]);
    }
    *hosts = kept;
    return OUT_OK;
}

/* --- the list --- */

enum step { NEXT, STOP };

/* What a word of host_find_failed or host_all_ignored means. NEXT: the host is left out. */
static enum step
act(struct str word, struct route_result *out)
{
    static const struct {
        const char *word;
        enum outcome o;
    } acts[] = {{"decline", OUT_DECLINE}, {"pass", OUT_PASS}, {"fail", OUT_FAIL}};
    if (str_eqz(word, "ignore"))
        return NEXT;
    out->outcome = OUT_DEFER;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (str_eqz(word, acts[i].word))
            out->outcome = acts[i].o;
    if (out->outcome == OUT_DECLINE || out->outcome == OUT_PASS)
        out->why.log = STR_NULL;
    out->freeze = str_eqz(word, "freeze");
    return STOP;
}

static enum step
not_found(const struct route_hosts *q, struct str name, struct route_result *out)
{
    const struct route_call *c = q->call;
    route_hosts_say(c, out, OUT_DEFER, "lookup of host \"%.*s\" failed in %.*s router",
                    STR_ARG(name), STR_ARG(c->router->name));
    out->why.sys_errno = WHY_NO_HOST;
    return act(q->find_failed, out);
}

static enum step
unknown_for_now(const struct route_hosts *q, struct str name, struct str fault,
                struct route_result *out)
{
    const struct route_call *c = q->call;
    if (generic_of(c)->pass_on_timeout) {
        out->outcome = OUT_PASS;
        return STOP;
    }
    if (str_is_set(fault))
        route_hosts_say(c, out, OUT_DEFER, "%.*s", STR_ARG(fault));
    else
        route_hosts_say(c, out, OUT_DEFER,
                        "host lookup for %.*s did not complete (DNS timeout?)", STR_ARG(name));
    out->why.sys_errno = WHY_DNS;
    return STOP;
}

unsigned
route_hosts_secure(const struct route_call *c, struct str domain)
{
    const struct router_generic *g = generic_of(c);
    unsigned how = 0;
    if (route_hosts_in_domains(c, &g->dnssec_request_domains, "dnssec_request_domains", domain))
        how |= HOST_FIND_SECURE_ASK;
    if (route_hosts_in_domains(c, &g->dnssec_require_domains, "dnssec_require_domains", domain))
        how |= HOST_FIND_SECURE_NEED;
    return how;
}

struct str
route_hosts_fault(enum mx_fault fault)
{
    static const struct str texts[] = {
        [MX_FAULT_NONE] = {NULL, 0, 0},
        [MX_FAULT_NO_SERVICE] = STR_INIT("an MX or SRV record indicated no SMTP service"),
        [MX_FAULT_NO_HOST] = STR_INIT("all relevant MX records point to non-existent hosts"),
        [MX_FAULT_ADDRESS] = STR_INIT("all relevant MX records point to non-existent hosts or "
                                      "(invalidly) to IP addresses"),
        [MX_FAULT_SYNTAX] = {NULL, 0, 0}, /* told with the domain, by who knows it */
        [MX_FAULT_INSECURE] = STR_INIT("host lookup done insecurely"),
    };
    return texts[fault];
}

static enum outcome
outcome_of(enum host_found st)
{
    return st == HOST_FOUND ? OUT_OK : st == HOST_NONE ? OUT_DECLINE : OUT_DEFER;
}

static enum outcome
find_mx(const struct route_hosts *q, const struct host_item *item, struct host_targets *found,
        struct str *fault)
{
    const struct route_call *c = q->call;
    struct mx_found mx;
    const struct mx_find m = {.eval = c->eval,
                              .vm = c->vm,
                              .arena = c->arena,
                              .domain = item->name,
                              .port = item->port,
                              .srv = STR_NULL,
                              .how =
                                  (q->how & HOST_FIND_ALL) | route_hosts_secure(c, item->name),
                              .mx_only = true};
    enum host_found st = mx_find(&m, &mx);
    *found = mx.hosts;
    *fault = st == HOST_AGAIN ? route_hosts_fault(mx.fault) : STR_NULL;
    return outcome_of(st);
}

static enum outcome
find_name(const struct route_hosts *q, const struct host_item *item, struct host_targets *found,
          struct str *fault)
{
    const struct route_call *c = q->call;
    struct host_find h = {.eval = c->eval,
                          .vm = c->vm,
                          .arena = c->arena,
                          .how = (q->how & HOST_FIND_ALL) | route_hosts_secure(c, item->name) |
                                 HOST_FIND_QUALIFY_SINGLE,
                          .out = found};
    h.host = (struct host_target){
        .name = item->name, .port = item->port, .preference = item->preference};
    enum host_found st = (q->how & ROUTE_FIND_BYNAME) != 0  ? host_find_by_name(&h)
                         : (q->how & ROUTE_FIND_BYDNS) != 0 ? host_find_by_dns(&h)
                                                            : host_find_any(&h);
    if (st == HOST_INSECURE)
        *fault = route_hosts_fault(MX_FAULT_INSECURE);
    if (st == HOST_NONE && (q->how & ROUTE_FIND_BYDNS) == 0 && c->up->logs_unknown_hosts)
        c->up->log(
            c->up->ctx, ROUTE_LOG_MAIN,
            str_printf(c->arena, "no IP address found for host %.*s", STR_ARG(item->name)));
    return outcome_of(st);
}

static enum outcome
find(const struct route_hosts *q, const struct host_item *item, struct host_targets *found,
     struct str *fault)
{
    struct ip ip;
    *fault = STR_NULL;
    if (item->name.n == 0)
        return OUT_DEFER;
    if (item->mx)
        return find_mx(q, item, found, fault);
    if (!ip_parse(item->name, &ip))
        return find_name(q, item, found, fault);
    struct host_target target = {
        .name = item->name, .port = item->port, .preference = item->preference};
    target.address = item->name;
    vec_push(q->call->arena, found, target);
    return OUT_OK;
}

void
route_hosts_cut_local(const struct route_call *c, struct host_targets *found)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct host_targets one = {&found->v[i], 1, 1};
        if (!route_hosts_are_local(c, &one))
            continue;
        size_t keep = i;
        while (keep > 0 && found->v[keep - 1].preference >= found->v[i].preference)
            keep--;
        found->n = keep;
    }
}

/* NEXT: what was found is in out->hosts. *sends: self = send was applied, this host no longer ends the list. */
static enum step
take(const struct route_hosts *q, const struct host_item *item, bool *sends,
     struct route_result *out)
{
    const struct route_call *c = q->call;
    struct host_targets found = {NULL, 0, 0};
    struct str fault;
    enum outcome o = find(q, item, &found, &fault);
    if (o == OUT_OK && route_hosts_ignore(c, &found, out) != OUT_OK)
        return STOP;
    if (o == OUT_DEFER || o == OUT_ERROR)
        return unknown_for_now(q, item->name, fault, out);
    if (o != OUT_OK || found.n == 0)
        return not_found(q, item->name, out);
    bool local = route_hosts_are_local(c, &found);
    if (local && item->mx) {
        struct host_target best = found.v[0];
        route_hosts_cut_local(c, &found);
        local = found.n == 0;
        if (local)
            vec_push(c->arena, &found, best);
    }
    if (local && !*sends) {
        out->outcome = OUT_OK;
        if (out->hosts.n > 0) /* it and what follows is no better than we are */
            return STOP;
        if (!route_hosts_self(c, item->mx ? ROUTE_HOSTS_MX_LOCAL : ROUTE_HOSTS_ADDRESS_LOCAL,
                              found.v[0].name, out))
            return STOP;
        *sends = true;
    }
    for (size_t i = 0; i < found.n; i++)
        vec_push(c->arena, &out->hosts, found.v[i]);
    return NEXT;
}

void
route_hosts_find(const struct route_hosts *q, struct route_result *out)
{
    const struct route_call *c = q->call;
    bool sends = false;
    for (size_t i = 0; i < q->items.v.n; i++)
        if (take(q, &q->items.v.v[i], &sends, out) == STOP)
            return;
    out->outcome = OUT_OK;
    if (out->hosts.n > 0)
        return;
    route_hosts_say(c, out, OUT_DEFER,
                    "lookup failed for all hosts in %.*s router: host_find_failed=ignore "
                    "host_all_ignored=%.*s",
                    STR_ARG(c->router->name), STR_ARG(q->all_ignored));
    out->why.sys_errno = WHY_UNKNOWN;
    (void)act(q->all_ignored, out);
}
