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

enum dkim_lines {
    DKIM_LINES_VISIBLE,
    DKIM_LINES_ALL, /* also deleted ones: of a header that has just come in, of which some are not kept */
};

/* The lines of l as they are now; its texts stay where they are as long as this is used. */
struct dkim_headers *dkim_headers_new(struct arena *a, const struct header_list *l,
                                      enum dkim_lines which);

/* A new walk, in a. */
struct dkim_walk *dkim_walk_new(struct arena *a, const struct dkim_headers *h);
/* The text of the line that the next mention of name stands for; unset: there is none (any more). */
struct str dkim_walk_take(struct dkim_walk *w, struct str name);

#endif
