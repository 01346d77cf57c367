/* Hints as text; see hints_text.h. */
#include "proc/hints_text.h"

#include "acl/acl_ratelimit.h"
#include "acl/acl_seen.h"
#include "engine/callout_cache.h"
#include "engine/retry_hints.h"
#include "transports/smtp_client_tls.h"

#include <time.h>

enum { TIME_BYTES = 32, MILLION = 1000000 };

/* A record that could be read: the kind says which of them. */
struct parts {
    struct retry_record retry;
    struct callout_domain domain;
    bool is_domain; /* else domain.result is that of an address */
    struct acl_ratelimit_record rate;
    int64_t seen;
    struct str ticket;
};

static bool
read_callout(const struct hints_item *i, struct parts *p)
{
    p->is_domain = callout_cache_read_domain(i->value, &p->domain);
    return i->version == CALLOUT_CACHE_VERSION &&
           (p->is_domain || callout_cache_read_fact(i->value, &p->domain.result));
}

static bool
read_parts(const struct hints_item *i, struct parts *p)
{
    switch ((int)i->kind) {
    case HINTS_RETRY:
        return i->version == RETRY_RECORD_VERSION && retry_record_read(i->value, &p->retry);
    case HINTS_CALLOUT:
        return read_callout(i, p);
    case HINTS_RATELIMIT:
        return acl_ratelimit_read(i->version, i->value, &p->rate);
    case HINTS_SEEN:
        return acl_seen_read(i->version, i->value, &p->seen);
    case HINTS_TLS:
        return smtp_client_tls_read_ticket(i->version, i->value, &p->seen, &p->ticket);
    default:
        return false;
    }
}

/* --- words --- */

void
hints_text_time(struct buf *b, int64_t seconds, bool utc)
{
    char text[TIME_BYTES];
    time_t t = (time_t)seconds;
    struct tm tm;
    if ((utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)) == NULL ||
        strftime(text, sizeof text, "%d-%b-%Y %H:%M:%S", &tm) == 0)
        buf_printf(b, "%lld", (long long)seconds);
    else
        buf_addz(b, text);
}

static const char *
word_of(const struct callout_fact *f)
{
    static const char *const words[CALLOUT_WORDS] = {"unknown", "accept", "reject",
                                                     "reject_mfnull"};
    return words[f->word];
}

static int64_t
newest(const struct callout_domain *d)
{
    int64_t t = d->result.time;
    t = d->postmaster.time > t ? d->postmaster.time : t;
    return d->random.time > t ? d->random.time : t;
}

/* Of a second that is given with its fraction. */
static int
millionths(double when)
{
    return (int)((when - (double)(int64_t)when) * MILLION);
}

/* --- dump --- */

static void
dump_retry(struct buf *b, struct str key, const struct retry_record *r, bool utc)
{
    buf_printf(b, "  %.*s %lld %lld %.*s\n", STR_ARG(key), (long long)r->number,
               (long long)r->detail, STR_ARG(r->text));
    hints_text_time(b, r->first_failed, utc);
    buf_addz(b, "  ");
    hints_text_time(b, r->last_try, utc);
    buf_addz(b, "  ");
    hints_text_time(b, r->next_try, utc);
    buf_addz(b, r->expired ? " *\n" : "\n");
}

/* " random=accept (time)": the time only when it is another than that of the record. */
static void
add_fact(struct buf *b, const char *name, const struct callout_fact *f, int64_t time, bool utc)
{
    buf_printf(b, " %s=%s", name, word_of(f));
    if (f->word == CALLOUT_UNKNOWN || f->time == time)
        return;
    buf_addz(b, " (");
    hints_text_time(b, f->time, utc);
    buf_addz(b, ")");
}

static void
dump_callout(struct buf *b, struct str key, const struct parts *p, bool utc)
{
    const struct callout_domain *d = &p->domain;
    int64_t time = p->is_domain ? newest(d) : d->result.time;
    hints_text_time(b, time, utc);
    buf_printf(b, " %.*s callout=%s", STR_ARG(key), word_of(&d->result));
    if (p->is_domain) {
        add_fact(b, "postmaster", &d->postmaster, time, utc);
        add_fact(b, "random", &d->random, time, utc);
    }
    buf_addz(b, "\n");
}

static void
dump_rate(struct buf *b, struct str key, const struct acl_ratelimit_record *r, bool utc)
{
    hints_text_time(b, (int64_t)r->when, utc);
    buf_printf(b, ".%06d rate: %10.3f", millionths(r->when), r->rate);
    if (r->unique_n > 0) {
        buf_addz(b, " epoch: ");
        hints_text_time(b, (int64_t)r->start, utc);
        buf_printf(b, " size: %zu", r->unique_n);
    }
    buf_printf(b, " key: %.*s\n", STR_ARG(key));
}

void
hints_text_dump(struct buf *b, const struct hints_item *i, bool utc)
{
    struct parts p = {.is_domain = false};
    bool known = read_parts(i, &p);
    switch (known ? (int)i->kind : HINTS_KINDS) {
    case HINTS_RETRY:
        dump_retry(b, i->key, &p.retry, utc);
        break;
    case HINTS_CALLOUT:
        dump_callout(b, i->key, &p, utc);
        break;
    case HINTS_RATELIMIT:
        dump_rate(b, i->key, &p.rate, utc);
        break;
    case HINTS_SEEN:
    case HINTS_TLS:
        buf_printf(b, "%.*s\t", STR_ARG(i->key));
        hints_text_time(b, p.seen, utc);
        buf_addz(b, "\n");
        break;
    default:
        buf_printf(b, "%.*s (%zu bytes)\n", STR_ARG(i->key), (size_t)i->value.n);
        break;
    }
}

/* --- fields --- */

static void
add_time_field(struct buf *b, const char *name, int64_t seconds, bool utc)
{
    buf_addz(b, name);
    hints_text_time(b, seconds, utc);
    buf_addz(b, "\n");
}

static void
retry_fields(struct buf *b, const struct retry_record *r, bool utc)
{
    buf_printf(b, "0 error number: %lld %.*s\n", (long long)r->number, STR_ARG(r->text));
    buf_printf(b, "1 extra data:   %lld\n", (long long)r->detail);
    add_time_field(b, "2 first failed: ", r->first_failed, utc);
    add_time_field(b, "3 last try:     ", r->last_try, utc);
    add_time_field(b, "4 next try:     ", r->next_try, utc);
    buf_printf(b, "5 expired:      %s\n", r->expired ? "yes" : "no");
}

bool
hints_text_fields(struct buf *b, const struct hints_item *i, bool utc)
{
    struct parts p = {.is_domain = false};
    if (!read_parts(i, &p))
        return false;
    if (i->kind == HINTS_RETRY)
        retry_fields(b, &p.retry, utc);
    else
        hints_text_dump(b, i, utc);
    return true;
}

bool
hints_text_age(const struct hints_item *i, int64_t *seconds)
{
    struct parts p = {.is_domain = false};
    if (!read_parts(i, &p))
        return false;
    *seconds = i->kind == HINTS_RETRY       ? p.retry.last_try
               : i->kind == HINTS_CALLOUT   ? newest(&p.domain)
               : i->kind == HINTS_RATELIMIT ? (int64_t)p.rate.when
                                            : p.seen;
    return true;
}
