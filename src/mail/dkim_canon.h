/* Canonical forms of headers and bodies (RFC 6376 section 3.4): bytes in, bytes out to a sink, nothing kept.
 *
 * Header lines are as struct header has them, bodies as the spool or the network has them: LF and CRLF both end a line, what
 * comes out has CRLF. A body is fed in pieces of any size, so that it is hashed while it is read or sent.
 */
#ifndef REMEX_MAIL_DKIM_CANON_H
#define REMEX_MAIL_DKIM_CANON_H

#include "base/str.h"
#include "mail/dkim_algorithm.h"

/* Where canonical bytes go. */
struct dkim_sink {
    void (*put)(void *ctx, const char *p, size_t n);
    void *ctx;
};

/* A whole header line, "Name: body\n", with its final CRLF. */
void dkim_canon_header(enum dkim_canon canon, struct str line, struct dkim_sink to);

/* The line of a signature as it is signed: without the bytes [from, until) of the line, the value of b=, and without its
 * final line end (section 3.7). */
void dkim_canon_signature(enum dkim_canon canon, struct str line, uint32_t from, uint32_t until,
                          struct dkim_sink to);

/* Most bytes kept back before the sink gets them. */
enum { DKIM_BODY_BLOCK = 1024 };

#define DKIM_BODY_ALL INT64_MAX

/* A body on its way. The members are its own affair, save `size` and `longest`. */
struct dkim_body {
    enum dkim_canon canon;
    int64_t left;    /* bytes that still go out (l=) */
    int64_t size;    /* canonical bytes so far, those beyond l= as well */
    int64_t longest; /* bytes of its longest line, without the line end */
    int64_t line;    /* of the line that is being read */
    int64_t lines;   /* line ends held back: they are dropped if nothing follows */
    bool cr;         /* a CR that may be the first half of a line end */
    bool space;      /* relaxed: white space held back */
    struct dkim_sink to;
    size_t block_n;
    char block[DKIM_BODY_BLOCK];
};

/* limit: of l=, in canonical bytes, or DKIM_BODY_ALL. */
void dkim_body_start(struct dkim_body *b, enum dkim_canon canon, int64_t limit,
                     struct dkim_sink to);
void dkim_body_feed(struct dkim_body *b, const char *p, size_t n);
/* The body has ended: the sink gets the rest. */
void dkim_body_end(struct dkim_body *b);

#endif
