/* Properties of Unicode characters and normal forms (libunistring, which libidn2 brings anyway). */
#ifndef REMEX_SYS_UNICODE_H
#define REMEX_SYS_UNICODE_H

#include "base/str.h"

struct arena;

/* Simple upper case: one character for one; what has none stays. False: s is not UTF-8. */
bool unicode_upper(struct arena *a, struct str s, struct str *out);
/* Normal form KC. False: s is not UTF-8, or memory is short. */
bool unicode_nfkc(struct arena *a, struct str s, struct str *out);

enum unicode_direction { UNICODE_OTHER, UNICODE_LEFT_TO_RIGHT, UNICODE_RIGHT_TO_LEFT };
/* Which way letters of that kind are written; digits, signs and marks are OTHER. */
enum unicode_direction unicode_direction(uint32_t code);

#endif
