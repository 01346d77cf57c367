/* A growing byte buffer in an arena. */
#include "base/buf.h"

#include "base/arena.h"
#include "base/format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
buf_reserve(struct buf *b, size_t n)
{
    if (n > b->limit - b->n) {
        b->overflow = true;
        return false;
    }
    if (b->cap - b->n > n)
        return true;
    size_t cap = b->cap < 64 ? 64 : b->cap * 2;
    if (cap < b->n + n + 1)
        cap = b->n + n + 1;
    if (cap > b->limit + 1)
        cap = b->limit + 1;
    b->p = arena_grow(b->arena, b->p, b->cap, cap);
    b->cap = cap;
    return true;
}

struct buf
buf_in(struct arena *a, size_t limit)
{
    if (limit == 0 || limit > STR_MAX - 1)
        limit = STR_MAX - 1;
    return (struct buf){.arena = a, .limit = limit};
}

void
buf_addz(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    char *end = b->p == NULL ? NULL : b->p + b->n; /* where it goes if there is room */
    int n = format_text(end, b->cap - b->n, fmt, ap);
    if (n >= 0 && (size_t)n < b->cap - b->n) {
        b->n += (size_t)n;
        return;
    }
    va_copy(again, ap);
    n = n >= 0 ? n : vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || !buf_reserve(b, (size_t)n))
        return;
    if (format_text(b->p + b->n, (size_t)n + 1, fmt, ap) < 0)
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    b->n += (size_t)n;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

struct str
buf_str(struct buf *b)
{
    if (b->p == NULL)
        return (struct str){"", 0, b->taint};
    b->p[b->n] = '\0';
    return (struct str){b->p, (uint32_t)b->n, b->taint};
}
