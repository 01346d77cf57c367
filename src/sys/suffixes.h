/* The list of public suffixes that a site's file holds, read once and again when the file changes; shared by the threads of a process.
 *
 * Source: RFC 7489, section 3.2 (organisational domains). The reading is done by a plugin, see suffix_plugin.h.
 */
#ifndef REMEX_SYS_SUFFIXES_H
#define REMEX_SYS_SUFFIXES_H

#include "base/str.h"

struct arena;
struct suffixes;

/* NULL: no memory. **Owns** what is read. */
struct suffixes *suffixes_new(void);
void suffixes_free(struct suffixes *s);

/* The organisational domain of a domain (ASCII, without a final dot): *out, in lower case and in a. A domain that is itself a public
 * suffix stands for itself. plugins: the plugin folder, unset: the default. False with *why (in a): the file or the plugin cannot be
 * read. **Thread**: any. */
bool suffixes_organisation(struct suffixes *s, struct arena *a, struct str plugins,
                           struct str file, struct str domain, struct str *out,
                           struct str *why);

#endif
