/* What the header of a MIME part says (RFC 2045, 2046, 2183, 2231): type, encoding, disposition, names.
 *
 * The lines of a header go in one after the other, without their newlines; only five fields are kept, each up to a cap, so that a
 * header of any size costs little. Values are as Exim's ACL variables show them: in lower case, without white space and comments;
 * parameters as they stand. Of a field or parameter that comes twice the last one counts. Texts are in the arena and keep the mark of
 * the lines.
 */
#ifndef REMEX_MAIL_MIME_H
#define REMEX_MAIL_MIME_H

#include "base/buf.h"

enum {
    MIME_FIELD_MAX = 8192,   /* bytes of one field, with its continuation lines */
    MIME_FIELDS_MAX = 50,    /* of these fields in one header */
    MIME_BOUNDARY_MAX = 998, /* bytes; a longer one delimits nothing */
};

/* Fields are empty (not unset) when the header does not have them. */
struct mime_part {
    struct str type;        /* "text/plain" */
    struct str boundary;    /* of a multipart */
    struct str charset;     /* as it stands */
    struct str disposition; /* "attachment" */
    struct str id;
    struct str description;
    struct str encoding; /* "base64" */
    struct str
        filename; /* of type or disposition, decoded, never converted to another character set */
    bool
        cut; /* a field, or the number of them, went beyond the cap: the rest was not looked at */
};

struct mime_header {
    struct arena *arena;
    struct mime_part part;
    struct buf field; /* the one under way, when it is one of those that count */
    unsigned fields;
    bool counts;
};

void mime_header_start(struct mime_header *h, struct arena *a);
/* One line, without newline and CR. cut: it was longer than what is given. */
void mime_header_line(struct mime_header *h, struct str line, bool cut);
/* The header is complete: h->part. */
void mime_header_end(struct mime_header *h);

bool mime_is_multipart(const struct mime_part *p);
/* A message in a message. in_digest: of a multipart/digest, where that is what parts are. */
bool mime_is_message(const struct mime_part *p, bool in_digest);
/* All parts of it are as much of a cover letter as it is itself: multipart/alternative, multipart/related. */
bool mime_is_choice(const struct mime_part *p);

#endif
