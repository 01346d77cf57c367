/* xtext of RFC 3461 section 4: text in ESMTP parameters, with "+41" for a byte. */
#ifndef REMEX_MAIL_XTEXT_H
#define REMEX_MAIL_XTEXT_H

#include "base/str.h"

/* False: not xtext, or a NUL, CR or LF would come of it. The result has the mark of the input. */
bool xtext_decode(struct arena *a, struct str s, struct str *out);
/* The text as xtext. */
struct str xtext_encode(struct arena *a, struct str s);

#endif
