/* The condition ratelimit: how fast something happens, as a moving average that forgets exponentially.
 *
 * A record has the time of the last event, the rate then, and (with unique=) hashes of what was counted in the current
 * period. It is read, changed and written in one transaction. Source: specification, "Rate limiting incoming messages" and
 * the sections after it.
 */
#include "acl/acl_ratelimit.h"

#include "acl/acl_hints.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/num.h"
#include "base/strlist.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum {
    RATE_VERSION = 1,
    RATE_HEAD = 24,        /* bytes: time, rate, start of the period */
    RATE_UNIQUE_MAX = 8000 /* hashes in a record; more are counted as new */
};

/* Seconds since 1970 that a record may have: the year 9999 is beyond. */
#define RATE_TIME_MAX 2.5e11

#define P(NAME) (1u << ACL_PHASE_##NAME)
#define MESSAGE_PHASES                                                                         \
    (P(MAIL) | P(RCPT) | P(PREDATA) | P(MIME) | P(DATA) | P(PRDR) | P(NOTSMTP) |               \
     P(NOTSMTP_MIME))
#define ALL_PHASES ((1u << ACL_PHASES) - 1)

enum rate_per { PER_NONE, PER_CONN, PER_MAIL, PER_BYTE, PER_RCPT, PER_ADDR, PER_CMD };

static const struct {
    const char *name;
    uint32_t phases; /* where it counts; elsewhere it only reads */
} pers[] = {
    [PER_NONE] = {"", 0},
    [PER_CONN] = {"per_conn", ALL_PHASES & ~(P(NOTSMTP) | P(NOTSMTP_START) | P(NOTSMTP_MIME))},
    [PER_MAIL] = {"per_mail", MESSAGE_PHASES},
    [PER_BYTE] = {"per_byte", MESSAGE_PHASES},
    [PER_RCPT] = {"per_rcpt", P(RCPT) | P(PREDATA) | P(MIME) | P(DATA) | P(PRDR) | P(NOTSMTP)},
    [PER_ADDR] = {"per_addr", P(RCPT)},
    [PER_CMD] = {"per_cmd", ALL_PHASES},
};

enum rate_mode { MODE_NONE, MODE_LEAKY, MODE_STRICT, MODE_READ };

struct ratelimit {
    double limit, count;
    int64_t period;
    enum rate_per per;
    enum rate_mode mode;
    bool count_given;
    struct str unique; /* unset: none */
    struct str key, limit_text, period_text;
};

/* --- parsing --- */

/* value: what is wrong with it, quoted; unset: the text alone. */
static enum acl_test
fault(struct acl_call *c, struct str value, const char *text)
{
    bool set = str_is_set(value);
    return acl_error(c, "error in arguments to \"ratelimit\" condition: %s%.*s%s%s",
                     set ? "\"" : "", STR_ARG(value), set ? "\" " : "", text);
}

/* A number that is not negative, with K, M or G behind it. */
static bool
parse_number(struct arena *a, struct str s, bool suffix, double *out)
{
    const char *z = str_cstr(a, s);
    char *end;
    if (z == NULL || s.n == 0 || !(ascii_digit(z[0]) || z[0] == '.'))
        return false;
    *out = strtod(z, &end);
    if (suffix && (*end == 'K' || *end == 'k'))
        *out *= 1024, end++;
    else if (suffix && (*end == 'M' || *end == 'm'))
        *out *= 1024 * 1024, end++;
    else if (suffix && (*end == 'G' || *end == 'g'))
        *out *= 1024.0 * 1024 * 1024, end++;
    return *end == '\0' && isfinite(*out) && *out >= 0;
}

/* 1: an option; 0: it is the key; -1: a fault, told. */
static int
take_option(struct acl_call *c, struct ratelimit *r, struct str o)
{
    static const struct {
        const char *name;
        enum rate_mode mode;
    } modes[] = {{"leaky", MODE_LEAKY},
                 {"strict", MODE_STRICT},
                 {"readonly", MODE_READ},
                 {"noupdate", MODE_READ}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (!str_ieqz(o, modes[i].name))
            continue;
        if (r->mode != MODE_NONE && r->mode != modes[i].mode)
            return (void)fault(c, STR_NULL, "conflicting update modes"), -1;
        r->mode = modes[i].mode;
        return 1;
    }
    for (int p = PER_CONN; p <= PER_CMD; p++) {
        if (!str_ieqz(o, pers[p].name))
            continue;
        if (r->per != PER_NONE && r->per != (enum rate_per)p)
            return (void)fault(c, STR_NULL, "conflicting per_* options"), -1;
        r->per = (enum rate_per)p;
        return 1;
    }
    if (str_istarts(o, "count=")) {
        struct str n = str_sub(o, strlen("count="), o.n);
        r->count_given = true;
        if (!parse_number(vm_scratch(c->r->vm), n, true, &r->count))
            return (void)fault(c, n, "is not a positive number"), -1;
        return 1;
    }
    if (str_istarts(o, "unique=")) {
        r->unique = str_sub(o, strlen("unique="), o.n);
        return 1;
    }
    return 0;
}

/* m / p / options / key */
static enum acl_test
parse(struct acl_call *c, struct str arg, struct ratelimit *r)
{
    struct arena *a = c->keep;
    struct strlist_split l = strlist_split_start(arg, '/');
    struct str o;
    r->limit_text = r->period_text = STR_NULL;
    if (!strlist_split_next(&l, a, &r->limit_text) ||
        !parse_number(vm_scratch(c->r->vm), r->limit_text, true, &r->limit))
        return fault(c, r->limit_text, "is not a positive number");
    if (!strlist_split_next(&l, a, &r->period_text))
        return fault(c, STR_LIT("NULL"), "is not a time value");
    if (!num_parse_interval(r->period_text, &r->period) || r->period <= 0)
        return fault(c, r->period_text, "is not a time value");
    while (strlist_split_next(&l, a, &o)) {
        int got = str_is_set(r->key) ? 0 : take_option(c, r, o);
        if (got < 0)
            return ACL_TEST_ERROR;
        if (got == 0) /* the key may have slashes in it */
            r->key = str_is_set(r->key)
                         ? str_printf(a, "%.*s/%.*s", STR_ARG(r->key), STR_ARG(o))
                         : str_dup(a, o);
    }
    return ACL_TEST_TRUE;
}

static const struct str *
recipient_text(const struct acl_call *c)
{
    return c->r->eval->address == NULL ? NULL : &c->r->eval->address->text;
}

/* What the options leave open. */
static enum acl_test
complete(struct acl_call *c, struct ratelimit *r)
{
    const struct message *m = c->r->eval->message;
    const struct session *s = c->r->eval->session;
    bool own_mode = r->mode == MODE_LEAKY || r->mode == MODE_STRICT;
    bool implied =
        r->per == PER_NONE; /* counts everywhere: the evaluations, where no message is */
    if (implied)
        r->per = PER_MAIL;
    if (!acl_phase_in(pers[r->per].phases, c->phase) && !implied) {
        if (own_mode)
            return acl_error(c,
                             "cannot use \"ratelimit\" with %s and an update mode in %.*s ACL",
                             pers[r->per].name, STR_ARG(acl_phase_title(c->phase)));
        r->mode = MODE_READ;
    }
    if (r->mode == MODE_NONE)
        r->mode = MODE_LEAKY;
    if (!r->count_given && r->per == PER_BYTE)
        r->count = m == NULL || m->size < 0 ? 0 : (double)m->size;
    if (!r->count_given && r->per == PER_RCPT && c->phase != ACL_PHASE_RCPT && m != NULL)
        r->count = (double)m->recipients.n;
    if (r->per == PER_ADDR && !str_is_set(r->unique) && recipient_text(c) != NULL)
        r->unique = *recipient_text(c);
    if (!str_is_set(r->key) || r->key.n == 0)
        r->key = s == NULL || !str_is_set(s->sender_host_address) ? STR_EMPTY
                                                                  : s->sender_host_address;
    return ACL_TEST_TRUE;
}

/* --- the record --- */

struct rate_record {
    double when, rate, start;
};

static struct rate_record
read_record(struct str v)
{
    struct rate_record r = {0, 0, 0};
    if (v.n >= RATE_HEAD)
        memcpy(&r, v.p, RATE_HEAD);
    return r;
}

bool
acl_ratelimit_read(uint16_t version, struct str value, struct acl_ratelimit_record *out)
{
    struct rate_record r = read_record(value);
    if (version != RATE_VERSION || value.n < RATE_HEAD ||
        !(r.when >= 0 && r.when < RATE_TIME_MAX) || !(r.start >= 0 && r.start < RATE_TIME_MAX))
        return false;
    *out = (struct acl_ratelimit_record){.when = r.when,
                                         .rate = r.rate,
                                         .start = r.start,
                                         .unique_n = (value.n - RATE_HEAD) / sizeof(uint64_t)};
    return true;
}

double
acl_ratelimit_next(double rate, double interval, double period, double count)
{
    double share = interval / period;
    if (share < 1e-9) /* the same moment, or a clock that was set back */
        return rate + count;
    double kept = exp(-share);
    return (1 - kept) * count / share + kept * rate;
}

struct rate_update {
    const struct ratelimit *r;
    struct arena *arena;
    double now, rate;
};

static bool
has_hash(struct str old, uint64_t hash)
{
    uint64_t one;
    for (size_t at = RATE_HEAD; at + sizeof one <= old.n; at += sizeof one) {
        memcpy(&one, old.p + at, sizeof one);
        if (one == hash)
            return true;
    }
    return false;
}

static struct str
make_value(struct rate_update *u, struct str old, bool fresh, const struct rate_record *rec)
{
    struct buf b = buf_in(u->arena, 0);
    buf_add(&b, (const char *)rec, RATE_HEAD);
    if (!str_is_set(u->r->unique))
        return buf_str(&b);
    uint64_t hash = str_hash(u->r->unique);
    if (!fresh && old.n > RATE_HEAD)
        buf_adds(&b, str_sub(old, RATE_HEAD, RATE_UNIQUE_MAX * sizeof hash));
    if (b.n + sizeof hash <= RATE_HEAD + RATE_UNIQUE_MAX * sizeof hash)
        buf_add(&b, (const char *)&hash, sizeof hash);
    return buf_str(&b);
}

static bool
update(void *ctx, struct str old, struct str *value)
{
    struct rate_update *u = ctx;
    const struct ratelimit *r = u->r;
    struct rate_record rec = read_record(old);
    bool found = old.n >= RATE_HEAD;
    bool fresh = !found || u->now - rec.start > (double)r->period;
    bool again = str_is_set(r->unique) && !fresh && has_hash(old, str_hash(r->unique));
    bool counts = r->mode != MODE_READ && !again;
    double interval = u->now - rec.when;
    if (!found)
        u->rate = counts ? r->count : 0;
    else if (counts)
        u->rate = acl_ratelimit_next(rec.rate, interval, (double)r->period, r->count);
    else
        u->rate = rec.rate;
    if (!counts || (r->mode == MODE_LEAKY && u->rate >= r->limit))
        return false;
    struct rate_record now = {u->now, u->rate, fresh ? u->now : rec.start};
    *value = make_value(u, old, fresh, &now);
    return true;
}

/* --- within a connection, a message, a command --- */

static struct str
store_key(struct arena *a, const struct ratelimit *r)
{
    return str_printf(a, "%.*s/%s%s/%.*s", STR_ARG(r->period_text), pers[r->per].name,
                      str_is_set(r->unique) ? "/unique" : "", STR_ARG(r->key));
}

/* Where a limit that was measured once is remembered; NULL: it is measured each time. */
static struct map **
memory(struct acl_call *c, const struct ratelimit *r, struct arena **a)
{
    struct eval *e = c->r->eval;
    if (r->per == PER_CONN && e->session != NULL && e->session->arena != NULL) {
        *a = e->session->arena;
        return &acl_connection_of(e->session)->rates;
    }
    if ((r->per == PER_MAIL || r->per == PER_BYTE) && e->message != NULL) {
        *a = e->message->arena;
        return &acl_message_of(e->message)->rates;
    }
    return NULL;
}

static double
measure(struct acl_call *c, const struct ratelimit *r)
{
    struct arena *a = vm_scratch(c->r->vm), *owner = NULL;
    struct str key = store_key(a, r);
    struct map **m = memory(c, r, &owner);
    double *known = m == NULL || *m == NULL ? NULL : map_get(*m, key);
    if (known != NULL)
        return *known;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    struct rate_update u = {
        .r = r, .arena = a, .now = (double)t.tv_sec + (double)t.tv_nsec / 1e9};
    (void)hints_update(acl_hints(c->r), a, HINTS_RATELIMIT, key, RATE_VERSION, update, &u);
    if (m == NULL || r->mode == MODE_READ)
        return u.rate;
    if (*m == NULL)
        *m = map_new(owner, MAP_CASEFUL);
    known = ARENA_NEW(owner, double);
    *known = u.rate;
    map_set(*m, str_dup(owner, key), known);
    return u.rate;
}

enum acl_test
acl_cond_ratelimit(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct ratelimit r = {.count = 1, .unique = STR_NULL, .key = STR_NULL};
    struct session *s = c->r->eval->session;
    (void)item;
    enum acl_test t = parse(c, arg, &r);
    if (t == ACL_TEST_TRUE)
        t = complete(c, &r);
    if (t != ACL_TEST_TRUE)
        return t;
    double rate = measure(c, &r);
    if (s != NULL) {
        s->rate = str_printf(c->keep, "%.1f", rate);
        s->rate_limit = str_dup(c->keep, r.limit_text);
        s->rate_period = str_dup(c->keep, r.period_text);
    }
    return rate < r.limit ? ACL_TEST_FALSE : ACL_TEST_TRUE;
}
