/* A hash map from strings to pointers: an entry array in insertion order, and an open-addressed
 * index of entry numbers over it. */
#include "base/map.h"

#include "base/arena.h"
#include "base/vec.h"

struct slot {
    uint32_t hash;
    uint32_t entry; /* number + 1; 0 is free */
};

struct map {
    struct arena *arena;
    enum map_case folding;
    size_t slots; /* a power of two, or 0 */
    struct slot *index;
    VEC(struct map_entry) entries;
};

static uint32_t
hash_of(const struct map *m, struct str key)
{
    return (uint32_t)(m->folding == MAP_CASELESS ? str_ihash(key) : str_hash(key));
}

static bool
same_key(const struct map *m, struct str a, struct str b)
{
    return m->folding == MAP_CASELESS ? str_ieq(a, b) : str_eq(a, b);
}

static struct map_entry *
find(const struct map *m, struct str key, uint32_t hash)
{
    if (m->slots == 0)
        return NULL;
    for (size_t i = hash & (m->slots - 1);; i = (i + 1) & (m->slots - 1)) {
        const struct slot *s = &m->index[i];
        if (s->entry == 0)
            return NULL;
        if (s->hash == hash && same_key(m, m->entries.v[s->entry - 1].key, key))
            return &m->entries.v[s->entry - 1];
    }
}

static void
index_add(struct map *m, uint32_t hash, size_t entry)
{
    size_t i = hash & (m->slots - 1);
    while (m->index[i].entry != 0)
        i = (i + 1) & (m->slots - 1);
    m->index[i] = (struct slot){hash, (uint32_t)(entry + 1)};
}

static void
grow(struct map *m)
{
    size_t old_slots = m->slots;
    const struct slot *old = m->index;
    m->slots = old_slots == 0 ? 8 : old_slots * 4;
    m->index = ARENA_ARRAY(m->arena, struct slot, m->slots);
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i].entry != 0)
            index_add(m, old[i].hash, old[i].entry - 1);
    }
}

struct map *
map_new(struct arena *a, enum map_case folding)
{
    struct map *m = ARENA_NEW(a, struct map);
    m->arena = a;
    m->folding = folding;
    return m;
}

void *
map_get(const struct map *m, struct str key)
{
    const struct map_entry *e = find(m, key, hash_of(m, key));
    return e == NULL ? NULL : e->value;
}

bool
map_has(const struct map *m, struct str key)
{
    return find(m, key, hash_of(m, key)) != NULL;
}

uint32_t
map_hash(const struct map *m, struct str key)
{
    return hash_of(m, key);
}

void *
map_get_hashed(const struct map *m, struct str key, uint32_t hash)
{
    const struct map_entry *e = find(m, key, hash);
    return e == NULL ? NULL : e->value;
}

void
map_add_hashed(struct map *m, struct str key, uint32_t hash, void *value)
{
    struct map_entry fresh = {key, value};
    vec_push(m->arena, &m->entries, fresh);
    if (m->entries.n * 4 > m->slots * 3)
        grow(m);
    index_add(m, hash, m->entries.n - 1);
}

void
map_set(struct map *m, struct str key, void *value)
{
    uint32_t hash = hash_of(m, key);
    struct map_entry *e = find(m, key, hash);
    if (e != NULL)
        e->value = value;
    else
        map_add_hashed(m, key, hash, value);
}

size_t
map_count(const struct map *m)
{
    return m->entries.n;
}

const struct map_entry *
map_at(const struct map *m, size_t i)
{
    return &m->entries.v[i];
}
