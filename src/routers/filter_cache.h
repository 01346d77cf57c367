/* Programs that this process compiled, so that an unchanged filter is not compiled again.
 *
 * A program is known by the text that it was made from, so a file that was changed in whatever way is another one. Lives in the arena of the evaluation context and
 * is emptied as a whole when it is full. Belongs to one thread.
 */
#ifndef REMEX_ROUTERS_FILTER_CACHE_H
#define REMEX_ROUTERS_FILTER_CACHE_H

#include "filter/filter_compile.h"

enum { FILTER_CACHE_MAX = 64, FILTER_CACHE_BYTES = 64 * 1024 * 1024 };

struct filter_cache;

struct filter_cache *filter_cache_new(struct arena *a);
/* The program of the text. The result lives until the next call. */
const struct filter_program *filter_cache_compile(struct filter_cache *c, struct vm *vm,
                                                  struct str name, struct str text,
                                                  unsigned flags);
/* How often it compiled. */
size_t filter_cache_compiled(const struct filter_cache *c);

#endif
