/* Items of address lists: whole addresses, local part and domain apart, @@ lookups.
 *
 * The domain of the subject is always in lower case. The local part is too, until +caseful. $0 and the
 * others are set only for rewriting: the whole address, then what the asterisks stand for.
 */
#include "conf/list_state.h"

enum { CHAIN_MAX = 50 }; /* links of an @@ chain, as documented */

static struct str
local_part(const struct list_run *r)
{
    struct str whole = r->caseful ? r->exact : r->lower;
    return str_sub(whole, 0, whole.n - r->domain.n - 1);
}

/* The same question about a part of the address. */
static struct list_run
part_of(struct list_run *r, enum list_kind kind, struct str part)
{
    struct list_run sub = *r;
    sub.kind = kind;
    sub.subject = part;
    sub.lower = list_fold(vm_scratch(r->vm), part);
    sub.exact = part;
    sub.domain = STR_NULL;
    sub.exact_domain = STR_NULL;
    sub.captures = false;
    sub.value = STR_NULL;
    return sub;
}

static bool
local_part_fits(const struct list_run *r, const struct list_item *item)
{
    struct str have = local_part(r), want = item->arg;
    if (item->bare)
        return true;
    if (want.n > 0 && want.p[0] == '*') {
        want = str_sub(want, 1, want.n);
        return r->caseful ? str_ends(have, want) : str_iends(have, want);
    }
    return r->caseful ? str_eq(have, want) : str_ieq(have, want);
}

static enum step
step_of(enum outcome o)
{
    if (o == OUT_OK)
        return STEP_YES;
    if (o == OUT_DEFER)
        return STEP_STOP;
    return o == OUT_ERROR ? STEP_ERROR : STEP_NO;
}

/* The whole address, what an asterisk before the local part stands for, what the domain set. */
static void
capture_parts(struct list_run *r, const struct list_item *item)
{
    if (!r->captures)
        return;
    const struct str *of_domain;
    unsigned domain_n = vm_captures(r->vm, &of_domain), n = 0;
    struct str all[VM_CAPS];
    all[n++] = r->exact;
    if (!item->bare && item->arg.n > 0 && item->arg.p[0] == '*') {
        struct str have = str_sub(r->exact, 0, r->exact.n - r->domain.n - 1);
        all[n++] = str_sub(have, 0, have.n - (item->arg.n - 1));
    }
    for (unsigned i = 1; i < domain_n && n < VM_CAPS; i++)
        all[n++] = of_domain[i];
    list_capture(r, all, n);
}

static enum step
parts_step(struct list_run *r, const struct list_item *item)
{
    if (!local_part_fits(r, item))
        return STEP_NO;
    struct list_run sub = part_of(r, LIST_DOMAIN, r->domain);
    sub.captures = r->captures;
    if (r->captures)
        vm_set_captures(r->vm, NULL, 0);
    enum step s = step_of(list_run(&sub, item->sub));
    r->caseful = sub.caseful;
    if (s != STEP_YES)
        return s;
    capture_parts(r, item);
    struct arena *a = vm_scratch(r->vm);
    struct str head = item->bare ? STR_EMPTY : item->arg;
    r->value = str_cat(a, str_cat(a, head, STR_LIT("@")), sub.value);
    return s;
}

/* --- @@ --- */

/* One list of local parts. *next: the key to go on with, or unset. */
static enum step
link_step(struct list_run *r, struct str data, struct str *next)
{
    const struct list *l = list_compile_patterns(vm_scratch(r->vm), LIST_LOCALPART, data, next);
    struct list_run sub = part_of(r, LIST_LOCALPART, local_part(r));
    struct walk w = {0};
    enum verdict v = list_walk(&sub, &w, l);
    r->value = sub.value;
    if (v != VERDICT_END)
        *next = STR_NULL;
    switch (v) {
    case VERDICT_YES:
        return STEP_YES;
    case VERDICT_DEFER:
        return STEP_DEFER;
    case VERDICT_ERROR:
        return STEP_ERROR;
    case VERDICT_NOT:
    case VERDICT_END:
    case VERDICT_IN:
    case VERDICT_OUT:
        break;
    }
    r->value = STR_NULL;
    return STEP_NO;
}

static enum step
chain_step(struct list_run *r, const struct list_item *item)
{
    bool query = false;
    if (!list_lookup_is_query(r, item->arg, &query))
        return STEP_DEFER;
    struct str key = r->domain, data, next;
    for (int i = 0; i < CHAIN_MAX; i++) {
        enum step s = list_lookup_step(r, item, key, item->arg, &data);
        if (s != STEP_YES)
            return s;
        s = link_step(r, data, &next);
        if (s != STEP_NO || query || !str_is_set(next))
            return s;
        key = next;
    }
    (void)vm_fail(r->vm, "Loop detected in lookup of local part of %.*s in %.*s",
                  STR_ARG(r->subject), STR_ARG(item->text));
    list_log(r, true, "%.*s", STR_ARG(vm_error(r->vm)));
    return STEP_ERROR;
}

/* --- whole addresses --- */

/* The type without "partial…-", which is meaningless here. */
static struct str
whole_type(struct list_run *r, const struct list_item *item)
{
    struct str type = item->arg;
    if (!str_starts(type, "partial"))
        return type;
    size_t dash = str_chr(type, '-', 0);
    if (dash == STR_NPOS)
        return type;
    list_log(r, true,
             "partial matching is not applicable to whole-address lookups: ignored \"%.*s\" in "
             "\"%.*s\"",
             (int)dash + 1, type.p, STR_ARG(item->text));
    return str_sub(type, dash + 1, type.n);
}

static enum step
lookup_step(struct list_run *r, const struct list_item *item)
{
    struct str data;
    enum step s =
        list_lookup_step(r, item, r->caseful ? r->exact : r->lower, whole_type(r, item), &data);
    if (s == STEP_YES)
        r->value = data;
    return s;
}

enum step
list_address_step(struct list_run *r, struct list_item *item, const struct list *l)
{
    if (r->subject.n > 0 && r->domain.p == NULL)
        return STEP_NO;
    switch ((int)item->kind) {
    case ITEM_EMPTY:
        return r->subject.n == 0 ? STEP_YES : STEP_NO;
    case ITEM_REGEX:
        return list_regex_step(r, item, l, r->caseful ? r->exact : r->lower);
    case ITEM_LOOKUP:
        return lookup_step(r, item);
    case ITEM_CHAIN:
        return r->subject.n == 0 ? STEP_NO : chain_step(r, item);
    case ITEM_ADDRESS:
        return r->subject.n == 0 ? STEP_NO : parts_step(r, item);
    default:
        return STEP_NO;
    }
}
