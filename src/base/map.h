/* A hash map from strings to pointers, in an arena. Keys are not copied. Iteration is in the
 * order of insertion. */
#ifndef REMEX_BASE_MAP_H
#define REMEX_BASE_MAP_H

#include "base/plugin_export.h"
#include "base/str.h"

PLUGIN_API_BEGIN

struct arena;
struct map;

enum map_case { MAP_CASEFUL, MAP_CASELESS };

struct map_entry {
    struct str key;
    void *value;
};

struct map *map_new(struct arena *a, enum map_case folding);
/* NULL when absent. */
void *map_get(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* The same in two steps, for a caller that adds what it did not find: the hash of a key, the value or NULL, and adding
 * a key that is not there. */
uint32_t map_hash(const struct map *m, struct str key);
void *map_get_hashed(const struct map *m, struct str key, uint32_t hash);
void map_add_hashed(struct map *m, struct str key, uint32_t hash, void *value);
/* Adds or replaces. */
void map_set(struct map *m, struct str key, void *value);
size_t map_count(const struct map *m);
/* The i-th entry in order of insertion, i < map_count. */
const struct map_entry *map_at(const struct map *m, size_t i);

PLUGIN_API_END

#endif
