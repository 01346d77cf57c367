/* What is done when it is known what became of an address: logs, journal, ancestors, retry hints. */
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/delivery.h"
#include "engine/maillog.h"
#include "engine/mua_wrapper.h"
#include "engine/retry_hints.h"
#include "engine/route.h"
#include "routers/router.h"
#include "transports/transport.h"

#include <string.h>

void
delivery_answer(struct delivery *d, struct address *a, enum outcome outcome, int64_t number,
                struct str text)
{
    if (a->answer == NULL)
        a->answer = ARENA_NEW(d->arena, struct transport_answer);
    a->answer->why = (struct why){.outcome = outcome,
                                  .sys_errno = number == 0 ? DELIVERY_NO_ERRNO : (int)number,
                                  .log = text};
}

/* --- done --- */

static enum spool_result
open_journal(struct delivery *d, struct spool_fault *f)
{
    enum spool_result r =
        d->journal_open ? SPOOL_OK : spool_journal_open(&d->entry, &d->journal, f);
    d->journal_open = d->journal_open || r == SPOOL_OK;
    return r;
}

static enum spool_result
note_done(struct delivery *d, const struct str *keys, size_t n, struct spool_fault *f)
{
    struct durable_fault fault;
    if (d->lane != NULL)
        return delivery_lane_note(d, keys, n, &fault) ? SPOOL_OK
                                                      : spool_system_fault(f, &fault);
    enum spool_result r = open_journal(d, f);
    if (r == SPOOL_OK)
        r = spool_journal_append(d->arena, &d->entry, &d->journal, keys, n, f);
    return r;
}

/* Lines of the journal, on disk before anything is said of them. What is in it already is not among the keys. */
static void
to_journal_all(struct delivery *d, const struct str *keys, size_t n)
{
    struct spool_fault f;
    for (size_t i = 0; i < n; i++)
        (void)spool_tree_add(d->arena, &d->header.done, keys[i]);
    d->changed = true;
    if (note_done(d, keys, n, &f) == SPOOL_OK)
        return;
    engine_deliverer_change(d->engine);
    maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
            "failed to note in the journal that %.*s is done: it may be delivered again: %s",
            STR_ARG(keys[0]), f.text);
}

static void
to_journal(struct delivery *d, struct str key)
{
    if (!spool_tree_has(&d->header.done, key))
        to_journal_all(d, &key, 1);
}

bool
delivery_note_bounce(struct delivery *d, struct str bounce, const struct address_vec *told)
{
    struct spool_fault f;
    struct str *keys = ARENA_ARRAY(d->arena, struct str, told->n);
    for (size_t i = 0; i < told->n; i++)
        keys[i] = route_done_key(d->arena, told->v[i]);
    enum spool_result r = open_journal(d, &f);
    if (r == SPOOL_OK)
        r = spool_journal_append_bounce(d->arena, &d->entry, &d->journal, bounce, keys, told->n,
                                        &f);
    if (r != SPOOL_OK) {
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to note the bounce %.*s in the journal: %s", STR_ARG(bounce), f.text);
        return false;
    }
    for (size_t i = 0; i < told->n; i++)
        (void)spool_tree_add(d->arena, &d->header.done, keys[i]);
    d->changed = true;
    return true;
}

void
delivery_batch_done(struct delivery *d, struct address **batch, size_t n)
{
    struct str *keys = ARENA_ARRAY(d->arena, struct str, n);
    size_t new = 0;
    for (size_t i = 0; i < n; i++) {
        struct str key = route_done_key(d->arena, batch[i]);
        if (batch[i]->answer->why.outcome == OUT_OK && !spool_tree_has(&d->header.done, key))
            keys[new ++] = key;
    }
    if (new > 0)
        to_journal_all(d, keys, new);
}

void
delivery_taken(struct delivery *d, struct address *a)
{
    to_journal(d, route_done_key(d->arena, a));
}

void
delivery_address_done(struct delivery *d, struct address *a)
{
    to_journal(d, route_done_key(d->arena, a));
    for (struct address *p = a->parent; p != NULL; p = p->parent) {
        if (p->children > 0)
            p->children--;
        if (p->children > 0 || p->waits)
            return;
        to_journal(d, p->key);
        if (route_is_copy(p))
            continue;
        struct str line = str_printf(d->arena, "%.*s: children all complete", STR_ARG(p->text));
        maillog_message(d->engine, &d->entry, line);
    }
}

/* --- good --- */

bool
delivery_is_logged(const struct address *a)
{
    const struct transport_generic *t =
        a->transport != NULL ? a->transport->generic.fields : NULL;
    const struct router_generic *r = a->router != NULL ? a->router->generic.fields : NULL;
    return !a->disable_logging && (t == NULL || !t->disable_logging) &&
           (r == NULL || !r->disable_logging);
}

static void
succeeded(struct delivery *d, struct address *a)
{
    to_journal(d, route_done_key(d->arena, a));
    struct str line = delivery_line(d, a, OUT_OK);
    const char *flag = d->engine->dont_deliver || d->header.dont_deliver ? "*>"
                       : a->answer->additional                           ? "->"
                                                                         : "=>";
    if (delivery_is_logged(a))
        maillog(d->engine, MAILLOG_MAIN, d->id, "%s %.*s", flag, STR_ARG(line));
    struct str transport = a->transport != NULL ? a->transport->name : a->transport_name;
    maillog_message(d->engine, &d->entry,
                    str_printf(d->arena, "%.*s: %.*s transport succeeded",
                               STR_ARG(delivery_message_line(d, a)), STR_ARG(transport)));
    delivery_event_delivered(d, a);
    delivery_address_done(d, a);
    retry_succeeded(d, a);
    vec_push(d->arena, &d->delivered, a);
}

void
delivery_address_discarded(struct delivery *d, struct address *a, bool by_filter)
{
    const struct address *top = delivery_ancestor(a);
    d->discarding = true;
    delivery_address_done(d, a);
    d->discarding = false;
    if (delivery_is_logged(a))
        maillog(d->engine, MAILLOG_MAIN, d->id, "=> %s%s%.*s%s <%.*s>%s%.*s",
                by_filter ? "discarded" : ":blackhole:", a != top ? " (" : "",
                STR_ARG(a != top ? a->text : STR_EMPTY), a != top ? ")" : "",
                STR_ARG(top->text), a->router != NULL ? " R=" : "",
                STR_ARG(a->router != NULL ? a->router->name : STR_EMPTY));
}

/* --- not now --- */

static bool
waits_for_retry(const struct address *a)
{
    int number = a->answer->why.sys_errno;
    return number == DELIVERY_ERRNO_ROUTE_RETRY || number == DELIVERY_ERRNO_LOCAL_RETRY ||
           number == DELIVERY_ERRNO_HOST_RETRY;
}

static void
freeze_for(struct delivery *d, const struct address *a)
{
    d->freeze = true;
    d->freeze_why = str_is_set(a->answer->why.peer) && a->answer->freeze_told
                        ? a->answer->why.peer
                        : STR_NULL;
}

/* Faults of the configuration go to the panic log; who called as a wrapped MUA hears of them in other words. */
static unsigned
logs_of_deferral(const struct delivery *d, const struct address *a)
{
    unsigned to = MAILLOG_MAIN;
    if (a->answer->why.outcome == OUT_ERROR)
        to |= MAILLOG_PANIC | (mua_wrapper_is_on(d) ? (unsigned)MAILLOG_QUIET : 0u);
    return to;
}

static void
deferred(struct delivery *d, struct address *a)
{
    struct str line = delivery_line(d, a, OUT_DEFER);
    bool old = waits_for_retry(a);
    if (!old)
        delivery_event_deferred(d, a);
    if (delivery_is_logged(a) &&
        (!old || maillog_selected(d->engine, LOG_SELECTOR_RETRY_DEFER)))
        maillog(d->engine, logs_of_deferral(d, a), d->id, "== %.*s", STR_ARG(line));
    if (!old || d->header.first_delivery)
        maillog_message(d->engine, &d->entry, line);
    for (struct address *p = a; p != NULL; p = p->parent)
        p->waits = true;
    if (a->answer->freeze)
        freeze_for(d, a);
    vec_push(d->arena, &d->deferred, a);
    if (!old)
        retry_deferred(d, a);
}

/* --- never --- */

static void
failed(struct delivery *d, struct address *a)
{
    struct str line = delivery_line(d, a, OUT_FAIL);
    if (!delivery_ignores_failure(d, a))
        delivery_event_failed(d, a); /* else when it is ignored */
    if (delivery_is_logged(a))
        maillog(d->engine, MAILLOG_MAIN, d->id, "** %.*s", STR_ARG(line));
    maillog_message(d->engine, &d->entry,
                    a->transport == NULL && a->router == NULL
                        ? str_printf(d->arena, "routing failed for %.*s", STR_ARG(line))
                        : line);
    vec_push(d->arena, &d->failed, a);
    retry_succeeded(d, a);
}

void
delivery_address_ended(struct delivery *d, struct address *a)
{
    switch (a->answer->why.outcome) {
    case OUT_OK:
        succeeded(d, a);
        break;
    case OUT_FAIL:
        failed(d, a);
        break;
    case OUT_DECLINE:
    case OUT_PASS:
    case OUT_DEFER:
    case OUT_ERROR:
        deferred(d, a);
        break;
    }
}
