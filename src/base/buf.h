/* A growing byte buffer in an arena, with a cap and a joined taint mark. */
#ifndef REMEX_BASE_BUF_H
#define REMEX_BASE_BUF_H

#include "base/plugin_export.h"
#include "base/str.h"

#include <stdarg.h>

PLUGIN_API_BEGIN

struct buf {
    struct arena *arena;
    char *p;
    size_t n;
    size_t cap;     /* at most limit + 1, so that room within it needs no look at the limit */
    size_t limit;   /* what would go beyond is dropped and sets overflow */
    uint32_t taint; /* joined over every str added */
    bool overflow;
};

/* An empty buffer; limit is clipped to STR_MAX - 1, 0 means that maximum. */
struct buf buf_in(struct arena *a, size_t limit);
/* Room for n more bytes and a NUL; false when the limit forbids it. The inline functions come
 * here only when the room that is there does not do. */
bool buf_reserve(struct buf *b, size_t n);

static inline void
buf_add(struct buf *b, const char *p, size_t n)
{
    if (n == 0 || (b->cap - b->n <= n && !buf_reserve(b, n)))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void
buf_addc(struct buf *b, char c)
{
    if (b->cap - b->n <= 1 && !buf_reserve(b, 1))
        return;
    b->p[b->n++] = c;
}

void buf_addz(struct buf *b, const char *z);

/* Adds the bytes and joins the mark. */
static inline void
buf_adds(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
    if (s.taint != b->taint)
        b->taint = str_taint_join(b->taint, s.taint);
}

void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* The content as a value over the buffer's memory (a NUL follows it); valid until the next add. */
struct str buf_str(struct buf *b);

PLUGIN_API_END

#endif
