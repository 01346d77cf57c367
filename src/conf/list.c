/* Matching a subject against a list: the walk over the items.
 *
 * The items of a list are looked at in order, but its literal members all at once: the set says where the
 * first one stands that equals the subject, and only the patterns before that place are tried. Results are
 * values in scratch; nothing points into the cache after a match is over, since the cache starts afresh
 * when it is full.
 */
#include "conf/list_state.h"
#include "sys/log_selector.h"

#include <stdarg.h>
#include <stdio.h>

enum { LOG_LINE_MAX = 8192 };

/* --- what steps need --- */

void
list_log(struct list_run *r, bool panic, const char *fmt, ...)
{
    const struct host *h = vm_host(r->vm);
    if (h == NULL || h->log == NULL)
        return;
    char line[LOG_LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    h->log(vm_env(r->vm), panic,
           str_from(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
}

void
list_capture(struct list_run *r, const struct str *caps, unsigned n)
{
    if (r->captures)
        vm_set_captures(r->vm, caps, n);
    else
        list_clear_captures(r);
}

void
list_clear_captures(struct list_run *r)
{
    const struct str *unused;
    if (r->q->kind != LIST_HOST && vm_captures(r->vm, &unused) > 0)
        vm_set_captures(r->vm, NULL, 0);
}

void
list_capture_subject(struct list_run *r)
{
    list_capture(r, r->caseful ? &r->exact : &r->lower, 1);
}

/* The asterisk of *@domain stands for the local part. */
static void
capture_address(struct list_run *r)
{
    struct str caps[2] = {r->exact, str_sub(r->exact, 0, r->exact.n - r->domain.n - 1)};
    list_capture(r, caps, 2);
}

/* A comparison is about to be made: what an earlier one left is void. */
static void
forget_match(struct list_run *r)
{
    r->value = STR_NULL;
    list_clear_captures(r);
}

static const struct list_literal *
next_literal(const struct list_run *r, const struct list *l, uint32_t from)
{
    if (l->set.n == 0 || (l->kind == LIST_ADDRESS && r->domain.p == NULL))
        return NULL;
    const struct list_literal *a = list_set_find(&l->set, r->lower, r->exact, r->caseful, from);
    if (l->kind != LIST_ADDRESS || r->domain.n == 0)
        return a;
    const struct list_literal *b =
        list_set_find(&l->set, r->domain, r->exact_domain, r->caseful, from);
    return a == NULL || (b != NULL && b->pos < a->pos) ? b : a;
}

/* The element itself; a domain alone in an address list stands for "@domain". */
static void
literal_matched(struct list_run *r, const struct list *l, const struct list_literal *found)
{
    r->value = found->text;
    if (l->kind == LIST_ADDRESS && !l->from_file && str_chr(found->text, '@', 0) == STR_NPOS)
        r->value = str_cat(vm_scratch(r->vm), STR_LIT("@"), found->text);
    if (l->kind == LIST_ADDRESS && str_starts(found->text, "*@")) {
        struct str caps[2] = {r->exact, str_sub(r->exact, 0, r->exact.n - r->domain.n - 1)};
        list_capture(r, caps, 2);
        return;
    }
    if (r->kind == LIST_ADDRESS && str_starts(found->text, "*@"))
        capture_address(r);
    else
        list_capture_subject(r);
}

/* --- the walk --- */

static bool
is_option(enum item_kind kind)
{
    return kind >= ITEM_CASEFUL && kind <= ITEM_DEFER_IGNORE;
}

static void
apply_option(struct list_run *r, struct walk *w, enum item_kind kind)
{
    if (kind == ITEM_CASEFUL)
        r->caseful = true;
    else if (kind == ITEM_UNKNOWN_INCLUDE || kind == ITEM_UNKNOWN_IGNORE)
        w->unknown = kind == ITEM_UNKNOWN_INCLUDE ? POLICY_INCLUDE : POLICY_IGNORE;
    else
        w->defer = kind == ITEM_DEFER_INCLUDE ? POLICY_INCLUDE : POLICY_IGNORE;
}

static enum step
pattern_step(struct list_run *r, const struct list *l, struct list_item *item)
{
    forget_match(r);
    switch (l->kind) {
    case LIST_HOST:
        return list_host_step(r, item, l);
    case LIST_ADDRESS:
        return list_address_step(r, item, l);
    case LIST_DOMAIN:
    case LIST_LOCALPART:
        break;
    }
    return list_string_step(r, item, l);
}

/* VERDICT_END: go on with the next item. */
static enum verdict
after_unknown(struct list_run *r, const struct walk *w)
{
    if (w->unknown == POLICY_IGNORE)
        return VERDICT_END;
    if (w->unknown == POLICY_FAIL) {
        if (log_selector_has(r->e->log_selectors, LOG_SELECTOR_UNKNOWN_IN_LIST))
            list_log(r, false, "list matching forced to fail: %.*s", STR_ARG(r->why_unknown));
        return VERDICT_OUT;
    }
    list_log(r, false, "%.*s: accepted by +include_unknown", STR_ARG(r->why_unknown));
    return VERDICT_IN;
}

static enum verdict
after_defer(struct list_run *r, const struct walk *w, const struct list_item *item)
{
    if (w->defer == POLICY_IGNORE)
        return VERDICT_END;
    if (w->defer == POLICY_FAIL)
        return VERDICT_DEFER;
    list_log(r, false, "DNS lookup of \"%.*s\" deferred: accepted by +include_defer",
             STR_ARG(item->text));
    return VERDICT_IN;
}

static enum verdict
item_verdict(struct list_run *r, const struct walk *w, const struct list *l,
             struct list_item *item)
{
    switch (item->kind == ITEM_NAMED ? list_named_step(r, item, l) : pattern_step(r, l, item)) {
    case STEP_NO:
        return VERDICT_END;
    case STEP_YES:
        if (l->from_file)
            r->value = item->text;
        return item->negate ? VERDICT_NOT : VERDICT_YES;
    case STEP_UNKNOWN:
        return after_unknown(r, w);
    case STEP_DEFER:
        return after_defer(r, w, item);
    case STEP_STOP:
        return VERDICT_DEFER;
    case STEP_ERROR:
        break;
    }
    return VERDICT_ERROR;
}

/* Whether nothing but words like +caseful comes after that item. */
static bool
is_last(const struct list *l, const struct list_item *item)
{
    uint32_t options = 0;
    for (const struct list_item *i = item + 1; i < l->items + l->n; i++)
        options += is_option(i->kind);
    return item->pos + 1 + options == l->count;
}

/* An exclamation mark before a file name inverts what its lines say. */
static enum verdict
file_verdict(struct list_run *r, struct walk *w, const struct list *l,
             const struct list_item *item)
{
    bool ends_negated = false;
    enum verdict v = list_file_walk(r, w, item, l, &ends_negated);
    if (is_last(l, item))
        w->ends_negated = item->negate != ends_negated;
    if (item->negate && (v == VERDICT_YES || v == VERDICT_NOT))
        return v == VERDICT_YES ? VERDICT_NOT : VERDICT_YES;
    return v;
}

/* Literals in the places [from, to) were compared, and did not match. */
static void
pass_literals(struct list_run *r, const struct list *l, uint32_t from, uint32_t to)
{
    if (from >= to)
        return;
    r->value = STR_NULL;
    if (l->kind != LIST_ADDRESS)
        list_clear_captures(r);
}

static enum verdict
at_end(struct list_run *r, const struct walk *w, const struct list *l)
{
    if (w->literal != NULL) {
        literal_matched(r, l, w->literal);
        return w->literal->negate ? VERDICT_NOT : VERDICT_YES;
    }
    pass_literals(r, l, l->n == 0 ? 0 : l->items[l->n - 1].pos + 1, l->count);
    return VERDICT_END;
}

static enum verdict
walk_items(struct list_run *r, struct walk *w, const struct list *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        struct list_item *item = &l->items[i];
        if (w->literal != NULL && w->literal->pos < item->pos)
            break;
        pass_literals(r, l, i == 0 ? 0 : l->items[i - 1].pos + 1, item->pos);
        bool caseful = r->caseful;
        enum verdict v = VERDICT_END;
        if (is_option(item->kind))
            apply_option(r, w, item->kind);
        else if (item->kind == ITEM_FILE)
            v = file_verdict(r, w, l, item);
        else
            v = item_verdict(r, w, l, item);
        if (v != VERDICT_END)
            return v;
        /* Case may start to count in the midst, even from within a named list. */
        if (r->caseful != caseful)
            w->literal = next_literal(r, l, item->pos);
    }
    return at_end(r, w, l);
}

enum verdict
list_walk(struct list_run *r, struct walk *w, const struct list *l)
{
    if (r->depth >= LIST_DEPTH_MAX) {
        (void)vm_fail(r->vm, "too many lists within lists (more than %d)", (int)LIST_DEPTH_MAX);
        return VERDICT_ERROR;
    }
    w->ends_negated = l->ends_negated;
    w->literal = next_literal(r, l, 0);
    if (l->n == 0)
        return at_end(r, w, l);
    r->depth++;
    enum verdict v = walk_items(r, w, l);
    r->depth--;
    return v;
}

enum outcome
list_run(struct list_run *r, const struct list *l)
{
    struct walk w = {0};
    switch (list_walk(r, &w, l)) {
    case VERDICT_YES:
    case VERDICT_IN:
        return OUT_OK;
    case VERDICT_NOT:
    case VERDICT_OUT:
        return OUT_FAIL;
    case VERDICT_END:
        return w.ends_negated ? OUT_OK : OUT_FAIL;
    case VERDICT_DEFER:
        return OUT_DEFER;
    case VERDICT_ERROR:
        break;
    }
    return OUT_ERROR;
}

/* --- a question --- */

static void
set_address_parts(struct list_run *r, struct arena *a)
{
    size_t at = str_rchr(r->subject, '@');
    if (at == STR_NPOS)
        return;
    r->domain = str_sub(r->lower, at + 1, r->lower.n);
    r->exact_domain = r->domain;
    r->exact = str_cat(a, str_sub(r->subject, 0, at + 1), r->domain);
}

static void
set_host_parts(struct list_run *r)
{
    if (ip_parse(r->subject, &r->ip))
        ip_unmap(&r->ip);
    r->names = r->q->host_name;
    r->names_known = str_is_set(r->names);
}

static void
start(struct list_run *r)
{
    const struct list_question *q = r->q;
    r->cache = r->e->lists;
    r->kind = q->kind;
    r->subject = str_is_set(q->subject) ? q->subject : STR_EMPTY;
    r->lower = list_fold(vm_scratch(r->vm), r->subject);
    r->exact = r->subject;
    r->caseful = (q->kind == LIST_LOCALPART || q->kind == LIST_ADDRESS) && q->caseful;
    r->captures = q->kind == LIST_DOMAIN || q->kind == LIST_LOCALPART ||
                  (q->kind == LIST_ADDRESS && q->captures);
    if (q->kind == LIST_ADDRESS)
        set_address_parts(r, vm_scratch(r->vm));
    if (q->kind == LIST_HOST)
        set_host_parts(r);
}

/* A subject without @ never matches an item of an address list; the reference says so in its log. */
static void
complain_no_at(struct list_run *r)
{
    if (r->kind != LIST_ADDRESS || r->subject.n == 0 || r->domain.p != NULL)
        return;
    list_log(
        r, true,
        "no @ found in the subject of an address list match: subject=\"%.*s\" pattern=\"%.*s\"",
        STR_ARG(r->subject), STR_ARG(r->q->list));
}

/* What ends Exim: a list that cannot be used at all. Told by the text, since lookups report faults of their
 * type, their file and their data alike. */
static void
note_fatal(struct eval *e, struct vm *vm)
{
    static const char *const texts[] = {"failed to open ", "unknown lookup type ",
                                        "defaults using ", "regular expression error: "};
    struct str why = vm_error(vm);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (str_starts(why, texts[i]))
            e->fatal = str_dup(vm_scratch(vm), why);
    }
}

/* A list that is nothing but a named list gives the answer of that one. */
static const struct list *
short_cut(const struct list_run *r, const struct list *l)
{
    for (int i = 0; i < LIST_DEPTH_MAX && l->n == 1 && l->count == 1; i++) {
        const struct list_item *item = &l->items[0];
        if (item->kind != ITEM_NAMED || item->negate || item->sub == NULL || r->q->remember)
            break;
        l = item->sub;
    }
    return l;
}

enum outcome
list_match(struct eval *e, struct vm *vm, const struct list_question *q, struct list_answer *a)
{
    struct list_run r = {.e = e, .vm = vm, .q = q};
    start(&r);
    complain_no_at(&r);
    list_cache_enter(&r);
    enum outcome o = list_run(&r, short_cut(&r, list_for_question(&r, q)));
    list_cache_leave(&r);
    a->value = o == OUT_OK ? str_dup(vm_scratch(vm), r.value) : STR_NULL;
    if (o == OUT_DEFER || o == OUT_ERROR)
        note_fatal(e, vm);
    return o;
}

static enum vm_status
cannot_complete(struct vm *vm, enum outcome o, struct str list)
{
    struct str why =
        str_printf(vm_scratch(vm), "unable to complete match against \"%.*s\": %.*s",
                   STR_ARG(list), STR_ARG(vm_error(vm)));
    return o == OUT_DEFER ? vm_defer(vm, "%.*s", STR_ARG(why))
                          : vm_fail(vm, "%.*s", STR_ARG(why));
}

enum vm_status
list_host_match(void *env, struct vm *vm, const struct host_match *hm)
{
    struct ip ip;
    if (hm->kind == LIST_HOST && hm->ip_only && hm->subject.n > 0 &&
        !ip_parse(hm->subject, &ip))
        return vm_fail(vm, "\"%.*s\" is not an IP address", STR_ARG(hm->subject));
    struct list_question q = {.kind = hm->kind,
                              .subject = hm->subject,
                              .host_name = STR_NULL,
                              .list = hm->list,
                              .what = STR_NULL,
                              .ip_only = hm->ip_only};
    struct list_answer a;
    enum outcome o = list_match(env, vm, &q, &a);
    if (o == OUT_DEFER || o == OUT_ERROR)
        return cannot_complete(vm, o, hm->list);
    /* What $value is in either branch; match_ip leaves it alone when there is nothing to tell. */
    if (str_is_set(a.value) || hm->kind == LIST_DOMAIN || hm->kind == LIST_LOCALPART ||
        (hm->kind == LIST_ADDRESS && o == OUT_OK))
        vm_set_value(vm, a.value);
    return o == OUT_OK ? VM_OK : VM_NO;
}
