/* The header lines of a message: a list in order, and the texts that $h_, $rh_, $bh_, $lh_ and
 * $message_headers show.
 *
 * A line holds its whole raw text with folding and the final newline. CR and NUL never get into
 * one, nor a newline that does not fold: the constructors refuse or mend them. Texts keep the
 * marks of the lines that they are made from.
 */
#ifndef REMEX_MAIL_HEADER_H
#define REMEX_MAIL_HEADER_H

#include "base/str.h"
#include "mail/rfc2047.h"

struct arena;

/* What is known of a line from its name; the letters are those of the spool format. */
enum {
    HEADER_TYPE_OTHER = ' ',
    HEADER_TYPE_BCC = 'B',
    HEADER_TYPE_CC = 'C',
    HEADER_TYPE_FROM = 'F',
    HEADER_TYPE_MESSAGE_ID = 'I',
    HEADER_TYPE_RECEIVED = 'P',
    HEADER_TYPE_REPLY_TO = 'R',
    HEADER_TYPE_SENDER = 'S',
    HEADER_TYPE_TO = 'T',
    HEADER_TYPE_DELETED = '*', /* removed or superseded by a rewritten copy; invisible */
};

struct header {
    struct str text; /* "Name: body\n", perhaps with "\n " inside */
    uint32_t name_n; /* length of the name; text.p[name_n] is ':' or white space before it */
    char type;
};

struct header_list {
    struct header *v;
    size_t n;
    size_t cap;
    uint32_t changes; /* counts additions and removals, for who remembers texts */
};

/* Largest number of lines in a list; more are refused. */
enum { HEADER_LINES_MAX = 65536 };

/* Length of the name when the text begins as a header line (printing ASCII or bytes above 127, which
 * verify = header_names_ascii finds, then perhaps white space, then a colon); 0 when not. */
size_t header_name_length(struct str text);
/* The type of a name; Resent- fields have the type of the plain field, Resent-Reply-To none. */
char header_type(struct str name);
/* The name and what follows the colon, with the final newline. */
struct str header_name(const struct header *h);
struct str header_body(const struct header *h);

enum header_place { HEADER_AT_END, HEADER_AT_TOP };

/* Adds a copy; a missing final newline is supplied. False: not a header line, a byte that may
 * not be in one, or too many lines. */
bool header_list_add(struct arena *a, struct header_list *l, struct str text,
                     enum header_place place);
/* The same with a place in the list: the new line gets the index `at` (at most l->n). */
bool header_list_insert(struct arena *a, struct header_list *l, size_t at, struct str text);
/* Makes line i invisible and puts a copy of text right behind it. */
bool header_list_replace(struct arena *a, struct header_list *l, size_t i, struct str text);
/* Reads a header block line by line up to the empty line or the first line that is no header.
 * CRLF becomes LF, another CR a space, NUL a question mark. Returns the bytes consumed, with
 * the empty line. */
size_t header_list_read(struct arena *a, struct header_list *l, struct str block);
/* Index of the next visible line of that name at or after `from`, or STR_NPOS. Name without
 * colon. */
size_t header_list_find(const struct header_list *l, struct str name, size_t from);
/* Makes lines of that name invisible: the occurrence-th (from 1), or all for 0. Returns how
 * many. */
size_t header_list_remove(struct header_list *l, struct str name, size_t occurrence);

/* How a header is shown; order as in the expansion items $h_, $rh_, $bh_, $lh_. */
enum header_view {
    HEADER_VIEW_COOKED, /* trimmed, joined, words decoded into the target's character set */
    HEADER_VIEW_RAW,    /* everything behind the colon, final newlines included */
    HEADER_VIEW_BYTES,  /* trimmed, joined, words decoded without conversion */
    HEADER_VIEW_LIST,   /* a colon-separated list of raw texts */
};

/* Longest text that is put together (bytes); what is beyond is cut. */
enum { HEADER_TEXT_MAX = 65536 };

/* The text of all lines of a name. Address fields are joined by ",\n", others by "\n". target
 * may be NULL. False: there is no such line (*out is empty). */
bool header_list_text(struct arena *a, const struct header_list *l, struct str name,
                      enum header_view view, const struct charset_target *target,
                      unsigned flags, struct str *out);
/* $message_headers (BYTES) and $message_headers_raw (RAW). */
struct str header_list_all(struct arena *a, const struct header_list *l, enum header_view view,
                           unsigned flags);
/* A body on one line: every folding newline (and CR) removed, trimmed. */
struct str header_unfold(struct arena *a, struct str body);

#endif
