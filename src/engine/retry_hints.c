/* Retry times; see retry_hints.h. */
#include "engine/retry_hints.h"

#include "base/num.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/mua_wrapper.h"
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
retry_store(struct engine *e)
{
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

struct str
retry_record_make(struct arena *a, const struct retry_record *r)
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
    return str_cat(a, str_from((const char *)&s, sizeof s), text);
}

static void
save_record(struct delivery *d, struct str key, const struct retry_record *r)
{
    if (!hints_put(retry_store(d->engine), HINTS_RETRY, key, RETRY_RECORD_VERSION,
                   retry_record_make(d->arena, r)))
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "%.*s",
                STR_ARG(hints_error(retry_store(d->engine))));
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
    return STR_JOIN(d->arena, a->local_part, STR_LIT("@"), a->domain);
}

static struct str
routing_key(struct delivery *d, const struct address *a, bool local)
{
    return STR_JOIN(d->arena, STR_LIT("R:"), subject_of(d, a, local));
}

static struct str
transport_key(struct delivery *d, const struct address *a)
{
    if (a->item != ADDRESS_ITEM_MAIL)
        return STR_JOIN(d->arena, STR_LIT("T:"), a->text, STR_LIT(":"),
                        a->parent != NULL ? a->parent->text : STR_EMPTY);
    return STR_JOIN(d->arena, STR_LIT("T:"), subject_of(d, a, by_local_part(a)));
}

static bool
is_old(const struct delivery *d, const struct retry_record *r)
{
    return (int64_t)d->started.tv_sec - r->last_try > d->engine->conf->main->retry_data_expire;
}

bool
retry_load(struct delivery *d, struct str key, struct retry_record *r)
{
    return !mua_wrapper_is_on(d) && load_record(d->arena, retry_store(d->engine), key, r) &&
           !is_old(d, r);
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

/* Where the host came from, and whether the connection was not made in time. */
static struct retry_error
error_of_host(enum retry_kind kind, int64_t detail)
{
    return (struct retry_error){
        .kind = kind,
        .connect = (detail & RETRY_DETAIL_CONNECT) != 0,
        .host = (detail & 0xff) == RETRY_DETAIL_MX  ? RETRY_HOST_MX
                : (detail & 0xff) == RETRY_DETAIL_A ? RETRY_HOST_A
                                                    : RETRY_HOST_ANY,
    };
}

static struct retry_error
error_of(int number, int code, int64_t detail)
{
    static const struct {
        int number;
        enum retry_kind kind;
    } kinds[] = {
        {WHY_CLOSED, RETRY_LOST_CONNECTION},  {ECONNRESET, RETRY_LOST_CONNECTION},
        {WHY_AUTH_FAILED, RETRY_AUTH_FAILED}, {WHY_TLS_REQUIRED, RETRY_TLS_REQUIRED},
        {WHY_NO_HOST, RETRY_LOOKUP},
    };
    switch (number) {
    case WHY_RCPT_4XX:
        return error_of_reply(RETRY_RCPT_4XX, code);
    case WHY_MAIL_4XX:
        return error_of_reply(RETRY_MAIL_4XX, code);
    case WHY_DATA_4XX:
        return error_of_reply(RETRY_DATA_4XX, code);
    case ETIMEDOUT:
        return error_of_host(RETRY_TIMEOUT, detail);
    case ECONNREFUSED:
        return error_of_host(RETRY_REFUSED, detail);
    case DELIVERY_ERRNO_QUOTA:
    case ENOSPC:
    case EDQUOT:
        return (struct retry_error){.kind = RETRY_QUOTA, .unread_s = detail};
    default:
        break;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (number == kinds[i].number)
            return (struct retry_error){.kind = kinds[i].kind};
    return (struct retry_error){.kind = RETRY_ANY};
}

int64_t
retry_detail_of_reply(int code, bool from_mx)
{
    return (int64_t)(code % 100) << 8 | (from_mx ? RETRY_DETAIL_MX : RETRY_DETAIL_A);
}

static const struct retry_rule *
find_rule(struct delivery *d, struct str subject, struct str second, struct retry_error error)
{
    const struct retry_rules *rules = d->engine->conf->retry;
    const struct retry_question q = {
        .key = subject, .second = second, .error = error, .sender = d->message->sender};
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

const struct retry_step *
retry_step_at(const struct retry_rule *r, int64_t failing_s, bool *expired)
{
    *expired = true;
    for (size_t i = 0; i < r->steps.n; i++) {
        if (failing_s <= r->steps.v[i].cutoff_s) {
            *expired = false;
            return &r->steps.v[i];
        }
    }
    return r->steps.n > 0 ? &r->steps.v[r->steps.n - 1] : NULL;
}

/* --- before --- */

bool
retry_overdue(struct delivery *d, struct str subject, struct str second,
              const struct retry_record *r)
{
    struct retry_error error = {.kind = RETRY_ANY};
    if (r != NULL)
        error = error_of((int)r->number, (int)(r->detail >> 8), r->detail);
    const struct retry_rule *rule = find_rule(d, subject, second, error);
    return rule == NULL ||
           (int64_t)d->started.tv_sec - d->message->received_time > last_cutoff(rule);
}

/* True if times that were noted count in this attempt. */
static bool
heeds_times(const struct delivery *d)
{
    return (d->reason == DELIVERY_QUEUE_RUN || d->reason == DELIVERY_CONTINUED) &&
           !d->engine->forced;
}

static bool
waits(struct delivery *d, struct address *a, struct str key, struct str subject)
{
    struct retry_record r;
    if (!retry_load(d, key, &r))
        return false;
    bool of_domain = key.p[0] == 'R' && str_chr(key, '@', 0) == STR_NPOS;
    if (d->engine->kept != NULL && of_domain) {
        delivery_answer(d, a, OUT_DEFER, DELIVERY_ERRNO_ROUTE_RETRY,
                        STR_LIT("reusing SMTP connection skips previous routing defer"));
        a->answer->routing_skipped = true;
        return true;
    }
    bool routing = key.p[0] == 'R';
    if ((int64_t)d->started.tv_sec >= r.next_try || (!routing && r.expired) ||
        retry_overdue(d, subject, STR_NULL, &r))
        return false; /* after the cutoff time a new message has one local try */
    delivery_answer(
        d, a, OUT_DEFER, routing ? DELIVERY_ERRNO_ROUTE_RETRY : DELIVERY_ERRNO_LOCAL_RETRY,
        routing ? STR_LIT("retry time not reached") : STR_LIT("Retry time not yet reached"));
    a->answer->routing_skipped = routing;
    return true;
}

/* Of a recipient that a host refused for now when it came from this sender. */
static struct str
sender_key(struct delivery *d, const struct address *a)
{
    return str_printf(d->arena, "R:%.*s:<%.*s>", STR_ARG(subject_of(d, a, true)),
                      STR_ARG(d->message->sender));
}

bool
retry_routing_waits(struct delivery *d, struct address *a)
{
    if (!heeds_times(d))
        return false;
    for (int local = 0; local <= 1; local++)
        if (waits(d, a, routing_key(d, a, local != 0), subject_of(d, a, local != 0)))
            return true;
    return waits(d, a, sender_key(d, a), subject_of(d, a, true));
}

bool
retry_local_waits(struct delivery *d, struct address *a)
{
    return heeds_times(d) &&
           waits(d, a, transport_key(d, a), subject_of(d, a, by_local_part(a)));
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

static bool
is_remote(const struct address *a)
{
    return a->transport != NULL && transport_driver_of(a->transport)->place == TRANSPORT_REMOTE;
}

void
retry_succeeded(struct delivery *d, struct address *a)
{
    if (a->transport == NULL)
        retry_routed(d, a);
    else if (is_remote(a))
        note(d, a, sender_key(d, a), false);
    else
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
    if (!is_remote(a))
        note(d, a,
             a->transport == NULL ? routing_key(d, a, by_local_part(a)) : transport_key(d, a),
             true);
    else if (a->answer->recipient_error)
        note(d, a,
             number == WHY_RCPT_4XX &&
                     transport_own_bool(a->transport, "address_retry_include_sender")
                 ? sender_key(d, a)
                 : routing_key(d, a, true),
             true);
    else if (a->answer->hosts_expired)
        note(d, a, STR_NULL, true); /* the records are those of the hosts, and written */
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

/* Since when the failures count: for those of the message or of an address at least since the message came in. */
static int64_t
failing_since(struct delivery *d, const struct retry_failure *f, const struct retry_record *old,
              bool known)
{
    int64_t since = known ? old->first_failed : (int64_t)d->started.tv_sec;
    if (f->of_message && d->message->received_time < since)
        since = d->message->received_time;
    return since;
}

int64_t
retry_interval_before(const struct retry_record *r, int64_t now_s)
{
    int64_t meant_s = r->next_try - r->last_try, was_s = now_s - r->last_try;
    return was_s < meant_s ? was_s : meant_s;
}

bool
retry_failed(struct delivery *d, const struct retry_failure *f)
{
    struct retry_record old, now;
    int64_t time_s = (int64_t)d->started.tv_sec;
    if (mua_wrapper_is_on(d))
        return false;
    bool known = true, expired;
    if (f->old != NULL)
        old = *f->old;
    else
        known = retry_load(d, f->key, &old);
    const struct retry_rule *rule =
        find_rule(d, f->subject, f->second, error_of(f->number, f->code, f->detail));
    if (rule == NULL)
        return true;
    int64_t age_s = time_s - d->message->received_time;
    if (known && f->again)
        return old.expired || age_s > last_cutoff(rule);
    int64_t since = failing_since(d, f, &old, known);
    const struct retry_step *step = retry_step_at(rule, time_s - since, &expired);
    int64_t previous = known ? retry_interval_before(&old, time_s) : 0;
    now = (struct retry_record){
        .first_failed = since,
        .last_try = time_s,
        .next_try = time_s,
        .number = f->number,
        .detail = f->detail,
        .expired = expired,
        .text = f->text,
    };
    /* A message that is older than its rule allows is given up, and others are to be tried at once. */
    if (step != NULL && (expired || age_s <= last_cutoff(rule)))
        now.next_try +=
            retry_interval(step, previous, d->engine->conf->main->retry_interval_max);
    save_record(d, f->key, &now);
    return expired || age_s > last_cutoff(rule);
}

void
retry_forget(struct delivery *d, struct str key)
{
    struct retry_record r;
    if (!mua_wrapper_is_on(d) && load_record(d->arena, retry_store(d->engine), key, &r) &&
        !hints_delete(retry_store(d->engine), HINTS_RETRY, key))
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "%.*s",
                STR_ARG(hints_error(retry_store(d->engine))));
}

static void
take_deferral(struct delivery *d, const struct retry_note *n)
{
    struct address *a = n->address;
    const struct why *w = &a->answer->why;
    struct str text = w->sys_errno > 0     ? str_from_cstr(strerror(w->sys_errno))
                      : str_is_set(w->log) ? w->log
                                           : w->peer;
    if (a->answer->recipient_error && str_is_set(w->host))
        text = str_printf(d->arena, "H=%.*s [%.*s]: %.*s", STR_ARG(w->host),
                          STR_ARG(w->host_ip), STR_ARG(text));
    const struct retry_failure f = {
        .key = n->key,
        .subject = subject_of(d, a, by_local_part(a) || a->answer->recipient_error),
        .second = STR_NULL,
        .number = w->sys_errno,
        .code = w->smtp_code,
        .detail = a->answer->detail,
        .text = text,
        .of_message = true,
    };
    if (!str_is_set(n->key) || retry_failed(d, &f))
        give_up(d, a);
}

/* True if the attempt ended with a deferral of the same key. */
static bool
is_deferred(const struct retry_batch *b, struct str key)
{
    for (size_t i = 0; i < b->notes.n; i++)
        if (b->notes.v[i].deferred && str_is_set(b->notes.v[i].key) &&
            str_eq(b->notes.v[i].key, key))
            return true;
    return false;
}

void
retry_finish(struct delivery *d)
{
    if (d->retries == NULL)
        return;
    const struct retry_batch *b = d->retries;
    for (size_t i = 0; i < b->notes.n; i++)
        if (!b->notes.v[i].deferred && !is_deferred(b, b->notes.v[i].key))
            retry_forget(d, b->notes.v[i].key);
    for (size_t i = b->notes.n; i > 0; i--) /* the last deferral first, as the reference does */
        if (b->notes.v[i - 1].deferred)
            take_deferral(d, &b->notes.v[i - 1]);
}
