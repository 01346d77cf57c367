/* A growing byte buffer in an arena, with a cap and a joined taint mark. */
#ifndef REMEX_BASE_BUF_H
#define REMEX_BASE_BUF_H

#include "base/plugin_export.h"
#include "base/str.h"

PLUGIN_API_BEGIN

struct buf {
    struct arena *arena;
    char *p;
    size_t n;
    size_t cap;
    size_t limit;   /* what would go beyond is dropped and sets overflow */
    uint32_t taint; /* joined over every str added */
    bool overflow;
};

/* An empty buffer; limit is clipped to STR_MAX - 1, 0 means that maximum. */
struct buf buf_in(struct arena *a, size_t limit);
void buf_add(struct buf *b, const char *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_addz(struct buf *b, const char *z);
/* Adds the bytes and joins the mark. */
void buf_adds(struct buf *b, struct str s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The content as a value over the buffer's memory (a NUL follows it); valid until the next add. */
struct str buf_str(struct buf *b);

PLUGIN_API_END

#endif
