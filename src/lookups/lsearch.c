/* lsearch: a key at the start of a line of a text file, in any case; the first one counts.
 *
 * The file is indexed as it is read: a lookup first asks the index, and when the key is not in it goes on
 * reading where the last one stopped. So one lookup costs no more than a search of the lines up to the key,
 * and the next ones cost a hash probe; a file is never read twice. The handle is dropped when the
 * file changes (lookup_cache.c).
 */
#include "base/arena.h"
#include "lookups/drivers.h"
#include "lookups/linefile.h"

#include <stdlib.h>
#include <string.h>

/* An entry in the index: hash of the key in lower case, its line + 1 (0: free slot). */
struct slot {
    uint32_t hash;
    uint32_t line;
};

enum { FIRST_MAX = 1 << 18 }; /* slots */

struct lsearch {
    struct linefile file;
    size_t indexed; /* lines before this are in the index */
    struct slot *slots;
    size_t slots_n; /* a power of two */
    size_t used;
    struct arena *arena; /* for quoted keys while they are compared */
};

static uint32_t
hash_key(struct str key)
{
    uint64_t h = key.n;
    for (uint32_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)ascii_lower(key.p[i])) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

/* The entry of a line that is known to hold one. */
static void
entry_at(const struct lsearch *l, uint32_t line, struct line_entry *e)
{
    size_t at = line;
    (void)linefile_next(&l->file, &at, e);
}

static bool
same_key(struct lsearch *l, const struct line_entry *e, struct str key)
{
    if (!e->quoted)
        return str_ieq(e->key, key);
    struct arena_mark mark = arena_mark(l->arena);
    bool same = str_ieq(linefile_key(l->arena, e), key);
    arena_reset(l->arena, mark);
    return same;
}

/* The slot of the key with that hash, or the free one where it belongs. */
static struct slot *
probe(struct lsearch *l, struct str key, uint32_t hash, struct line_entry *e)
{
    for (size_t i = hash & (l->slots_n - 1);; i = (i + 1) & (l->slots_n - 1)) {
        struct slot *s = &l->slots[i];
        if (s->line == 0)
            return s;
        if (s->hash != hash)
            continue;
        entry_at(l, s->line - 1, e);
        if (same_key(l, e, key))
            return s;
    }
}

/* A guess at what the file needs, so that the index hardly ever grows. */
static size_t
first_size(const struct lsearch *l)
{
    size_t n = 64;
    while (n < l->file.n / 20 && n < FIRST_MAX)
        n *= 2;
    return n;
}

/* Twice the room. False when there is no memory: then the index stays as it is. */
static bool
grow(struct lsearch *l)
{
    size_t n = l->slots_n == 0 ? first_size(l) : l->slots_n * 2;
    struct slot *slots = calloc(n, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t k = 0; k < l->slots_n; k++) {
        if (l->slots[k].line == 0)
            continue;
        size_t i = l->slots[k].hash & (n - 1);
        while (slots[i].line != 0)
            i = (i + 1) & (n - 1);
        slots[i] = l->slots[k];
    }
    free(l->slots);
    l->slots = slots;
    l->slots_n = n;
    return true;
}

/* Adds an entry unless its key is there; true when the entry has the hash asked for. */
static bool
add(struct lsearch *l, const struct line_entry *e, uint32_t wanted)
{
    struct line_entry other;
    struct str key = e->quoted ? linefile_key(l->arena, e) : e->key;
    uint32_t hash = hash_key(key);
    struct slot *s = probe(l, key, hash, &other);
    if (s->line == 0) {
        *s = (struct slot){hash, e->at + 1};
        l->used++;
    }
    if (e->quoted)
        arena_clear(l->arena);
    return hash == wanted;
}

/* Reads on until the key comes up. */
static bool
read_on(struct lookup_ctx *c, struct lsearch *l, struct str key, uint32_t hash,
        struct line_entry *e, enum outcome *o)
{
    *o = OUT_FAIL;
    for (;;) {
        if (l->used * 4 >= l->slots_n * 3 && !grow(l)) {
            vm_defer(c->vm, "out of memory");
            *o = OUT_DEFER;
            return false;
        }
        if (!linefile_next(&l->file, &l->indexed, e))
            return false;
        if (add(l, e, hash) && same_key(l, e, key))
            return true;
    }
}

static void *
lsearch_open(struct lookup_ctx *c, const char *file)
{
    struct linefile f;
    if (!linefile_load(c, file, &f))
        return NULL;
    struct lsearch *l = calloc(1, sizeof *l);
    if (l == NULL) {
        linefile_free(&f);
        vm_fail(c->vm, "out of memory");
        return NULL;
    }
    l->file = f;
    l->arena = arena_new();
    return l;
}

static void
lsearch_close(void *handle)
{
    struct lsearch *l = handle;
    linefile_free(&l->file);
    free(l->slots);
    arena_free(l->arena);
    free(l);
}

static enum outcome
lsearch_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
             struct str *data)
{
    (void)file;
    struct lsearch *l = handle;
    struct line_entry e;
    enum outcome o;
    uint32_t hash = hash_key(key);
    bool found = l->slots_n > 0 && probe(l, key, hash, &e)->line != 0;
    if (!found && (l->indexed >= l->file.n || !read_on(c, l, key, hash, &e, &o)))
        return l->indexed >= l->file.n ? OUT_FAIL : o;
    bool full = c->options.n > 0 && str_eqz(lookup_option(c->options, "ret"), "full");
    *data = linefile_data(vm_scratch(c->vm), &l->file, &e, full);
    return OUT_OK;
}

const struct lookup_driver lookup_lsearch = {
    .name = STR_INIT("lsearch"),
    .flags = LOOKUP_NO_RESULTS,
    .open = lsearch_open,
    .find = lsearch_find,
    .close = lsearch_close,
    .doc = "text file, a key and its data in each line",
};
