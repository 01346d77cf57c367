/* Typed growing arrays in an arena. */
#include "base/vec.h"

#include <assert.h>
#include <stdint.h>

size_t
vec_room(struct arena *a, void **v, size_t n, size_t cap, size_t item_size)
{
    if (n < cap)
        return cap;
    size_t grown = cap == 0 ? 4 : cap * 2;
    assert(grown <= SIZE_MAX / item_size);
    *v = arena_grow(a, *v, cap * item_size, grown * item_size);
    return grown;
}
