/* Properties of Unicode characters and normal forms (libunistring, which libidn2 brings anyway). */
#ifndef REMEX_SYS_UNICODE_H
#define REMEX_SYS_UNICODE_H

#include "base/str.h"

struct arena;

/* Simple upper case: one character for one; what has none stays. False: s is not UTF-8. */
bool unicode_upper(struct arena *a, struct str s, struct str *out);

#endif
