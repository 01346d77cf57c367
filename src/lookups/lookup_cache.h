/* Open lookup files and what was found in them.
 *
 * One cache belongs to one thread. At most lookup_open_max files are open at a time, the least recently
 * used one gives way. Before each use the file is compared with what was opened (device, inode, size,
 * times); a change closes the handle and forgets its results. Results without a file to watch stay
 * until lookup_cache_flush, which a long-lived process calls between messages.
 */
#ifndef REMEX_LOOKUPS_LOOKUP_CACHE_H
#define REMEX_LOOKUPS_LOOKUP_CACHE_H

#include "lookups/lookup_type.h"

struct arena;
struct lookup_cache;

enum {
    LOOKUP_OPEN_MAX = 25,         /* default of lookup_open_max */
    LOOKUP_RESULTS_MAX = 4 << 20, /* bytes of results kept per handle */
    LOOKUP_NESTING_MAX = 8,       /* lookups inside lookups (keys of wildlsearch) */
};

/* Freed, and everything closed, with the arena. */
struct lookup_cache *lookup_cache_new(struct arena *a);
/* Closes every handle and forgets every result (Exim does at the end of routing, of a message, …). */
void lookup_cache_flush(struct lookup_cache *c);
/* Where lines for the main and panic log go; NULL: to stderr with a time stamp. */
void lookup_cache_log_to(struct lookup_cache *c, void (*log)(void *ctx, struct str line),
                         void *ctx);
void lookup_cache_log(struct lookup_cache *c, struct str line);

/* --- for the engine --- */

struct lookup_handle {
    const struct lookup_driver *driver; /* with its functions */
    struct str name;                    /* file, or empty */
    const char *file;                   /* the same with a NUL */
    void *state;                        /* the driver's handle */
};

/* lookup_type_parse, remembered: the same few texts come again and again. *out is valid as long as the cache or
 * as text. */
enum vm_status lookup_cache_type(struct lookup_cache *c, struct vm *vm, struct str text,
                                 struct lookup_type *out);
/* The driver with its functions: itself, or what its plugin has. NULL after vm_fail. */
const struct lookup_driver *lookup_cache_driver(struct lookup_cache *c, struct lookup_ctx *x,
                                                const struct lookup_driver *d);
/* The handle for the driver and file (empty for types without). NULL after vm_fail. The handle is valid
 * until the next call. */
struct lookup_handle *lookup_cache_open(struct lookup_cache *c, struct lookup_ctx *x,
                                        const struct lookup_driver *d, struct str file);
/* A kept result for the key and the options: true, and *found and *data (in the cache's memory). */
bool lookup_cache_result(struct lookup_ctx *x, struct lookup_handle *h, struct str key,
                         bool *found, struct str *data);
void lookup_cache_keep(struct lookup_ctx *x, struct lookup_handle *h, struct str key,
                       bool found, struct str data);
/* Round a driver's find, which may look up in turn: h is not closed meanwhile. False (and nothing to
 * leave) when lookups are nested too deeply. */
bool lookup_cache_enter(struct lookup_cache *c, struct lookup_handle *h);
void lookup_cache_leave(struct lookup_cache *c, struct lookup_handle *h);
/* How many files are open. */
size_t lookup_cache_files(const struct lookup_cache *c);

#endif
