/* Internationalised names: A-labels and UTF-8 (libidn2). */
#ifndef REMEX_SYS_IDN_H
#define REMEX_SYS_IDN_H

#include "base/str.h"

struct arena;

/* Longest name that is looked at (bytes). */
enum { IDN_MAX = 1024 };

/* Converts a domain, or with the local part functions a single label without any rule for host names. True and
 * *out in the arena, with the mark of the input; or false and *error, a text of the library's or ours. */
bool idn_domain_to_alabel(struct arena *a, struct str s, struct str *out, const char **error);
bool idn_domain_from_alabel(struct arena *a, struct str s, struct str *out, const char **error);
bool idn_localpart_to_alabel(struct arena *a, struct str s, struct str *out,
                             const char **error);
bool idn_localpart_from_alabel(struct arena *a, struct str s, struct str *out,
                               const char **error);

#endif
