/* Lists of tag=value pairs with semicolons between (RFC 6376 section 3.2): DKIM and ARC signatures, key records, DMARC
 * records. Nothing is copied: a value is a part of the list. */
#ifndef REMEX_MAIL_TAG_LIST_H
#define REMEX_MAIL_TAG_LIST_H

#include "base/str.h"

/* Most tags that are read of a list; a list with more is bad. */
enum { TAG_LIST_MAX = 64 };

struct tag {
    struct str name; /* as written; names are case-sensitive */
    struct str
        value; /* without white space around it; may be empty; folding inside is as written */
    uint32_t from,
        until; /* of the text of the list: behind the "=", and the semicolon or the end */
};

enum tag_end {
    TAG_FOUND,
    TAG_OVER, /* the list has ended */
    TAG_BAD,  /* not of the grammar; *at is where */
};

/* The next tag at or after *at (0 for the first), which is moved behind it. A list may end in a semicolon, and
 * empty tags are skipped, which some programs write. Values hold any
 * bytes but semicolons: who knows the tag checks them. */
enum tag_end tag_list_next(struct str list, uint32_t *at, struct tag *out);

/* The next item of a value that is a list with `separator` (a colon in h=, q=, t= …) between its items, without white space
 * around it. *at is 0 for the first. False: there is none. */
bool tag_value_next(struct str value, char separator, uint32_t *at, struct str *item);
/* True if an item of the list is that, in any case of letters. */
bool tag_value_has(struct str value, char separator, const char *item);

#endif
