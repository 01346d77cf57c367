/* Maps of texts that are made from mapped texts: parts, joins, pieces put together. */
#ifndef REMEX_CONF_TEXTMAP_H
#define REMEX_CONF_TEXTMAP_H

#include "base/diag.h"
#include "base/vec.h"

struct textmap_runs {
    VEC(struct textmap_run) list;
};

/* The map of text[at, at + n) of a mapped text. */
const struct textmap *textmap_sub(struct arena *a, const struct textmap *m, size_t at,
                                  size_t n);
/* The map of a text in which the first mapped text begins at x_at and the second at y_at > x_at; what stands
 * round them belongs to the place of the second. Either may be NULL. */
const struct textmap *textmap_joined(struct arena *a, const struct textmap *x, size_t x_at,
                                     const struct textmap *y, size_t y_at);

/* The run that covers byte `at` of a mapped text, as a run that starts at offset `to` of another text. m has at
 * least one run. */
struct textmap_run textmap_run_moved(const struct textmap *m, size_t at, size_t to);
/* Offset of the first run that starts after byte `at`, or STR_NPOS. m may be NULL. */
size_t textmap_next_run(const struct textmap *m, size_t at);
/* Adds the runs of text[at, at + n) at offset `to`. */
void textmap_append(struct arena *a, struct textmap_runs *out, const struct textmap *m,
                    size_t at, size_t n, size_t to);

#endif
