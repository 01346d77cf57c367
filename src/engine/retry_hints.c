/* Retry times; see retry_hints.h. */
#include "engine/retry_hints.h"

#include "base/num.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/retry.h"
#include "mail/why_errno.h"
#include "routers/router.h"
#include "sys/entropy.h"
#include "sys/hints.h"
#include "transports/transport.h"

#include <errno.h>
#include <string.h>

enum { RECORD_TEXT_MAX = 512 };

struct hints *
retry_store(struct delivery *d)
{
    struct engine *e = d->engine;
    struct str error;
    if (e->hints != NULL)
        return e->hints;
    const char *directory =
        str_cstr(e->arena,
                 str_printf(e->arena, "%.*s/db", STR_ARG(e->conf->main->spool_directory.text)));
    e->hints = hints_open(e->arena, directory, &error);
    if (str_is_set(error))
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%.*s", STR_ARG(error));
    return e->hints;
}

/* --- records --- */

/* The fixed part, as it is in the store; the text follows it. */
struct stored {
    int64_t first_failed, last_try, next_try;
    int32_t number, detail;
    uint32_t expired;
    uint32_t text_n;
};

bool
retry_record_read(struct str value, struct retry_record *out)
{
    struct stored s;
    if (value.n < sizeof s)
        return false;
    memcpy(&s, value.p, sizeof s);
    if (s.text_n != value.n - sizeof s || s.first_failed > s.last_try)
        return false;
    *out = (struct retry_record){
        .first_failed = s.first_failed,
        .last_try = s.last_try,
        .next_try = s.next_try,
        .number = s.number,
        .detail = s.detail,
        .expired = s.expired != 0,
        .text = str_sub(value, sizeof s, value.n),
    };
    return true;
}

static bool
load_record(struct arena *a, struct hints *h, struct str key, struct retry_record *out)
{
    struct str value;
    return hints_get(h, a, HINTS_RETRY, key, RETRY_RECORD_VERSION, &value) &&
           retry_record_read(value, out);
}

static void
save_record(struct delivery *d, struct str key, const struct retry_record *r)
{
    struct str text = str_sub(r->text, 0, RECORD_TEXT_MAX);
    const struct stored s = {
        .first_failed = r->first_failed,
        .last_try = r->last_try,
        .next_try = r->next_try,
        .number = (int32_t)r->number,
        .detail = (int32_t)r->detail,
        .expired = r->expired,
        .text_n = text.n,
    };
    struct str value = str_cat(d->arena, str_from((const char *)&s, sizeof s), text);
    if (!hints_put(retry_store(d), HINTS_RETRY, key, RETRY_RECORD_VERSION, value))
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "%.*s",
                STR_ARG(hints_error(retry_store(d))));
}

/* --- keys --- */

static bool
by_local_part(const struct address *a)
{
    if (a->transport != NULL)
        return ((const struct transport_generic *)a->transport->generic.fields)
            ->retry_use_local_part;
    return a->router != NULL &&
           ((const struct router_generic *)a->router->generic.fields)->retry_use_local_part;
}

/* What rules are searched for. */
static struct str
subject_of(struct delivery *d, const struct address *a, bool local)
{
    while (a->item != ADDRESS_ITEM_MAIL && a->parent != NULL)
        a = a->parent;
    if (!local)
        return a->domain;
    return str_printf(d->arena, "%.*s@%.*s", STR_ARG(a->local_part), STR_ARG(a->domain));
}

static struct str
routing_key(struct delivery *d, const struct address *a, bool local)
{
    return str_printf(d->arena, "R:%.*s", STR_ARG(subject_of(d, a, local)));
}

static struct str
transport_key(struct delivery *d, const struct address *a)
{
    if (a->item != ADDRESS_ITEM_MAIL)
        return str_printf(d->arena, "T:%.*s:%.*s", STR_ARG(a->text),
                          STR_ARG(a->parent != NULL ? a->parent->text : STR_EMPTY));
    return str_printf(d->arena, "T:%.*s", STR_ARG(subject_of(d, a, by_local_part(a))));
}

static bool
is_old(const struct delivery *d, const struct retry_record *r)
{
    return (int64_t)d->started.tv_sec - r->last_try > d->engine->conf->main->retry_data_expire;
}

static bool
load_fresh(struct delivery *d, struct str key, struct retry_record *r)
{
    return load_record(d->arena, retry_store(d), key, r) && !is_old(d, r);
}

/* --- rules --- */

/* A server's reply 4yz: the last two digits choose among rules. */
static struct retry_error
error_of_reply(enum retry_kind kind, int code)
{
    return (struct retry_error){
        .kind = kind,
        .digits = {(char)('0' + code / 10 % 10), (char)('0' + code % 10)},
    };
}

static struct retry_error
error_of(const struct transport_answer *w)
{
    struct retry_error e = {.kind = RETRY_ANY};
    switch (w->why.sys_errno) {
    case WHY_RCPT_4XX:
        return error_of_reply(RETRY_RCPT_4XX, w->why.smtp_code);
    case WHY_MAIL_4XX:
        return error_of_reply(RETRY_MAIL_4XX, w->why.smtp_code);
    case WHY_DATA_4XX:
        return error_of_reply(RETRY_DATA_4XX, w->why.smtp_code);
    case ETIMEDOUT:
        return (struct retry_error){.kind = RETRY_TIMEOUT};
    case ECONNREFUSED:
        return (struct retry_error){.kind = RETRY_REFUSED};
    default:
        break;
    }
    if (w->why.sys_errno == DELIVERY_ERRNO_QUOTA || w->why.sys_errno == ENOSPC ||
        w->why.sys_errno == EDQUOT)
        e = (struct retry_error){.kind = RETRY_QUOTA, .unread_s = w->detail};
    return e;
}

static const struct retry_rule *
find_rule(struct delivery *d, struct str subject, struct retry_error error)
{
    const struct retry_rules *rules = d->engine->conf->retry;
    const struct retry_question q = {
        .key = subject, .second = STR_NULL, .error = error, .sender = d->message->sender};
    if (rules == NULL)
        return NULL;
    return retry_find(rules, d->engine->eval, d->engine->vm, &q, NULL);
}

/* Seconds until an address has failed for so long that it is given up. */
static int64_t
last_cutoff(const struct retry_rule *r)
{
    return r->steps.n == 0 ? 0 : r->steps.v[r->steps.n - 1].cutoff_s;
}

/* A geometric interval grows until it is longer than the last one was. */
static int64_t
geometric(const struct retry_step *s, int64_t previous, int64_t max)
{
    int64_t interval = s->interval_s;
    for (unsigned i = 0; i < 1000 && interval <= previous && interval < max; i++)
        interval =
            interval * s->factor / 1000 > interval ? interval * s->factor / 1000 : interval + 1;
    return interval;
}

static int64_t
randomised(const struct retry_step *s, int64_t previous, int64_t max)
{
    int64_t top = previous * s->factor / 1000, low = s->interval_s;
    top = top > max ? max : top;
    return top <= low ? low : low + (int64_t)entropy_below((uint64_t)(top - low + 1));
}

int64_t
retry_interval(const struct retry_step *s, int64_t previous, int64_t max)
{
    int64_t interval = s->letter == 'F'   ? s->interval_s
                       : s->letter == 'G' ? geometric(s, previous, max)
                                          : randomised(s, previous, max);
    return interval > max ? max : interval;
}

/* The step that applies after so many seconds of failure; *expired when all are over. */
static const struct retry_step *
step_at(const struct retry_rule *r, int64_t failing_s, bool *expired)
{
    *expired = true;
    for (size_t i = 0; i < r->steps.n; i++) {
        if (failing_s < r->steps.v[i].cutoff_s) {
            *expired = false;
            return &r->steps.v[i];
        }
    }
    return r->steps.n > 0 ? &r->steps.v[r->steps.n - 1] : NULL;
}

/* --- before --- */

/* A message that is older than its rule allows is tried although it is not time, and given up if it fails. */
static bool
is_overdue(struct delivery *d, struct str subject)
{
    const struct retry_rule *rule =
        find_rule(d, subject, (struct retry_error){.kind = RETRY_ANY});
    return rule == NULL ||
           (int64_t)d->started.tv_sec - d->message->received_time > last_cutoff(rule);
}

static bool
waits(struct delivery *d, struct address *a, struct str key, struct str subject)
{
    struct retry_record r;
    bool heeds = d->reason == DELIVERY_QUEUE_RUN || d->reason == DELIVERY_CONTINUED;
    if (!heeds || d->engine->forced || !load_fresh(d, key, &r))
        return false;
    if ((int64_t)d->started.tv_sec >= r.next_try || is_overdue(d, subject))
        return false;
    bool routing = key.p[0] == 'R';
    delivery_answer(
        d, a, OUT_DEFER, routing ? DELIVERY_ERRNO_ROUTE_RETRY : DELIVERY_ERRNO_LOCAL_RETRY,
        routing ? STR_LIT("retry time not reached") : STR_LIT("Retry time not yet reached"));
    a->answer->routing_skipped = routing;
    return true;
}

bool
retry_routing_waits(struct delivery *d, struct address *a)
{
    for (int local = 0; local <= 1; local++)
        if (waits(d, a, routing_key(d, a, local != 0), subject_of(d, a, local != 0)))
            return true;
    return false;
}

bool
retry_local_waits(struct delivery *d, struct address *a)
{
    return waits(d, a, transport_key(d, a), subject_of(d, a, by_local_part(a)));
}

/* --- after --- */

struct retry_note {
    struct address *address;
    bool deferred;
    struct str key;
};

struct retry_batch {
    VEC(struct retry_note) notes;
};

static void
note(struct delivery *d, struct address *a, struct str key, bool is_deferral)
{
    if (d->retries == NULL)
        d->retries = ARENA_NEW(d->arena, struct retry_batch);
    vec_push(d->arena, &d->retries->notes,
             ((struct retry_note){.address = a, .deferred = is_deferral, .key = key}));
}

void
retry_routed(struct delivery *d, struct address *a)
{
    note(d, a, routing_key(d, a, false), false);
    note(d, a, routing_key(d, a, true), false);
}

void
retry_succeeded(struct delivery *d, struct address *a)
{
    if (a->transport == NULL)
        retry_routed(d, a);
    else if (transport_driver_of(a->transport)->place == TRANSPORT_LOCAL)
        note(d, a, transport_key(d, a), false);
}

void
retry_deferred(struct delivery *d, struct address *a)
{
    int number = a->answer->why.sys_errno;
    if (a->answer->why.outcome == OUT_ERROR || a->answer->no_retry)
        return; /* a fault of the configuration: trying again is no use before it is mended */
    if (number == DELIVERY_ERRNO_HELD || number == DELIVERY_ERRNO_QUEUED_DOMAIN ||
        number == DELIVERY_ERRNO_LOCAL_ONLY || number == DELIVERY_ERRNO_CONCURRENCY)
        return;
    note(d, a, a->transport == NULL ? routing_key(d, a, by_local_part(a)) : transport_key(d, a),
         true);
}

static void
give_up(struct delivery *d, struct address *a)
{
    size_t kept = 0;
    struct str line = delivery_message_line(d, a);
    a->answer->gave_up = true;
    if (!delivery_ignores_failure(d, a))
        delivery_event_failed(d, a);
    maillog(d->engine, MAILLOG_MAIN, d->id, "** %.*s: retry timeout exceeded", STR_ARG(line));
    maillog_message(d->engine, &d->entry,
                    str_printf(d->arena, "%.*s: retry timeout exceeded", STR_ARG(line)));
    for (size_t i = 0; i < d->deferred.n; i++)
        if (d->deferred.v[i] != a)
            d->deferred.v[kept++] = d->deferred.v[i];
    d->deferred.n = kept;
    for (struct address *p = a; p != NULL; p = p->parent)
        p->waits = false;
    vec_push(d->arena, &d->failed, a);
}

/* Since when the failures count: for those of the message itself at least since it came in. */
static int64_t
failing_since(struct delivery *d, const struct address *a, const struct retry_record *old,
              bool known)
{
    int64_t since = known ? old->first_failed : (int64_t)d->started.tv_sec;
    if (error_of(a->answer).kind == RETRY_QUOTA && d->message->received_time < since)
        since = d->message->received_time;
    return since;
}

static void
take_deferral(struct delivery *d, const struct retry_note *n)
{
    struct address *a = n->address;
    struct retry_record old, now;
    int64_t time_s = (int64_t)d->started.tv_sec;
    bool known = load_fresh(d, n->key, &old), expired;
    const struct retry_rule *rule =
        find_rule(d, subject_of(d, a, by_local_part(a)), error_of(a->answer));
    if (rule == NULL) {
        give_up(d, a);
        return;
    }
    int64_t since = failing_since(d, a, &old, known);
    const struct retry_step *step = step_at(rule, time_s - since, &expired);
    int64_t previous = known ? old.next_try - old.last_try : 0;
    now = (struct retry_record){
        .first_failed = since,
        .last_try = time_s,
        .next_try = time_s,
        .number = a->answer->why.sys_errno == 0 ? DELIVERY_NO_ERRNO : a->answer->why.sys_errno,
        .detail = a->answer->detail,
        .expired = expired,
        .text = str_is_set(a->answer->why.log) ? a->answer->why.log : a->answer->why.peer,
    };
    if (step != NULL)
        now.next_try +=
            retry_interval(step, previous, d->engine->conf->main->retry_interval_max);
    save_record(d, n->key, &now);
    if (expired || time_s - d->message->received_time > last_cutoff(rule))
        give_up(d, a);
}

void
retry_finish(struct delivery *d)
{
    struct retry_record r;
    if (d->retries == NULL)
        return;
    for (size_t i = 0; i < d->retries->notes.n; i++) {
        const struct retry_note *n = &d->retries->notes.v[i];
        if (n->deferred)
            continue;
        if (load_record(d->arena, retry_store(d), n->key, &r) &&
            !hints_delete(retry_store(d), HINTS_RETRY, n->key))
            maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "%.*s",
                    STR_ARG(hints_error(retry_store(d))));
    }
    for (size_t i = 0; i < d->retries->notes.n; i++)
        if (d->retries->notes.v[i].deferred)
            take_deferral(d, &d->retries->notes.v[i]);
}
