/* Base 64 (RFC 4648 section 4) and hexadecimal. Results keep the mark of their input. */
#ifndef REMEX_BASE_BASE64_H
#define REMEX_BASE_BASE64_H

#include "base/str.h"

struct arena;
struct buf;

struct str base64_encode(struct arena *a, struct str s);
void base64_add(struct buf *out, struct str s);
/* Strict: quartets, padding only and exactly at the end; white space anywhere is skipped. On
 * failure false and *error_at (may be NULL) is the offset of the byte at fault (s.n: cut
 * short). */
bool base64_decode(struct arena *a, struct str s, struct str *out, size_t *error_at);

/* What a digit stands for, 0 to 63; -1: it is none. */
int base64_value(char c);

/* Lower case, two digits a byte. */
struct str hex_encode(struct arena *a, struct str s);
/* False: an odd count, or *error_at (may be NULL) is not a hexadecimal digit (s.n for an odd
 * count). */
bool hex_decode(struct arena *a, struct str s, struct str *out, size_t *error_at);

#endif
