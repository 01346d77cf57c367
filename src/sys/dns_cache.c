/* A cache of answers; see dns_cache.h. A hash table with chains; all entries are in a ring as well, the one used last in front.
 * The lock covers everything. */
#include "sys/dns_cache.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1024 }; /* a power of two */

struct link {
    struct link *newer, *older;
};

struct entry {
    struct link ring;   /* first, so that a link can be turned into its entry */
    struct entry *next; /* of the slot */
    uint64_t hash;
    int64_t until_s;
    size_t key_n, value_n;
    char bytes[]; /* key, then value */
};

struct dns_cache {
    pthread_mutex_t lock;
    struct link ring; /* its older is the one used last, its newer the one used longest ago */
    struct entry *slots[SLOTS];
    size_t entries, bytes;
};

struct dns_cache *
dns_cache_new(void)
{
    struct dns_cache *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    c->ring.newer = c->ring.older = &c->ring;
    return c;
}

/* --- the lock is held --- */

static size_t
size_of(const struct entry *e)
{
    return sizeof *e + e->key_n + e->value_n;
}

static void
unlink_ring(struct link *l)
{
    l->newer->older = l->older;
    l->older->newer = l->newer;
}

static void
link_first(struct dns_cache *c, struct link *l)
{
    l->newer = &c->ring;
    l->older = c->ring.older;
    l->older->newer = l;
    c->ring.older = l;
}

static void
drop(struct dns_cache *c, struct entry *e)
{
    struct entry **p = &c->slots[e->hash & (SLOTS - 1)];
    while (*p != e)
        p = &(*p)->next;
    *p = e->next;
    unlink_ring(&e->ring);
    c->entries--;
    c->bytes -= size_of(e);
    free(e);
}

static void
drop_oldest(struct dns_cache *c)
{
    drop(c, (struct entry *)c->ring.newer);
}

static struct entry *
find(struct dns_cache *c, struct str key, uint64_t hash)
{
    struct entry *e = c->slots[hash & (SLOTS - 1)];
    while (e != NULL &&
           (e->hash != hash || e->key_n != key.n || memcmp(e->bytes, key.p, key.n) != 0))
        e = e->next;
    return e;
}

static void
add(struct dns_cache *c, struct entry *e)
{
    struct entry **slot = &c->slots[e->hash & (SLOTS - 1)];
    e->next = *slot;
    *slot = e;
    link_first(c, &e->ring);
    c->entries++;
    c->bytes += size_of(e);
    while (c->entries > DNS_CACHE_ENTRIES_MAX || c->bytes > DNS_CACHE_BYTES_MAX)
        drop_oldest(c);
}

/* --- from outside --- */

void
dns_cache_free(struct dns_cache *c)
{
    if (c == NULL)
        return;
    while (c->entries > 0)
        drop_oldest(c);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

bool
dns_cache_find(struct dns_cache *c, struct arena *a, struct str key, int64_t now_s,
               struct str *value, int64_t *until_s)
{
    pthread_mutex_lock(&c->lock);
    struct entry *e = find(c, key, str_hash(key));
    bool good = e != NULL && now_s < e->until_s;
    if (good) {
        *value = str_dup(a, str_from(e->bytes + e->key_n, e->value_n));
        *until_s = e->until_s;
        unlink_ring(&e->ring);
        link_first(c, &e->ring);
    } else if (e != NULL) {
        drop(c, e);
    }
    pthread_mutex_unlock(&c->lock);
    return good;
}

void
dns_cache_keep(struct dns_cache *c, struct str key, struct str value, int64_t now_s,
               int64_t until_s)
{
    struct entry *e = NULL;
    size_t n = sizeof *e + key.n + value.n;
    if (until_s <= now_s || n > DNS_CACHE_BYTES_MAX || (e = malloc(n)) == NULL)
        return;
    *e = (struct entry){
        .hash = str_hash(key), .until_s = until_s, .key_n = key.n, .value_n = value.n};
    memcpy(e->bytes, key.p, key.n);
    if (value.n > 0)
        memcpy(e->bytes + key.n, value.p, value.n);
    pthread_mutex_lock(&c->lock);
    struct entry *before = find(c, key, e->hash);
    if (before != NULL)
        drop(c, before);
    add(c, e);
    pthread_mutex_unlock(&c->lock);
}

size_t
dns_cache_count(struct dns_cache *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->entries;
    pthread_mutex_unlock(&c->lock);
    return n;
}
