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

struct arena;

struct arena_mark {
    void *block;
    size_t used;
    size_t total;
    void *cleanups;
};

struct arena *arena_new(void);
/* Runs the registered clean-ups, newest first, and frees everything. NULL is allowed. */
void arena_free(struct arena *a);
/* As arena_free, but the arena stays usable and keeps its first block. */
void arena_clear(struct arena *a);

/* n bytes, aligned for any type. Never NULL; n may be 0. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2)));
/* The same, zeroed; count * size is checked for overflow. */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
/* Grows the newest allocation in place when it can, else copies. p may be NULL. */
void *arena_grow(struct arena *a, void *p, size_t old_n, size_t new_n);
#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), 1, sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_zalloc((a), (n), sizeof(type)))

/* Calls fn(ctx) when the arena is freed, cleared, or reset to an older mark. */
void arena_on_free(struct arena *a, void (*fn)(void *ctx), void *ctx);

/* Everything allocated after the mark goes (clean-ups registered after it run). */
struct arena_mark arena_mark(struct arena *a);
void arena_reset(struct arena *a, struct arena_mark m);

/* Bytes handed out and not reset. */
size_t arena_used(const struct arena *a);

PLUGIN_API_END

#endif
