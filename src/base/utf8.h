/* UTF-8: one step of decoding and encoding, and the conversions of the expansion language.
 *
 * Nothing here reads past the value. Results keep the mark of their input.
 */
#ifndef REMEX_BASE_UTF8_H
#define REMEX_BASE_UTF8_H

#include "base/str.h"

struct arena;
struct buf;

/* Bytes (1 to 4) of the well-formed character at p (RFC 3629: no overlong form, no surrogate),
 * its code in *code (may be NULL); 0 when there is none in the n bytes. */
size_t utf8_decode(const char *p, size_t n, uint32_t *code);
/* Bytes written, 1 to 4. code must be at most 0x10ffff. */
size_t utf8_encode(uint32_t code, char out[4]);
/* True if the whole value is well formed. */
bool utf8_valid(struct str s);
/* True if a byte has its top bit set. */
bool utf8_has_8bit(struct str s);

/* ${utf8clean:}: bad sequences become "?", by the reference's rules (overlong forms of three
 * and four bytes pass). Returns s itself when it has no byte above 127. */
struct str utf8_clean(struct arena *a, struct str s);
/* ${from_utf8:}: to ISO 8859-1; what is above 255 becomes "_". */
struct str utf8_to_latin1(struct arena *a, struct str s);
struct str utf8_from_latin1(struct arena *a, struct str s);

enum utf8_folder_status {
    UTF8_FOLDER_OK,
    UTF8_FOLDER_ILLEGAL, /* '.' or '/' that is neither the separator nor special: *bad has it */
    UTF8_FOLDER_INVALID, /* input is not UTF-8 */
    UTF8_FOLDER_CUT,     /* input ends within a character */
};

/* ${imapfolder}: UTF-8 to modified UTF-7 (RFC 3501 section 5.1.3); sep becomes a period (several
 * one, none at the ends), bytes
 * of specials are encoded. */
enum utf8_folder_status utf8_to_folder(struct buf *out, struct str s, char sep,
                                       struct str specials, char *bad);

#endif
