/* RFC 2047 encoded words and RFC 2231 parameters, and folding of long header text.
 *
 * Conversion between character sets is a caller's business (iconv is a system service): it
 * comes in through struct charset_target. Results keep the mark of their input.
 */
#ifndef REMEX_MAIL_RFC2047_H
#define REMEX_MAIL_RFC2047_H

#include "base/str.h"

struct buf;

struct arena;

enum charset_status {
    CHARSET_OK,
    CHARSET_UNKNOWN, /* no such conversion */
    CHARSET_ILLEGAL, /* the input does not convert */
};

/* Where decoded text goes to: the character set, and who converts. */
struct charset_target {
    struct str to; /* headers_charset; empty: no conversion */
    enum charset_status (*convert)(void *ctx, struct arena *a, struct str in, struct str from,
                                   struct str to, struct str *out);
    void *ctx;
};

enum {
    RFC2047_ANY_LENGTH = 1u << 0, /* words over 75 bytes too (check_rfc2047_length = false) */
};

/* Decodes the words in s; white space between two of them goes. Text that does not decode
 * stays, a word that does not convert is left in its own character set, NUL becomes '?'. target
 * may be NULL: no conversion. *error (may be NULL) is Exim's text for the first conversion that
 * does not exist, else STR_NULL. */
struct str rfc2047_decode(struct arena *a, struct str s, const struct charset_target *target,
                          unsigned flags, struct str *error);
/* ${rfc2047:}: s itself, or encoded words of the character set, separated by spaces. */
struct str rfc2047_encode(struct arena *a, struct str s, struct str charset);

/* ${headerwrap_cols_limit:}: breaks at white space so that lines have at most cols columns
 * where they can
 * ("\n\t", the tab counting 8), and cuts the whole at limit bytes. */
enum { HEADERWRAP_COLS = 80, HEADERWRAP_LIMIT = 998 };
struct str rfc2047_wrap(struct arena *a, struct str s, size_t cols, size_t limit);

/* Sections of one continued parameter. */
enum { RFC2231_SECTIONS_MAX = 100 };

/* Takes "*", "*3" or "*3*" off the name of a parameter. *section: -1 of one that is not continued. *extended: percent encoding, and in the first section a
 * character set. False: a malformed number. */
bool rfc2231_split_name(struct str *name, int *section, bool *extended);
/* Appends a value with its %xx replaced; a NUL among them becomes a question mark. */
void rfc2231_add_percent(struct buf *b, struct str s);
/* The value of a parameter of a structured header body ("attachment; filename=x"): quoted
 * strings, RFC 2231 continuations (at most 100) and character sets. False: there is no such
 * parameter. */
bool rfc2231_param(struct arena *a, struct str body, struct str name,
                   const struct charset_target *target, struct str *out);

#endif
