/* UTF-16, low byte first, as protocols of Windows write text. Results keep the mark of their input. */
#ifndef REMEX_BASE_UTF16_H
#define REMEX_BASE_UTF16_H

#include "base/str.h"

struct arena;

/* False: s is not UTF-8. */
bool utf16_from_utf8(struct arena *a, struct str s, struct str *out);
/* False: an odd number of bytes, or half of a surrogate pair. */
bool utf16_to_utf8(struct arena *a, struct str s, struct str *out);

#endif
