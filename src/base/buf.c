/* A growing byte buffer in an arena. */
#include "base/buf.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for n more bytes and a NUL; false when the limit forbids it. */
static bool
reserve(struct buf *b, size_t n)
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
buf_add(struct buf *b, const char *p, size_t n)
{
    if (n == 0 || !reserve(b, n))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void
buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void
buf_addz(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void
buf_adds(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
    b->taint = str_taint_join(b->taint, s.taint);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !reserve(b, (size_t)n))
        return;
    va_start(ap, fmt);
    (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

struct str
buf_str(struct buf *b)
{
    if (b->p == NULL)
        return (struct str){"", 0, b->taint};
    b->p[b->n] = '\0';
    return (struct str){b->p, (uint32_t)b->n, b->taint};
}
