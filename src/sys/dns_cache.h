/* Answers of the DNS that are still good: bytes of messages by question, shared by the threads of a process.
 *
 * Bounded in entries and bytes; what was used longest ago makes room. An entry is kept until its time is over and no longer.
 */
#ifndef REMEX_SYS_DNS_CACHE_H
#define REMEX_SYS_DNS_CACHE_H

#include "base/str.h"

struct arena;
struct dns_cache;

enum {
    DNS_CACHE_ENTRIES_MAX = 4096,
    DNS_CACHE_BYTES_MAX = 4 << 20,
};

/* NULL: no memory. **Owns** its memory; dns_cache_free when no thread uses it any more. */
struct dns_cache *dns_cache_new(void);
void dns_cache_free(struct dns_cache *c);

/* now_s, until_s: seconds of one clock that never goes back. **Thread**: any. */

/* True: *value (a copy in a) and how long it is good. */
bool dns_cache_find(struct dns_cache *c, struct arena *a, struct str key, int64_t now_s,
                    struct str *value, int64_t *until_s);
/* Remembers a value, in the place of an earlier one. One that is too large or over already is not kept. */
void dns_cache_keep(struct dns_cache *c, struct str key, struct str value, int64_t now_s,
                    int64_t until_s);
size_t dns_cache_count(struct dns_cache *c);

#endif
