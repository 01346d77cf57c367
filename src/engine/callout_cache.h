/* What callouts have found out: a record a domain, a record an address (and sender, when one was named).
 *
 * Kept in the hints store ("callout"); losing a record costs a connection. What is past its time is not seen. Source:
 * specification, section "Callout caching".
 */
#ifndef REMEX_ENGINE_CALLOUT_CACHE_H
#define REMEX_ENGINE_CALLOUT_CACHE_H

#include "engine/engine.h"

enum callout_word {
    CALLOUT_UNKNOWN,
    CALLOUT_ACCEPT,
    CALLOUT_REJECT,
    CALLOUT_REJECT_NULL, /* of a domain: MAIL FROM:<> is refused */
    CALLOUT_WORDS,
};

/* Something that is known, and since when (seconds since 1970). */
struct callout_fact {
    enum callout_word word;
    int64_t time;
};

struct callout_domain {
    struct callout_fact result, postmaster, random;
};

enum { CALLOUT_CACHE_VERSION = 1 };

/* The record of a domain, without what is past its time. */
void callout_cache_domain(struct engine *e, struct arena *a, struct str domain,
                          struct callout_domain *out);
void callout_cache_put_domain(struct engine *e, struct str domain,
                              const struct callout_domain *d);
/* ACCEPT, REJECT, or UNKNOWN when there is no record that is young enough. */
enum callout_word callout_cache_address(struct engine *e, struct arena *a, struct str key);
/* The same with lifetimes of its own. */
enum callout_word callout_cache_answer(struct engine *e, struct arena *a, struct str key,
                                       int64_t positive_s, int64_t negative_s);
void callout_cache_put_address(struct engine *e, struct str key, enum callout_word word);

/* For the tools, and for the two above: false when the bytes are no record. */
bool callout_cache_read_domain(struct str value, struct callout_domain *out);
bool callout_cache_read_fact(struct str value, struct callout_fact *out);

#endif
