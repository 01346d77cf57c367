/* The structure of a MIME message (RFC 2046): which parts it has, in which order, and where their headers and contents are.
 *
 * The text is fed block by block; what comes out is an index of offsets, so that a part can be read again, alone, whatever its size.
 * Hostile structures cost no more than their bytes: parts, depth and boundaries are capped, and there is no recursion. A delimiter
 * of an outer multipart ends what is inside, whether the inner one was closed or not (RFC 2046 section 5.1.2). A multipart without a
 * usable boundary has no parts. Messages in messages are marked, not entered: they are read in a walk of their own.
 */
#ifndef REMEX_MAIL_MIME_WALK_H
#define REMEX_MAIL_MIME_WALK_H

#include "base/vec.h"
#include "mail/mime.h"

enum {
    MIME_DEPTH_MAX =
        100, /* multiparts in each other; the contents of a deeper one are not looked at */
    MIME_PARTS_MAX = 10000, /* more are not looked at */
};

struct mime_span {
    int64_t header, body, end; /* offsets: of the header, of the contents, behind them */
    uint32_t parent;           /* its index; the first part is its own parent */
    bool multipart;
    bool message; /* message/rfc822 and its kind: body to end is a message, perhaps encoded */
    bool cover_letter; /* $mime_is_coverletter: specification, "Scanning MIME parts" */
    bool opaque; /* a multipart that was not entered: too deep, or its boundary too long */
};

struct mime_index {
    VEC(struct mime_span) parts; /* the first one is the whole message */
    bool too_many;               /* there were more */
};

struct mime_caps {
    size_t parts; /* at least 1 */
    size_t depth;
};

struct mime_walk;

/* In a. root: what the header says when the text begins behind it; NULL: the text begins with the header. */
struct mime_walk *mime_walk_new(struct arena *a, struct mime_caps caps,
                                const struct mime_part *root);
void mime_walk_feed(struct mime_walk *w, struct str block);
/* The text is over. The index lives in the arena. */
const struct mime_index *mime_walk_end(struct mime_walk *w);

#endif
