/* @mx_any, @mx_primary and @mx_secondary: whether this host is among the hosts of a domain. Source: specification, section
 * "Domain lists". */
#include "conf/list_state.h"

#include "conf/main_options.h"
#include "conf/mx_find.h"

/* --- hosts that are passed over --- */

static bool
is_ignored(struct list_run *r, const struct list_item *item, const struct host_target *h)
{
    struct list_answer answer;
    const struct list_question q = {.kind = LIST_HOST,
                                    .subject = h->address,
                                    .host_name = h->name,
                                    .list = item->data,
                                    .what = item->text};
    return str_is_set(item->data) && item->data.n > 0 &&
           list_match(r->e, r->vm, &q, &answer) == OUT_OK;
}

static void
drop_ignored(struct list_run *r, const struct list_item *item, struct host_targets *hosts)
{
    size_t kept = 0;
    for (size_t i = 0; i < hosts->n; i++)
        if (!is_ignored(r, item, &hosts->v[i]))
            hosts->v[kept++] = hosts->v[i];
    hosts->n = kept;
}

/* --- this host --- */

/* By name: $0 is what hosts_treat_as_local makes it. */
static bool
is_named_local(struct list_run *r, struct str name)
{
    struct list_answer answer;
    struct str text;
    if (r->e->conf == NULL || !str_is_set(r->e->conf->main->hosts_treat_as_local.text) ||
        vm_expand_x(r->vm, &r->e->conf->main->hosts_treat_as_local, &text) != VM_OK)
        return false;
    const struct list_question q = {.kind = LIST_DOMAIN,
                                    .subject = name,
                                    .list = text,
                                    .what = STR_LIT("hosts_treat_as_local"),
                                    .keep_domain = true};
    return list_match(r->e, r->vm, &q, &answer) == OUT_OK;
}

/* The place of the best that is this host; hosts->n: none is. */
static size_t
find_local(struct list_run *r, const struct host_targets *hosts)
{
    for (size_t i = 0; i < hosts->n; i++) {
        if (list_is_local(r, hosts->v[i].address)) {
            list_capture_subject(r);
            return i;
        }
        if (is_named_local(r, hosts->v[i].name))
            return i;
    }
    return hosts->n;
}

static bool
is_wanted(enum host_resolve_kind kind, const struct host_targets *hosts, size_t local)
{
    if (local == hosts->n)
        return false;
    bool best = hosts->v[local].preference == hosts->v[0].preference;
    return kind == RESOLVE_MX_ANY || best == (kind == RESOLVE_MX_PRIMARY);
}

/* --- the item --- */

/* A host that answers for the resolver (tests). */
static enum step
ask_host(struct list_run *r, const struct list_item *item)
{
    struct host_resolve q = {
        .kind = (enum host_resolve_kind)item->mask, .subject = r->lower, .ignore = item->data};
    struct str unused = STR_NULL;
    enum vm_status st = vm_host(r->vm)->resolve(vm_env(r->vm), r->vm, &q, &unused);
    if (st != VM_OK)
        return st == VM_NO ? STEP_NO : STEP_DEFER;
    r->value = item->text;
    list_capture_subject(r);
    return STEP_YES;
}

enum step
list_mx_step(struct list_run *r, const struct list_item *item)
{
    struct mx_found found;
    const struct host *h = vm_host(r->vm);
    if (r->subject.n == 0)
        return STEP_NO;
    if (h != NULL && h->resolve != NULL)
        return ask_host(r, item);
    const struct mx_find q = {.eval = r->e,
                              .vm = r->vm,
                              .arena = vm_scratch(r->vm),
                              .domain = r->lower,
                              .srv = STR_NULL};
    enum host_found st = mx_find(&q, &found);
    if (st == HOST_AGAIN || st == HOST_INSECURE) {
        (void)vm_defer(r->vm, "DNS lookup of \"%.*s\" deferred", STR_ARG(r->subject));
        return STEP_DEFER;
    }
    if (st == HOST_NONE)
        return STEP_NO;
    drop_ignored(r, item, &found.hosts);
    if (!is_wanted((enum host_resolve_kind)item->mask, &found.hosts,
                   find_local(r, &found.hosts)))
        return STEP_NO;
    r->value = item->text;
    return STEP_YES;
}
