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

/* The slot of the key, or the free one where it would go. */
static uint32_t
find_slot(const uint32_t *index, uint32_t slots, const struct list_literal *v, struct str key)
{
    uint32_t i = (uint32_t)str_ihash(key) & (slots - 1);
    while (index[i] != 0 && !str_ieq(v[index[i] - 1].key, key))
        i = (i + 1) & (slots - 1);
    return i;
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
        uint32_t at = find_slot(index, slots, v, v[i].key);
        if (index[at] == 0)
            index[at] = i + 1;
        else
            v[last[at] - 1].next = i + 1;
        last[at] = i + 1;
    }
    return (struct list_set){.v = v, .n = (uint32_t)n, .slots = slots, .index = index};
}

const struct list_literal *
list_set_find(const struct list_set *s, struct str key, struct str exact, bool caseful,
              uint32_t from)
{
    if (s->n == 0)
        return NULL;
    uint32_t i = s->index[find_slot(s->index, s->slots, s->v, key)];
    while (i != 0) {
        const struct list_literal *l = &s->v[i - 1];
        if (l->pos >= from && ((!caseful && !l->caseful) || str_eq(l->key, exact)))
            return l;
        i = l->next;
    }
    return NULL;
}
