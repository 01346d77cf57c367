/* One pass over the queue; see queue_run.h. */
#include "engine/queue_run.h"

#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/delivery.h"
#include "engine/lane_keep.h"
#include "engine/maillog.h"
#include "engine/queue_hands.h"
#include "engine/queue_list.h"
#include "engine/run_memory.h"
#include "engine/spool_journal.h"
#include "engine/turned.h"
#include "mail/address.h"
#include "sys/entropy.h"
#include "sys/machine.h"
#include "sys/regex.h"

#include <unistd.h>

/* --- selecting --- */

static bool
contains(struct engine *e, struct str text, struct str part, bool regex)
{
    struct str why;
    size_t at;
    if (!regex)
        return str_ifind(text, part, 0) != STR_NPOS;
    const struct regex *re = vm_regex(e->vm, part, REGEX_CASELESS, &why, &at);
    return re != NULL && vm_regex_match(e->vm, re, text) == VM_OK;
}

static bool
is_of_domains(const struct queue_run *q, struct str address)
{
    struct str local_part, domain;
    address_split(address, &local_part, &domain);
    return str_is_set(domain) && turned_has_domain(q->domains, domain);
}

static bool
has_recipient(struct engine *e, const struct queue_run *q, const struct spool_header *h)
{
    for (size_t i = 0; i < h->recipients.n; i++) {
        struct str address = h->recipients.v[i].address;
        bool wanted = str_is_set(q->domains)
                          ? is_of_domains(q, address)
                          : contains(e, address, q->recipient, q->recipient_regex);
        if (wanted && !spool_tree_has(&h->done, address))
            return true;
    }
    return false;
}

/* True if the message is one for this run as far as its envelope tells; read without the lock. */
static bool
is_selected(struct engine *e, const struct queue_run *q, struct queue_list *list,
            const struct queue_list_item *item, struct arena *a)
{
    struct spool_header h;
    struct spool_fault f;
    if (!q->only_new && !str_is_set(q->recipient) && !str_is_set(q->sender))
        return true;
    int dir = queue_list_directory(list, item);
    spool_header_init(&h);
    if (dir < 0 || spool_read_at(a, dir, &item->id, &h, &f) != SPOOL_OK)
        return false;
    if (q->only_new && !h.first_delivery)
        return false;
    if (str_is_set(q->sender) && !contains(e, h.sender, q->sender, q->sender_regex))
        return false;
    return !str_is_set(q->recipient) || has_recipient(e, q, &h);
}

static bool
is_within(const struct queue_run *q, struct str id)
{
    return (!str_is_set(q->from) || str_cmp(id, q->from) >= 0) &&
           (!str_is_set(q->to) || str_cmp(id, q->to) <= 0);
}

/* --- running --- */

/* deliver_queue_load_max: the machine has enough to do. */
static bool
is_overloaded(struct engine *e)
{
    int64_t limit = e->conf->main->deliver_queue_load_max;
    int64_t load = limit >= 0 ? machine_load_average() : -1;
    if (limit < 0 || load <= limit)
        return false;
    maillog(e, MAILLOG_MAIN, STR_NULL, "Abandon queue run: %.*s (load %.2f, max %.2f)",
            STR_ARG(STR_LIT("load average")), (double)load / 1000, (double)limit / 1000);
    return true;
}

static void
run_one(struct engine *e, const void *ctx, struct str id, bool first)
{
    const struct queue_run *q = ctx;
    bool selecting = str_is_set(q->recipient) || str_is_set(q->sender);
    bool by_selection = selecting && (first || q->recipient_force || q->sender_force);
    e->forced = q->force || q->force_frozen || by_selection;
    (void)delivery_run(e, id, q->force_frozen ? DELIVERY_FORCED : DELIVERY_QUEUE_RUN);
}

/* Messages in order are delivered one after the other. Else what holds one up does not hold up the others. */
static void
hand_over(struct engine *e, const struct queue_run *q, struct queue_hands *hands, struct str id,
          bool first)
{
    if (e->conf->main->queue_run_in_order || e->turned != NULL)
        run_one(e, q, id, first);
    else
        queue_hands_give(hands, id, first);
}

static bool
pass(struct engine *e, const struct queue_run *q)
{
    struct arena *a = arena_new(), *one = arena_new();
    struct spool_place place = engine_place(e);
    bool sorted = e->conf->main->queue_run_in_order, first = true, ok = true;
    struct queue_list *list =
        queue_list_new(a, &place, sorted ? QUEUE_LIST_SORTED : QUEUE_LIST_UNSORTED);
    struct queue_hands *hands = queue_hands_new(a, e, run_one, q);
    struct queue_list_item item;
    struct spool_fault f;
    while (ok) {
        enum spool_result r = queue_list_next(list, &item, &f);
        if (r == SPOOL_ABSENT)
            break;
        if (r != SPOOL_OK) {
            maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%s", f.text);
            continue;
        }
        struct str id = message_id_str(&item.id);
        queue_hands_set_calm(hands, queue_list_calm(list));
        if (is_within(q, id) && is_selected(e, q, list, &item, one)) {
            ok = !is_overloaded(e);
            if (ok)
                hand_over(e, q, hands, id, first);
            first = false;
        }
        arena_clear(one);
    }
    queue_hands_end(hands);
    arena_free(one);
    arena_free(a);
    return ok;
}

/* --- what waits for whom --- */

struct waiting {
    VEC(struct str) names;
    VEC(bool) found;
    size_t left; /* not found yet */
};

static void
note_recipients(const struct spool_header *h, struct waiting *w)
{
    struct str local_part, domain;
    for (size_t i = 0; i < h->recipients.n; i++) {
        struct str address = h->recipients.v[i].address;
        address_split(address, &local_part, &domain);
        for (size_t k = 0; k < w->names.n; k++) {
            if (w->found.v[k] || !str_is_set(domain) || !str_ieq(domain, w->names.v[k]) ||
                spool_tree_has(&h->done, address))
                continue;
            w->found.v[k] = true;
            w->left--;
        }
    }
}

static void
look_through(struct engine *e, struct arena *a, struct waiting *w)
{
    struct arena *one = arena_new();
    struct spool_place place = engine_place(e);
    struct queue_list *list = queue_list_new(a, &place, QUEUE_LIST_UNSORTED);
    struct queue_list_item item;
    struct spool_header h;
    struct spool_fault f;
    enum spool_result r;
    while (w->left > 0 && (r = queue_list_next(list, &item, &f)) != SPOOL_ABSENT) {
        int dir = r == SPOOL_OK ? queue_list_directory(list, &item) : -1;
        spool_header_init(&h);
        if (dir >= 0 && spool_read_at(one, dir, &item.id, &h, &f) == SPOOL_OK)
            note_recipients(&h, w);
        arena_clear(one);
    }
    arena_free(one);
}

struct str
queue_run_waiting(struct engine *e, struct arena *a, struct str domains)
{
    struct arena *own = arena_new();
    struct strlist_split l = strlist_split_start(domains, ',');
    struct buf b = buf_in(a, 0);
    struct waiting w = {.left = 0};
    struct str name;
    while (strlist_split_next(&l, own, &name)) {
        vec_push(own, &w.names, name);
        vec_push(own, &w.found, false);
        w.left++;
    }
    look_through(e, own, &w);
    for (size_t i = 0; i < w.names.n; i++) {
        if (!w.found.v[i])
            continue;
        if (b.n > 0)
            buf_addc(&b, ',');
        buf_adds(&b, w.names.v[i]);
    }
    arena_free(own);
    return b.n > 0 ? buf_str(&b) : STR_EMPTY;
}

/* --- a run --- */

bool
queue_run(struct engine *e, const struct queue_run *q)
{
    bool named = e->queue.n > 0;
    if (is_overloaded(e))
        return false;
    struct arena *a = arena_new();
    bool logged = maillog_selected(e, LOG_SELECTOR_QUEUE_RUN);
    struct str words = q->words.n > 0 ? str_printf(a, " %.*s", STR_ARG(q->words)) : STR_EMPTY;
    struct str name = named              ? str_printf(a, "'%.*s' ", STR_ARG(e->queue))
                      : q->title != NULL ? str_from_cstr(q->title)
                                         : STR_EMPTY;
    struct log_kept *outer = e->log.kept;
    e->log.kept = outer != NULL ? outer : log_kept_new(a);
    (void)lane_keep_run(e, &(struct lane_keep){.age_s = LANE_KEEP_AGE_S});
    if (logged)
        maillog(e, MAILLOG_MAIN, STR_NULL, "Start %.*squeue run: pid=%d%.*s", STR_ARG(name),
                (int)getpid(), STR_ARG(words));
    e->queue_run = e->eval->queue_running = true;
    e->run = run_memory_new(a);
    bool ok = true;
    if (q->two_stage) {
        e->local_only = true;
        e->first_stage = true;
        ok = pass(e, q);
        e->first_stage = false;
    }
    e->local_only = q->local_only;
    ok = ok && pass(e, q);
    run_memory_flush(e->run, e);
    e->run = NULL;
    if (q->title != NULL)
        name = STR_EMPTY;
    if (logged)
        maillog(e, MAILLOG_MAIN, STR_NULL, "End %.*squeue run: pid=%d%.*s", STR_ARG(name),
                (int)getpid(), STR_ARG(words));
    e->log.kept = outer;
    arena_free(a);
    return ok;
}
