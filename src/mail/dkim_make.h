/* New DKIM signatures: which header fields are signed, and the line with its tags, folded. Texts in, texts out.
 *
 * Source: RFC 6376 sections 3.5, 5.4; specification, option dkim_sign_headers; the order of tags is the reference's.
 */
#ifndef REMEX_MAIL_DKIM_MAKE_H
#define REMEX_MAIL_DKIM_MAKE_H

#include "base/buf.h"
#include "base/vec.h"
#include "mail/dkim_algorithm.h"
#include "mail/header.h"

/* True if a text can stand in a signature: it ends neither its tag nor its line. */
bool dkim_make_is_plain(struct str text);

/* Most names that a list for signing may have. */
enum { DKIM_NAMES_MAX = 1000, DKIM_FOLD_AT = 78 };

/* What h= lists, in order, and the lines that stand for the first of them. */
struct dkim_signed {
    struct str names;      /* with colons between */
    VEC(struct str) lines; /* the others are missing, and said to be */
};

/* Chooses by a list like "From:=Subject:+To": each mention signs one field of that name, the lowest that is left; "=" all there
 * are, "+" all and that there is no other. Fields that are there come first, from the lowest up. False: too many names. */
bool dkim_make_choose(struct arena *a, const struct header_list *l, struct str list,
                      struct dkim_signed *out);

struct dkim_making {
    enum dkim_key_type type;
    enum dkim_hash hash;
    enum dkim_canon canon; /* of header and body */
    struct str domain, selector;
    struct str identity;      /* unset or empty: no i= */
    struct str names;         /* h= */
    struct str body_hash;     /* its bytes */
    int64_t created, expires; /* -1: not said */
    struct str signature;     /* its bytes; empty: not made yet */
};

/* The whole header line; lines end in CRLF. *from, *until: where the value of b= is. */
struct str dkim_make_line(struct arena *a, const struct dkim_making *m, uint32_t *from,
                          uint32_t *until);

#endif
