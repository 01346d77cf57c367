/* Arenas: chained blocks with a bump pointer, and a list of clean-ups.
 *
 * Blocks double up to BLOCK_MAX. A reset frees the blocks made after the mark, so that a loop of
 * evaluations keeps one warm block and never calls malloc.
 */
#include "base/arena.h"

#include <stdalign.h>
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
    size_t cap; /* bytes in mem */
    size_t used;
    alignas(max_align_t) char mem[];
};

struct cleanup {
    struct cleanup *prev;
    void (*fn)(void *ctx);
    void *ctx;
};

struct arena {
    struct block *top;
    struct cleanup *cleanups;
    size_t total; /* bytes handed out */
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
    const size_t unit = alignof(max_align_t);
    if (n > SIZE_MAX - unit)
        out_of_memory();
    return (n + unit - 1) & ~(unit - 1);
}

static void
block_push(struct arena *a, size_t need)
{
    size_t cap = a->top != NULL ? a->top->cap * 2 : BLOCK_FIRST;
    if (cap > BLOCK_MAX)
        cap = BLOCK_MAX;
    if (cap < need)
        cap = need;
    if (cap > SIZE_MAX - sizeof(struct block))
        out_of_memory();
    struct block *b = malloc(sizeof(struct block) + cap);
    if (b == NULL)
        out_of_memory();
    b->prev = a->top;
    b->cap = cap;
    b->used = 0;
    a->top = b;
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

static void
free_blocks(struct arena *a, const struct block *down_to)
{
    while (a->top != down_to) {
        struct block *b = a->top;
        a->top = b->prev;
        free(b);
    }
}

struct arena *
arena_new(void)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a == NULL)
        out_of_memory();
    return a;
}

void
arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    run_cleanups(a, NULL);
    free_blocks(a, NULL);
    free(a);
}

void
arena_clear(struct arena *a)
{
    run_cleanups(a, NULL);
    while (a->top != NULL && a->top->prev != NULL) {
        struct block *b = a->top;
        a->top = b->prev;
        free(b);
    }
    if (a->top != NULL)
        a->top->used = 0;
    a->total = 0;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    size_t need = align_up(n == 0 ? 1 : n);
    if (a->top == NULL || a->top->cap - a->top->used < need)
        block_push(a, need);
    void *p = a->top->mem + a->top->used;
    a->top->used += need;
    a->total += need;
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
    size_t old_need = align_up(old_n == 0 ? 1 : old_n);
    size_t new_need = align_up(new_n);
    struct block *b = a->top;
    if (b != NULL && b->used >= old_need && (char *)p == b->mem + b->used - old_need &&
        new_need >= old_need && b->cap - b->used >= new_need - old_need) {
        b->used += new_need - old_need;
        a->total += new_need - old_need;
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

struct arena_mark
arena_mark(struct arena *a)
{
    return (struct arena_mark){
        .block = a->top,
        .used = a->top != NULL ? a->top->used : 0,
        .total = a->total,
        .cleanups = a->cleanups,
    };
}

void
arena_reset(struct arena *a, struct arena_mark m)
{
    run_cleanups(a, m.cleanups);
    if (m.block == NULL) { /* a mark of the empty arena: keep one warm block */
        arena_clear(a);
        return;
    }
    free_blocks(a, m.block);
    a->top->used = m.used;
    a->total = m.total;
}

size_t
arena_used(const struct arena *a)
{
    return a->total;
}
