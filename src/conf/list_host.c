/* Items of host lists: by address, by name.
 *
 * Nothing is asked of a resolver before an item needs it. When no remote host is involved the subject is
 * empty, and only the empty item and * match.
 */
#include "conf/list_state.h"
#include "conf/model.h"

#include "base/buf.h"
#include "conf/host_find.h"
#include "conf/model.h"

#include <string.h>

enum { NAMES_MAX = 16 }; /* of one address that are looked at: whoever has it chose them */

/* --- addresses and names --- */

static enum step
unknown(struct list_run *r, struct str why)
{
    r->why_unknown = why;
    return STEP_UNKNOWN;
}

static enum step
not_by_name(struct list_run *r)
{
    return unknown(r, STR_LIT("cannot match host name in match_ip list"));
}

static enum vm_status
temporary(struct list_run *r, struct str what)
{
    return vm_defer(r->vm, "DNS lookup of \"%.*s\" deferred", STR_ARG(what));
}

static enum vm_status
find_addresses(struct list_run *r, struct str name, struct str *out)
{
    struct arena *a = vm_scratch(r->vm);
    struct host_targets found = {NULL, 0, 0};
    struct host_find q = {.eval = r->e, .vm = r->vm, .arena = a, .out = &found};
    q.host = (struct host_target){.name = name};
    switch (host_find_any(&q)) {
    case HOST_NONE:
        return VM_NO;
    case HOST_AGAIN:
    case HOST_INSECURE:
        return temporary(r, name);
    case HOST_FOUND:
        break;
    }
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < found.n; i++) {
        buf_adds(&b, found.v[i].address);
        buf_addc(&b, '\n');
    }
    *out = buf_str(&b);
    return VM_OK;
}

static bool
next_line(struct str *rest, struct str *line)
{
    if (rest->n == 0)
        return false;
    *line = str_take_until(rest, '\n');
    return true;
}

static bool
has_address(struct str lines, const struct ip *ip)
{
    struct str line;
    while (next_line(&lines, &line)) {
        struct ip one;
        if (ip_parse(line, &one) && one.n == ip->n && memcmp(one.b, ip->b, ip->n) == 0)
            return true;
    }
    return false;
}

/* A name counts only when it leads back to the address, since whoever has the address chose the name. */
/* The session's host: what is found about it stays known. */
static enum vm_status
find_peer_names(struct list_run *r, struct str *out)
{
    const struct session *s = r->e->session;
    enum outcome o = r->e->find_peer(r->e->log_ctx);
    if (o == OUT_DEFER)
        return temporary(r, r->subject);
    if (o != OUT_OK)
        return VM_NO;
    *out = str_is_set(s->sender_host_names) ? s->sender_host_names : s->sender_host_name;
    return VM_OK;
}

static bool
is_peer(const struct list_run *r)
{
    return r->e->find_peer != NULL && r->e->session != NULL && r->e->session->arena != NULL &&
           str_eq(r->e->session->sender_host_address, r->subject);
}

static enum vm_status
find_names(struct list_run *r, struct str *out)
{
    struct host_names found;
    if (is_peer(r))
        return find_peer_names(r, out);
    switch (host_find_names(r->e, r->vm, &r->ip, &found)) {
    case HOST_NONE:
        return VM_NO;
    case HOST_AGAIN:
    case HOST_INSECURE:
        return temporary(r, r->subject);
    case HOST_FOUND:
        break;
    }
    struct buf b = buf_in(vm_scratch(r->vm), 0);
    for (size_t i = 0; i < found.v.n && i < NAMES_MAX; i++) {
        struct str addresses;
        if (find_addresses(r, found.v.v[i], &addresses) != VM_OK ||
            !has_address(addresses, &r->ip))
            continue;
        buf_adds(&b, found.v.v[i]);
        buf_addc(&b, '\n');
    }
    *out = buf_str(&b);
    return b.n == 0 ? VM_NO : VM_OK;
}

static enum vm_status
resolve(struct list_run *r, enum host_resolve_kind kind, struct str subject, struct str *out)
{
    const struct host *h = vm_host(r->vm);
    *out = STR_NULL;
    if (h != NULL && h->resolve != NULL) {
        struct host_resolve q = {.kind = kind, .subject = subject, .ignore = STR_NULL};
        return h->resolve(vm_env(r->vm), r->vm, &q, out);
    }
    return kind == RESOLVE_NAMES ? find_names(r, out) : find_addresses(r, subject, out);
}

/* The names of the peer are the session's from now on. */
static void
note_peer(struct list_run *r)
{
    struct session *s = r->e->session;
    struct str rest = r->names, first;
    if (s == NULL || s->arena == NULL || str_is_set(s->sender_host_name) ||
        !str_is_set(s->sender_host_address) || !str_eq(s->sender_host_address, r->subject) ||
        !next_line(&rest, &first))
        return;
    s->sender_host_name = str_lower(s->arena, first);
}

/* STEP_YES: r->names has the host's names. */
static enum step
need_names(struct list_run *r)
{
    if (r->q->ip_only)
        return not_by_name(r);
    enum vm_status st = VM_OK;
    if (!r->names_known)
        st = resolve(r, RESOLVE_NAMES, r->subject, &r->names);
    if (st == VM_DEFER || st == VM_ERROR)
        return STEP_DEFER;
    r->names_known = true;
    if (st != VM_OK || r->names.n == 0) {
        r->names = STR_EMPTY;
        return unknown(r, str_printf(vm_scratch(r->vm), "failed to find host name for %.*s",
                                     STR_ARG(r->subject)));
    }
    note_peer(r);
    return STEP_YES;
}

/* --- items --- */

static enum step
forward_step(struct list_run *r, struct str name)
{
    if (r->q->ip_only)
        return not_by_name(r);
    struct str found;
    enum vm_status st = resolve(r, RESOLVE_ADDRESSES, name, &found);
    if (st == VM_DEFER || st == VM_ERROR)
        return STEP_DEFER;
    if (st != VM_OK)
        return unknown(r, str_printf(vm_scratch(r->vm), "failed to find IP address for %.*s",
                                     STR_ARG(name)));
    return has_address(found, &r->ip) ? STEP_YES : STEP_NO;
}

static enum step
self_step(struct list_run *r)
{
    const struct host *h = vm_host(r->vm);
    struct str name = STR_NULL;
    if (h != NULL && h->setting != NULL)
        name = h->setting(vm_env(r->vm), "primary_hostname");
    return forward_step(r, str_is_set(name) ? name : STR_LIT("localhost"));
}

/* The address as a key: IPv6 in full, with dots, because a colon ends a key of lsearch; iplsearch wants
 * colons. */
static struct str
address_key(struct list_run *r, const struct list_item *item)
{
    struct arena *a = vm_scratch(r->vm);
    struct ip ip = r->ip, given;
    if (ip_parse(r->subject, &given))
        ip = given;
    char sep = str_starts(item->arg, "iplsearch") ? ':' : '.';
    unsigned most = (unsigned)ip.n * 8;
    if (item->mask >= 0)
        ip = ip_mask(ip, (unsigned)item->mask < most ? (unsigned)item->mask : most);
    struct str text = ip.n == 4 ? ip_text(a, &ip) : ip_text_full(a, &ip, sep);
    return item->mask < 0 ? text : str_printf(a, "%.*s/%d", STR_ARG(text), item->mask);
}

static enum step
name_lookup_step(struct list_run *r, const struct list_item *item, struct str *data)
{
    enum step s = need_names(r);
    if (s != STEP_YES)
        return s;
    struct str rest = r->names, name;
    s = STEP_NO;
    while (s == STEP_NO && next_line(&rest, &name))
        s = list_lookup_step(r, item, str_lower(vm_scratch(r->vm), name), item->arg, data);
    return s;
}

static enum step
bad_type(struct list_run *r, const struct list_item *item)
{
    struct str why = str_dup(vm_scratch(r->vm), vm_error(r->vm));
    if (!item->net && !r->q->ip_only)
        (void)vm_defer(r->vm, "%.*s in host list item \"%.*s\"", STR_ARG(why),
                       STR_ARG(item->text));
    list_log(r, true, "%.*s", STR_ARG(vm_error(r->vm)));
    return STEP_DEFER;
}

static enum step
lookup_step(struct list_run *r, const struct list_item *item)
{
    /* match_ip takes any type as net-type, but not one that only begins like that. */
    if (r->q->ip_only && !item->net && str_starts(item->arg, "net"))
        return not_by_name(r);
    bool query = false;
    if (!list_lookup_is_query(r, item->arg, &query))
        return bad_type(r, item);
    struct str data = STR_EMPTY;
    enum step s;
    if (query)
        s = list_lookup_step(r, item, STR_NULL, item->arg, &data);
    else if (item->net || r->q->ip_only)
        s = list_lookup_step(r, item, address_key(r, item), item->arg, &data);
    else
        s = name_lookup_step(r, item, &data);
    if (s == STEP_YES)
        r->value = data;
    return s;
}

static enum step
one_name_step(struct list_run *r, struct list_item *item, const struct list *l, struct str name)
{
    bool yes;
    if (item->kind == ITEM_REGEX)
        return list_regex_step(r, item, l, name);
    if (item->kind == ITEM_SUFFIX)
        yes = str_iends(name, item->arg);
    else
        yes = str_ieq(name, item->text);
    return yes ? STEP_YES : STEP_NO;
}

static enum step
name_step(struct list_run *r, struct list_item *item, const struct list *l)
{
    enum step s = need_names(r);
    if (s != STEP_YES)
        return s;
    struct str rest = r->names, name;
    s = STEP_NO;
    while (s == STEP_NO && next_line(&rest, &name))
        s = one_name_step(r, item, l, name);
    if (s == STEP_YES)
        r->value = item->text;
    return s;
}

enum step
list_host_step(struct list_run *r, struct list_item *item, const struct list *l)
{
    if (item->kind == ITEM_ANY)
        return STEP_YES;
    if (r->ip.n == 0 || item->kind == ITEM_EMPTY)
        return r->ip.n == 0 && item->kind == ITEM_EMPTY ? STEP_YES : STEP_NO;
    switch ((int)item->kind) {
    case ITEM_NET:
        return ip_in_net(&r->ip, &item->in) ? STEP_YES : STEP_NO;
    case ITEM_LOCAL:
        return list_is_local_ip(r, &r->ip) ? STEP_YES : STEP_NO;
    case ITEM_MALFORMED:
        return unknown(r, STR_LIT("malformed IPv4 address or address mask"));
    case ITEM_SELF:
        return self_step(r);
    case ITEM_FORWARD:
        return forward_step(r, item->text);
    case ITEM_LOOKUP:
        return lookup_step(r, item);
    case ITEM_SUFFIX:
    case ITEM_REGEX:
    case ITEM_NAME:
        return name_step(r, item, l);
    default:
        return STEP_NO;
    }
}
