/* Arenas: chained blocks with a bump pointer, and a list of clean-ups.
 *
 * Blocks double up to BLOCK_MAX. A reset frees the blocks made after the mark, so that a loop of
 * evaluations keeps one warm block and never calls malloc.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BLOCK_FIRST = 4096,
    BLOCK_MAX = 256 * 1024,
    EXIT_TEMPFAIL = 75,
};

struct block {
    struct block *prev;
    size_t cap; /* bytes in mem, a multiple of ARENA_ALIGN */
    size_t prev_used;
    alignas(max_align_t) char mem[];
};

_Static_assert(alignof(max_align_t) <= ARENA_ALIGN, "ARENA_ALIGN is too small");

struct cleanup {
    struct cleanup *prev;
    void (*fn)(void *ctx);
    void *ctx;
};

static _Noreturn void
out_of_memory(void)
{
    static const char text[] = "remex: out of memory\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(EXIT_TEMPFAIL);
    _exit(EXIT_TEMPFAIL);
}

static size_t
align_up(size_t n)
{
    if (n > SIZE_MAX / 2)
        out_of_memory();
    return (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

/* Makes b the newest block with `used` bytes in use. */
static void
use_block(struct arena *a, struct block *b, size_t used)
{
    a->block = b;
    a->start = b == NULL ? NULL : b->mem;
    a->at = b == NULL ? NULL : b->mem + used;
    a->end = b == NULL ? NULL : b->mem + b->cap;
}

static void
block_push(struct arena *a, size_t need)
{
    struct block *top = a->block;
    size_t cap = top != NULL ? top->cap * 2 : a->first;
    if (cap > BLOCK_MAX)
        cap = BLOCK_MAX;
    if (cap < need)
        cap = need;
    struct block *b = malloc(sizeof(struct block) + cap);
    if (b == NULL)
        out_of_memory();
    b->prev = top;
    b->cap = cap;
    b->prev_used = (size_t)(a->at - a->start);
    a->older += b->prev_used;
    use_block(a, b, 0);
}

static void
block_pop(struct arena *a)
{
    struct block *b = a->block;
    a->older -= b->prev_used;
    use_block(a, b->prev, b->prev_used);
    free(b);
}

static void
run_cleanups(struct arena *a, const struct cleanup *down_to)
{
    while (a->cleanups != down_to) {
        struct cleanup *c = a->cleanups;
        a->cleanups = c->prev;
        c->fn(c->ctx);
    }
}

struct arena *
arena_new_sized(size_t first)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a == NULL)
        out_of_memory();
    a->first = align_up(first);
    return a;
}

struct arena *
arena_new(void)
{
    return arena_new_sized(BLOCK_FIRST);
}

void
arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    run_cleanups(a, NULL);
    while (a->block != NULL)
        block_pop(a);
    free(a);
}

void
arena_clear(struct arena *a)
{
    run_cleanups(a, NULL);
    while (a->block != NULL && ((struct block *)a->block)->prev != NULL)
        block_pop(a);
    a->at = a->start;
    a->older = 0;
}

void *
arena_alloc_block(struct arena *a, size_t n)
{
    size_t need = align_up(n == 0 ? 1 : n);
    block_push(a, need);
    void *p = a->at;
    a->at += need;
    return p;
}

void *
arena_zalloc(struct arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        out_of_memory();
    void *p = arena_alloc(a, n);
    memset(p, 0, n);
    return p;
}

void *
arena_grow(struct arena *a, void *p, size_t old_n, size_t new_n)
{
    if (p == NULL)
        return arena_alloc(a, new_n);
    size_t old_need = align_up(old_n);
    size_t new_need = align_up(new_n);
    bool newest = (char *)p + old_need == a->at && old_need > 0;
    if (newest && new_need >= old_need && new_need - old_need <= (size_t)(a->end - a->at)) {
        a->at += new_need - old_need;
        return p;
    }
    void *q = arena_alloc(a, new_n);
    memcpy(q, p, old_n < new_n ? old_n : new_n);
    return q;
}

void
arena_on_free(struct arena *a, void (*fn)(void *ctx), void *ctx)
{
    struct cleanup *c = arena_alloc(a, sizeof *c);
    c->fn = fn;
    c->ctx = ctx;
    c->prev = a->cleanups;
    a->cleanups = c;
}

void
arena_reset_blocks(struct arena *a, struct arena_mark m)
{
    if (a->cleanups != m.cleanups)
        run_cleanups(a, m.cleanups);
    if (m.block == NULL) { /* a mark of the empty arena: keep one warm block */
        arena_clear(a);
        return;
    }
    while (a->block != m.block)
        block_pop(a);
    a->at = m.at;
    a->older = m.older;
}
