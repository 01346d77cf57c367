/* Items of domain lists and local part lists, and what items of all kinds share: regexes, lookups,
 * named lists.
 */
#include "conf/list_state.h"

#include "base/map.h"
#include "conf/model.h"
#include "sys/regex.h"

enum { RESULTS_BYTES_MAX = 1024 * 1024 };

static const char *const kind_names[] = {
    [LIST_DOMAIN] = "domain",
    [LIST_HOST] = "host",
    [LIST_ADDRESS] = "address",
    [LIST_LOCALPART] = "local part",
};

/* --- regexes --- */

static const struct regex *
compiled(struct list_run *r, struct list_item *item, const struct list *l)
{
    unsigned i = r->caseful ? 0 : 1;
    if (item->re[i] != NULL)
        return item->re[i];
    struct str why = STR_NULL;
    size_t at = 0;
    item->re[i] =
        regex_compile(l->arena, item->text, r->caseful ? 0 : REGEX_CASELESS, &why, &at);
    if (item->re[i] == NULL)
        (void)vm_fail(r->vm,
                      "regular expression error: %.*s at offset %zu while compiling %.*s",
                      STR_ARG(why), at, STR_ARG(item->text));
    return item->re[i];
}

enum step
list_regex_step(struct list_run *r, struct list_item *item, const struct list *l,
                struct str subject)
{
    const struct regex *re = compiled(r, item, l);
    if (re == NULL)
        return STEP_ERROR;
    const struct str *before, *caps;
    unsigned before_n = vm_captures(r->vm, &before);
    enum vm_status st = vm_regex_match(r->vm, re, subject);
    if (st == VM_ERROR)
        return STEP_ERROR;
    if (st != VM_OK)
        return STEP_NO;
    if (!r->captures) {
        if (r->q->kind == LIST_HOST)
            vm_set_captures(r->vm, before, before_n);
        else
            list_clear_captures(r);
        return STEP_YES;
    }
    unsigned n = vm_captures(r->vm, &caps);
    struct str all[VM_CAPS] = {subject};
    for (unsigned i = 1; i < n && i < VM_CAPS; i++)
        all[i] = caps[i];
    list_capture(r, all, n);
    return STEP_YES;
}

/* --- lookups --- */

static enum step
lookup_failed(enum vm_status st)
{
    return st == VM_NO ? STEP_NO : STEP_DEFER;
}

bool
list_lookup_is_query(struct list_run *r, struct str type, bool *query)
{
    const struct host *h = vm_host(r->vm);
    struct host_lookup_type t = {0};
    if (h == NULL || h->lookup_type == NULL || h->lookup == NULL) {
        (void)vm_fail(r->vm, "lookups are not available here");
        return false;
    }
    if (h->lookup_type(vm_env(r->vm), r->vm, type, &t) != VM_OK)
        return false;
    *query = t.query_style;
    return true;
}

enum step
list_lookup_step(struct list_run *r, const struct list_item *item, struct str key,
                 struct str type, struct str *data)
{
    struct host_lookup q = {.type = type, .key = key, .file = item->data, .for_list = true};
    if (!list_lookup_is_query(r, type, &q.query_style))
        return STEP_DEFER;
    *data = STR_EMPTY;
    const struct str *caps;
    unsigned n = vm_captures(r->vm, &caps);
    const struct str *before = caps;
    enum vm_status st = vm_host(r->vm)->lookup(vm_env(r->vm), r->vm, &q, data);
    if (!r->captures)
        vm_set_captures(r->vm, before, n);
    return st == VM_OK ? STEP_YES : lookup_failed(st);
}

/* $0 is the subject; a partial lookup has set $1 and $2. */
static enum step
lookup_step(struct list_run *r, const struct list_item *item)
{
    if (r->captures)
        vm_set_captures(r->vm, NULL, 0);
    struct str key = r->caseful ? r->exact : r->lower, data;
    enum step s = list_lookup_step(r, item, key, item->arg, &data);
    if (s != STEP_YES)
        return s;
    r->value = data;
    if (!r->captures)
        return s;
    const struct str *caps;
    unsigned n = vm_captures(r->vm, &caps);
    struct str all[3] = {key, STR_EMPTY, STR_EMPTY};
    for (unsigned i = 1; i < n && i < 3; i++)
        all[i] = caps[i];
    list_capture(r, all, n < 1 ? 1 : n < 3 ? n : 3);
    return s;
}

/* --- named lists --- */

static const struct named_list *
find_named(struct list_run *r, struct list_item *item, const struct list *l)
{
    if (item->named != NULL)
        return item->named;
    const struct conf *c = r->e->conf;
    struct named_list *nl =
        c == NULL || c->lists[l->kind] == NULL ? NULL : map_get(c->lists[l->kind], item->arg);
    if (nl == NULL) {
        list_log(r, true, "unknown named %s list \"+%.*s\"", kind_names[l->kind],
                 STR_ARG(item->arg));
        (void)vm_defer(r->vm, "unknown named %s list \"+%.*s\"", kind_names[l->kind],
                       STR_ARG(item->arg));
    }
    item->named = nl;
    item->fixed = nl != NULL && expand_is_literal(nl->text.text);
    return nl;
}

static enum step
expand_failed(struct list_run *r, enum vm_status st, struct str text)
{
    if (st == VM_FORCED || st == VM_NO)
        return STEP_NO;
    struct str why = str_dup(vm_scratch(r->vm), vm_error(r->vm));
    (void)vm_defer(r->vm, "failed to expand \"%.*s\" while checking a list: %.*s",
                   STR_ARG(text), STR_ARG(why));
    list_log(r, true, "%.*s", STR_ARG(vm_error(r->vm)));
    return STEP_STOP;
}

/* The compiled text of a named list, in *sub. While a domain list expands, $domain is the subject. */
static enum step
named_text(struct list_run *r, struct list_item *item, const struct list *l,
           const struct list **sub)
{
    const struct named_list *nl = item->named;
    if (item->fixed) {
        const struct list *found = list_for_text(r, l->kind, nl->text.text);
        if (l->kept && found->kept)
            item->sub = found;
        *sub = found;
        return STEP_YES;
    }
    struct str text = STR_EMPTY;
    struct address *outer = r->e->address, during;
    if (l->kind == LIST_DOMAIN && !r->q->keep_domain) {
        during = outer != NULL ? *outer : (struct address){.local_uid = -1, .local_gid = -1};
        during.domain = r->lower;
        r->e->address = &during;
    }
    enum vm_status st = vm_expand_x(r->vm, &nl->text, &text);
    r->e->address = outer;
    if (st != VM_OK)
        return expand_failed(r, st, nl->text.text);
    *sub = list_for_text(r, l->kind, text);
    return STEP_YES;
}

static enum step
step_of(enum outcome o)
{
    switch (o) {
    case OUT_OK:
        return STEP_YES;
    case OUT_DEFER:
        return STEP_STOP;
    case OUT_ERROR:
        return STEP_ERROR;
    case OUT_FAIL:
    case OUT_DECLINE:
    case OUT_PASS:
        break;
    }
    return STEP_NO;
}

static struct list_result *
result_slot(struct list_run *r, const struct list_item *item)
{
    struct list_cache *c = r->cache;
    if (c == NULL || !r->q->remember || !(item->named->cache || item->fixed))
        return NULL;
    if (arena_used(c->short_) > RESULTS_BYTES_MAX)
        list_cache_forget(c);
    if (c->results == NULL)
        c->results = ARENA_ARRAY(c->short_, struct list_result, LIST_RESULTS);
    uint64_t h = str_hash(r->exact) ^ (uint64_t)(uintptr_t)item->named >> 4;
    return &c->results[h % LIST_RESULTS];
}

static bool
is_result_of(const struct list_result *s, const struct list_run *r, const struct named_list *nl)
{
    return s->used && s->named == nl && s->caseful == r->caseful &&
           str_eq(s->subject, r->exact);
}

/* The slot is looked up again: what ran in between may have emptied the table. */
static void
remember(struct list_run *r, const struct list_item *item, bool matched)
{
    struct list_result *slot = result_slot(r, item);
    if (slot == NULL)
        return;
    struct arena *a = r->cache->short_;
    *slot = (struct list_result){.named = item->named,
                                 .subject = str_dup(a, r->exact),
                                 .caseful = r->caseful,
                                 .used = true,
                                 .matched = matched,
                                 .value = str_dup(a, r->value)};
}

static enum step
run_named(struct list_run *r, struct list_item *item, const struct list *l)
{
    const struct list *sub = item->sub;
    enum step s = sub != NULL ? STEP_YES : named_text(r, item, l, &sub);
    return s == STEP_YES ? step_of(list_run(r, sub)) : s;
}

enum step
list_named_step(struct list_run *r, struct list_item *item, const struct list *l)
{
    const struct named_list *nl = find_named(r, item, l);
    if (nl == NULL)
        return STEP_STOP;
    struct list_result *slot = r->q->remember ? result_slot(r, item) : NULL;
    if (slot != NULL && is_result_of(slot, r, nl)) {
        r->value = str_dup(vm_scratch(r->vm), slot->value);
        return slot->matched ? STEP_YES : STEP_NO;
    }
    bool caseful = r->caseful;
    enum step s = run_named(r, item, l);
    if ((s == STEP_YES || s == STEP_NO) && r->caseful == caseful)
        remember(r, item, s == STEP_YES);
    return s;
}

/* --- patterns --- */

static enum step
suffix_step(struct list_run *r, const struct list_item *item)
{
    struct str s = r->caseful ? r->exact : r->lower;
    if (!(r->caseful ? str_ends(s, item->arg) : str_iends(s, item->arg)))
        return STEP_NO;
    struct str caps[2] = {s, str_sub(s, 0, s.n - item->arg.n)};
    list_capture(r, caps, 2);
    r->value = item->text;
    return STEP_YES;
}

static enum step
self_step(struct list_run *r)
{
    const struct host *h = vm_host(r->vm);
    if (h == NULL || h->setting == NULL)
        return STEP_NO;
    struct str name = h->setting(vm_env(r->vm), "primary_hostname");
    if (!str_is_set(name) || !str_ieq(r->lower, name))
        return STEP_NO;
    r->value = name;
    list_capture_subject(r);
    return STEP_YES;
}

static enum step
local_step(struct list_run *r, const struct list_item *item)
{
    struct str s = r->lower;
    if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']' ||
        !list_is_local(r, str_sub(s, 1, s.n - 2)))
        return STEP_NO;
    r->value = item->text;
    list_capture_subject(r);
    return STEP_YES;
}

static enum step
regex_step(struct list_run *r, struct list_item *item, const struct list *l)
{
    enum step s = list_regex_step(r, item, l, r->subject);
    if (s == STEP_YES)
        r->value = item->text;
    return s;
}

enum step
list_string_step(struct list_run *r, struct list_item *item, const struct list *l)
{
    switch ((int)item->kind) {
    case ITEM_SUFFIX:
        return suffix_step(r, item);
    case ITEM_REGEX:
        return regex_step(r, item, l);
    case ITEM_LOOKUP:
        return lookup_step(r, item);
    case ITEM_SELF:
        return self_step(r);
    case ITEM_LOCAL:
        return local_step(r, item);
    case ITEM_MX:
        return list_mx_step(r, item);
    default:
        return STEP_NO;
    }
}
