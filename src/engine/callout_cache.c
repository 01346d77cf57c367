/* Records of callouts; see callout_cache.h. */
#include "engine/callout_cache.h"

#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/retry_hints.h"
#include "sys/hints.h"

#include <string.h>
#include <time.h>

enum { DOMAIN_FACTS = 3 };

/* A fact as it is in the store. */
struct stored {
    int64_t time, word;
};

static bool
read_stored(struct str value, struct callout_fact *facts, size_t n)
{
    struct stored s;
    if (value.n != n * sizeof s)
        return false;
    for (size_t i = 0; i < n; i++) {
        memcpy(&s, value.p + i * sizeof s, sizeof s);
        if (s.word < 0 || s.word >= CALLOUT_WORDS || s.time < 0)
            return false;
        facts[i] = (struct callout_fact){.word = (enum callout_word)s.word, .time = s.time};
    }
    return true;
}

bool
callout_cache_read_fact(struct str value, struct callout_fact *out)
{
    return read_stored(value, out, 1);
}

bool
callout_cache_read_domain(struct str value, struct callout_domain *out)
{
    struct callout_fact f[DOMAIN_FACTS];
    if (!read_stored(value, f, DOMAIN_FACTS))
        return false;
    *out = (struct callout_domain){.result = f[0], .postmaster = f[1], .random = f[2]};
    return true;
}

static void
put(struct engine *e, struct str key, const struct callout_fact *facts, size_t n)
{
    struct stored s[DOMAIN_FACTS];
    memset(s, 0, sizeof s);
    for (size_t i = 0; i < n; i++)
        s[i] = (struct stored){.time = facts[i].time, .word = facts[i].word};
    if (!hints_put(retry_store(e), HINTS_CALLOUT, key, CALLOUT_CACHE_VERSION,
                   str_from((const char *)s, n * sizeof s[0])))
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%.*s",
                STR_ARG(hints_error(retry_store(e))));
}

/* What is past its time is not known any more. */
static void
age(struct callout_fact *f, int64_t positive_s, int64_t negative_s)
{
    int64_t limit = f->word == CALLOUT_ACCEPT ? positive_s : negative_s;
    if (limit <= 0 || time(NULL) - f->time > limit)
        *f = (struct callout_fact){.word = CALLOUT_UNKNOWN};
}

void
callout_cache_domain(struct engine *e, struct arena *a, struct str domain,
                     struct callout_domain *out)
{
    const struct conf_main *m = e->conf->main;
    int64_t positive = m->callout_domain_positive_expire;
    int64_t negative = m->callout_domain_negative_expire;
    struct str value;
    *out = (struct callout_domain){.result = {.word = CALLOUT_UNKNOWN}};
    if (!hints_get(retry_store(e), a, HINTS_CALLOUT, domain, CALLOUT_CACHE_VERSION, &value) ||
        !callout_cache_read_domain(value, out))
        return;
    age(&out->result, positive, negative);
    age(&out->postmaster, positive, negative);
    /* Whether a domain takes anything is asked again when a good record would have gone: either way it is no failure. */
    age(&out->random, positive, positive);
}

void
callout_cache_put_domain(struct engine *e, struct str domain, const struct callout_domain *d)
{
    const struct callout_fact f[DOMAIN_FACTS] = {d->result, d->postmaster, d->random};
    put(e, domain, f, DOMAIN_FACTS);
}

enum callout_word
callout_cache_address(struct engine *e, struct arena *a, struct str key)
{
    const struct conf_main *m = e->conf->main;
    return callout_cache_answer(e, a, key, m->callout_positive_expire,
                                m->callout_negative_expire);
}

enum callout_word
callout_cache_answer(struct engine *e, struct arena *a, struct str key, int64_t positive_s,
                     int64_t negative_s)
{
    struct callout_fact f;
    struct str value;
    if (!hints_get(retry_store(e), a, HINTS_CALLOUT, key, CALLOUT_CACHE_VERSION, &value) ||
        !callout_cache_read_fact(value, &f))
        return CALLOUT_UNKNOWN;
    age(&f, positive_s, negative_s);
    return f.word;
}

void
callout_cache_put_address(struct engine *e, struct str key, enum callout_word word)
{
    const struct callout_fact f = {.word = word, .time = (int64_t)time(NULL)};
    put(e, key, &f, 1);
}
