/* Message ids; see message_id.h.
 *
 * The fraction of the short form counts 1/2000 s, or with a localhost_number 1/200 s plus 200 times that
 * number. The specification gives no units for the four digits of the long form: microseconds here, and with
 * a localhost_number 1/500000 s plus 500000 times it, which stays below 62^4 for every number.
 */
#include "engine/message_id.h"

#include "base/num.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    NS_PER_S = 1000000000,
    TIME_N = 6,        /* characters of the seconds */
    OLD_FRACTION = 14, /* where the fraction begins */
    NEW_FRACTION = 19,
};

/* Units per second of the fraction, by form and by whether localhost_number is set. */
static const int64_t units_per_s[2][2] = {{2000, 200}, {1000000, 500000}};

static int64_t
unit_ns(const struct message_id_source *s)
{
    return NS_PER_S / units_per_s[s->form == MESSAGE_ID_NEW][s->host >= 0];
}

static uint64_t
fraction(const struct message_id_source *s)
{
    uint64_t f = (uint64_t)(s->now.tv_nsec / unit_ns(s));
    if (s->host >= 0)
        f += (uint64_t)s->host * (uint64_t)units_per_s[s->form == MESSAGE_ID_NEW][1];
    return f;
}

/* The low n digits of v in base 62, n at most 11 (what 64 bits need). */
static char *
put(char *out, uint64_t v, size_t n)
{
    static const char digits[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = n; i-- > 0; v /= 62)
        out[i] = digits[v % 62];
    return out + n;
}

struct message_id
message_id_make(const struct message_id_source *s)
{
    bool is_new = s->form == MESSAGE_ID_NEW;
    struct message_id id = {{0}};
    char *p = put(id.text, (uint64_t)s->now.tv_sec, 6);
    *p++ = '-';
    p = put(p, s->pid, is_new ? 11 : 6);
    *p++ = '-';
    p = put(p, fraction(s), is_new ? 4 : 2);
    *p = '\0';
    return id;
}

int64_t
message_id_wait_ns(const struct message_id_source *s)
{
    int64_t unit = unit_ns(s);
    return unit - s->now.tv_nsec % unit;
}

static int64_t
until_ns(const struct timespec *now, const struct message_id_source *s)
{
    int64_t due = s->now.tv_nsec + message_id_wait_ns(s);
    int64_t apart_s = s->now.tv_sec - now->tv_sec;
    if (apart_s < -1)
        return 0;
    if (apart_s > 1)
        return NS_PER_S;
    return apart_s * NS_PER_S + due - now->tv_nsec;
}

void
message_id_wait(const struct message_id_source *s)
{
    for (int i = 0; i < 2; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        int64_t ns = until_ns(&now, s);
        if (ns <= 0)
            return;
        if (ns > NS_PER_S)
            ns = NS_PER_S;
        struct timespec wait = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
        while (clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, &wait) != 0)
            continue;
    }
}

struct message_id_clock {
    pthread_mutex_t lock;
    int64_t last_ns; /* that was given away */
};

struct message_id_clock *
message_id_clock_new(void)
{
    struct message_id_clock *c = calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void
message_id_clock_free(struct message_id_clock *c)
{
    if (c == NULL)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void
message_id_clock_next(struct message_id_clock *c, struct message_id_source *s)
{
    struct timespec now;
    int64_t unit = unit_ns(s);
    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&c->lock);
    int64_t ns = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
    if (ns / unit <= c->last_ns / unit)
        ns = (c->last_ns / unit + 1) * unit;
    c->last_ns = ns;
    pthread_mutex_unlock(&c->lock);
    s->now = (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

static bool
has_shape(struct str s, size_t n, size_t second_dash)
{
    if (s.n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 6 || i == second_dash;
        if (dash ? s.p[i] != '-' : !ascii_alnum(s.p[i]))
            return false;
    }
    return s.n == n || !ascii_alnum(s.p[n]);
}

size_t
message_id_prefix(struct str s)
{
    if (has_shape(s, MESSAGE_ID_NEW_N, 18))
        return MESSAGE_ID_NEW_N;
    return has_shape(s, MESSAGE_ID_OLD_N, 13) ? MESSAGE_ID_OLD_N : 0;
}

bool
message_id_parse(struct str s, struct message_id *out)
{
    if (s.n == 0 || message_id_prefix(s) != s.n)
        return false;
    if (out != NULL) {
        memset(out, 0, sizeof *out);
        memcpy(out->text, s.p, s.n);
    }
    return true;
}

int64_t
message_id_time(const struct message_id *id)
{
    uint64_t t = 0;
    (void)num_base62_parse(str_from(id->text, 6), &t);
    return (int64_t)t;
}

int
message_id_compare(const struct message_id *a, const struct message_id *b)
{
    size_t n = strlen(a->text);
    int order = memcmp(a->text, b->text, TIME_N);
    if (order == 0 && n == strlen(b->text) && n > TIME_N) { /* fractions of two forms have other units */
        size_t at = n == MESSAGE_ID_OLD_N ? OLD_FRACTION : NEW_FRACTION;
        order = memcmp(a->text + at, b->text + at, n - at);
    }
    return order != 0 ? order : strcmp(a->text, b->text);
}

struct str
message_id_str(const struct message_id *id)
{
    return str_from_cstr(id->text);
}
