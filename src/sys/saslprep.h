/* SASLprep (RFC 4013): names and passwords in the form in which both sides of SCRAM compute with them.
 *
 * Characters that Unicode 3.2 did not assign pass, as in queries (RFC 3454 section 7).
 */
#ifndef REMEX_SYS_SASLPREP_H
#define REMEX_SYS_SASLPREP_H

#include "base/str.h"

struct arena;

/* Longest value that is prepared (bytes). */
enum { SASLPREP_MAX = 1024 };

/* True: *out, in the arena or s itself, with the mark of s. False: s is too long, no UTF-8, or has something in it that is forbidden, or
 * letters of both directions. */
bool saslprep(struct arena *a, struct str s, struct str *out);

#endif
