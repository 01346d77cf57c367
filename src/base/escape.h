/* Backslash escapes of quoted words: \b \f \n \r \t \v, up to three octal digits, x and up to two hexadecimal ones;
 * any other byte stands for itself. The rule of alias files, retry and rewrite rules, filters and LDAP queries.
 */
#ifndef REMEX_BASE_ESCAPE_H
#define REMEX_BASE_ESCAPE_H

#include "base/plugin_export.h"
#include "base/str.h"

PLUGIN_API_BEGIN

/* The byte for the escape at s.p[*at], which stands behind the backslash and is inside s; *at moves behind it. */
char escape_byte(struct str s, size_t *at);
/* The word in quotes whose opening quote is at s.p[*at], with its escapes replaced (in a, with the mark of s); *at moves
 * behind the closing quote, or to the end when there is none. Never unset. */
struct str escape_quoted_word(struct arena *a, struct str s, size_t *at);

PLUGIN_API_END

#endif
