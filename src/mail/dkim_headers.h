/* Which lines of a header a signature covers (RFC 6376 section 5.4.2): for each name in h= the lowest line of that name that
 * was not taken before, and nothing when there is none.
 *
 * The names of a header are sorted out once; each signature then takes its lines by a walk of its own, whose cost is that of
 * its h= alone, whatever the header.
 */
#ifndef REMEX_MAIL_DKIM_HEADERS_H
#define REMEX_MAIL_DKIM_HEADERS_H

#include "base/str.h"
#include "mail/header.h"

struct arena;
struct dkim_headers;
struct dkim_walk;

/* The lines of l that are visible, as they are now; l and its texts stay where they are as long as this is used. */
struct dkim_headers *dkim_headers_new(struct arena *a, const struct header_list *l);

/* A new walk, in a. */
struct dkim_walk *dkim_walk_new(struct arena *a, const struct dkim_headers *h);
/* The line that the next mention of name stands for; NULL: there is none (any more). */
const struct header *dkim_walk_take(struct dkim_walk *w, struct str name);

#endif
