/* Arenas: memory by lifetime.
 *
 * remex has four (configuration, session, message, scratch). A function that allocates takes the
 * arena first; that argument is the documentation of how long the result lives. Nothing in an
 * arena is freed alone. Running out of memory ends the process with a message and exit status 75
 * (EX_TEMPFAIL): sizes that a stranger chooses are capped before they get here.
 * An arena belongs to one thread at a time; there is no lock.
 */
#ifndef REMEX_BASE_ARENA_H
#define REMEX_BASE_ARENA_H

#include "base/plugin_export.h"

#include <stddef.h>

PLUGIN_API_BEGIN

/* Of arena.c and the inline functions here; nothing else looks inside. */
struct arena {
    char *at;     /* next free byte of the newest block */
    char *end;    /* behind its last byte */
    char *start;  /* its first byte */
    size_t older; /* bytes handed out of older blocks */
    size_t first; /* bytes of the first block */
    void *block;
    void *cleanups;
};

struct arena_mark {
    void *block;
    char *at;
    size_t older;
    void *cleanups;
};

enum { ARENA_ALIGN = 16 };

struct arena *arena_new(void);
/* With a first block of so many bytes, for what there are thousands of. */
struct arena *arena_new_sized(size_t first);
/* Runs the registered clean-ups, newest first, and frees everything. NULL is allowed. */
void arena_free(struct arena *a);
/* As arena_free, but the arena stays usable and keeps its first block. */
void arena_clear(struct arena *a);

/* The way when the newest block is full. */
void *arena_alloc_block(struct arena *a, size_t n);

/* n bytes, aligned for any type. Never NULL; n may be 0. */
static inline void *
arena_alloc(struct arena *a, size_t n)
{
    n += n == 0;
    if (n > (size_t)(a->end - a->at))
        return arena_alloc_block(a, n);
    char *p = a->at;
    a->at += (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    return p;
}

/* For a value whose length shows only while it is written: the free bytes of the newest block, *room of them, of which
 * arena_take keeps the first n. Nothing else is allocated in between. */
static inline char *
arena_room(const struct arena *a, size_t *room)
{
    *room = (size_t)(a->end - a->at);
    return a->at;
}

static inline void
arena_take(struct arena *a, size_t n)
{
    a->at += (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

/* The same, zeroed; count * size is checked for overflow. */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
/* Grows the newest allocation in place when it can, else copies. p may be NULL. */
void *arena_grow(struct arena *a, void *p, size_t old_n, size_t new_n);
#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), 1, sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_zalloc((a), (n), sizeof(type)))

/* Calls fn(ctx) when the arena is freed, cleared, or reset to an older mark. */
void arena_on_free(struct arena *a, void (*fn)(void *ctx), void *ctx);

static inline struct arena_mark
arena_mark(const struct arena *a)
{
    return (struct arena_mark){
        .block = a->block, .at = a->at, .older = a->older, .cleanups = a->cleanups};
}

/* The way when there are blocks or clean-ups to undo. */
void arena_reset_blocks(struct arena *a, struct arena_mark m);

/* Everything allocated after the mark goes (clean-ups registered after it run). */
static inline void
arena_reset(struct arena *a, struct arena_mark m)
{
    if (a->block != m.block || a->cleanups != m.cleanups)
        arena_reset_blocks(a, m);
    else
        a->at = m.at;
}

/* Bytes handed out and not reset. */
static inline size_t
arena_used(const struct arena *a)
{
    return a->older + (size_t)(a->at - a->start);
}

PLUGIN_API_END

#endif
