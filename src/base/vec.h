/* Typed growing arrays in an arena: VEC(struct opt) opts; vec_push(a, &opts, o); opts.v[i], opts.n */
#ifndef REMEX_BASE_VEC_H
#define REMEX_BASE_VEC_H

#include "base/arena.h"
#include "base/plugin_export.h"

#include <stddef.h>

PLUGIN_API_BEGIN

#define VEC(T)                                                                                 \
    struct {                                                                                   \
        T *v;                                                                                  \
        size_t n, cap;                                                                         \
    }

/* New capacity (items) after making room for one more; moves *v when it must grow. */
size_t vec_room(struct arena *a, void **v, size_t n, size_t cap, size_t item_size);

#define vec_push(a, vec, item)                                                                 \
    do {                                                                                       \
        if ((vec)->n == (vec)->cap) {                                                          \
            void *vec_v_ = (vec)->v;                                                           \
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): items may be pointers */            \
            (vec)->cap = vec_room((a), &vec_v_, (vec)->n, (vec)->cap, sizeof *(vec)->v);       \
            (vec)->v = vec_v_;                                                                 \
        }                                                                                      \
        (vec)->v[(vec)->n++] = (item);                                                         \
    } while (0)

PLUGIN_API_END

#endif
