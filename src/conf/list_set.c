/* The literal members of a list: a hash set that knows their places.
 *
 * Members whose folded keys are the same hang together in order of place, so that one probe finds the
 * first that counts. Read-only once built.
 */
#include "conf/list_state.h"

#include <string.h>

static uint32_t
slot_count(size_t n)
{
    uint32_t slots = 8;
    while (slots < n * 2)
        slots *= 2;
    return slots;
}

/* Eight bytes, or fewer at the end of a short value. */
static uint64_t
word_at(struct str s, size_t i)
{
    uint64_t w = 0;
    if (i + 8 <= s.n)
        memcpy(&w, s.p + i, 8);
    else
        for (size_t k = i; k < s.n; k++)
            w = w << 8 | (unsigned char)s.p[k];
    return w;
}

/* By words, since this is most of what a match costs; the last one overlaps. */
static uint32_t
hash_of(struct str s)
{
    uint64_t h = s.n;
    for (size_t i = 0; i < s.n; i += 8) {
        size_t at = i + 8 <= s.n || s.n < 8 ? i : s.n - 8;
        h = (h ^ word_at(s, at)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return (uint32_t)(h ^ h >> 17);
}

/* The slot of the folded key, or the free one where it would go. */
static uint32_t
find_slot(const uint32_t *index, uint32_t slots, const struct list_literal *v, struct str key)
{
    uint32_t i = hash_of(key) & (slots - 1);
    while (index[i] != 0) {
        struct str have = v[index[i] - 1].folded;
        if (have.n == key.n && memcmp(have.p, key.p, key.n) == 0)
            break;
        i = (i + 1) & (slots - 1);
    }
    return i;
}

/* Is there a byte from A to Z? Never a wrong no; other bytes with the top bit set may answer yes. */
static bool
has_upper(struct str s)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    for (size_t i = 0; i < s.n; i += 8) {
        uint64_t w = word_at(s, i + 8 <= s.n || s.n < 8 ? i : s.n - 8) | tops;
        uint64_t from_a = w - ones * 'A', past_z = w - ones * ('Z' + 1);
        if ((from_a & ~past_z & tops) != 0)
            return true;
    }
    return false;
}

struct str
list_fold(struct arena *a, struct str s)
{
    return has_upper(s) ? str_lower(a, s) : s;
}

struct list_set
list_set_new(struct arena *a, struct list_literal *v, size_t n)
{
    if (n == 0)
        return (struct list_set){0};
    uint32_t slots = slot_count(n);
    uint32_t *index = ARENA_ARRAY(a, uint32_t, slots);
    uint32_t *last = ARENA_ARRAY(a, uint32_t, slots);
    for (uint32_t i = 0; i < n; i++) {
        v[i].folded = list_fold(a, v[i].key);
        uint32_t at = find_slot(index, slots, v, v[i].folded);
        if (index[at] == 0)
            index[at] = i + 1;
        else
            v[last[at] - 1].next = i + 1;
        last[at] = i + 1;
    }
    return (struct list_set){.v = v, .n = (uint32_t)n, .slots = slots, .index = index};
}

const struct list_literal *
list_set_find(const struct list_set *s, struct str folded, struct str exact, bool caseful,
              uint32_t from)
{
    if (s->n == 0)
        return NULL;
    uint32_t i = s->index[find_slot(s->index, s->slots, s->v, folded)];
    while (i != 0) {
        const struct list_literal *l = &s->v[i - 1];
        if (l->pos >= from && ((!caseful && !l->caseful) || str_eq(l->key, exact)))
            return l;
        i = l->next;
    }
    return NULL;
}
