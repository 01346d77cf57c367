/* The hashes that signatures of DKIM and ARC are about: of header lines, at once, and of a body, while it is read or sent.
 *
 * Signatures that want the same hash of the body (algorithm, canonical form, length) share it. Used by who verifies and by who signs.
 */
#ifndef REMEX_SYS_DKIM_HASH_H
#define REMEX_SYS_DKIM_HASH_H

#include "mail/dkim_canon.h"
#include "mail/dkim_headers.h"
#include "mail/dkim_signature.h"

struct arena;
struct dkim_bodies;
struct dkim_body_hash;

/* Longest line of a body that is hashed, without its line end: the reference gives up at that, and RFC 5321 allows a sixteenth of it.
 * Most hashes of one body. */
enum { DKIM_BODY_LINE_MAX = 16381, DKIM_BODIES_MAX = 64 };

struct dkim_bodies *dkim_bodies_new(struct arena *a);
/* One that is wanted; before anything is fed. NULL: too many. */
struct dkim_body_hash *dkim_bodies_want(struct dkim_bodies *b, enum dkim_hash hash,
                                        enum dkim_canon canon, int64_t length);
/* True if nobody wants one: nothing needs to be fed. */
bool dkim_bodies_is_empty(const struct dkim_bodies *b);
/* Lines end in LF or CRLF. */
void dkim_bodies_feed(struct dkim_bodies *b, const char *p, size_t n);
/* False: there was a line that is too long; no hash counts. */
bool dkim_bodies_end(struct dkim_bodies *b);
/* The hash, after dkim_bodies_end. */
struct str dkim_body_hash_digest(const struct dkim_body_hash *h);

/* The digest that s signs (RFC 6376 section 3.7): the lines that its h= names, then its own line without the value of b=. */
struct str dkim_hash_header(struct arena *a, const struct dkim_headers *h,
                            const struct dkim_signature *s);

/* The same in steps, for who puts the lines together otherwise (a new signature, the sets of ARC). */
struct digest_stream;
struct dkim_sink dkim_hash_sink(struct digest_stream *s);
struct digest_stream *dkim_hash_start(struct arena *a, enum dkim_hash hash);
struct str dkim_hash_end(struct arena *a, struct digest_stream *s);

#endif
