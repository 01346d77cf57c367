/* Rewrites and completes the addresses of one header line, and leaves everything else in it as it is. */
#ifndef REMEX_ENGINE_REWRITE_HEADER_H
#define REMEX_ENGINE_REWRITE_HEADER_H

#include "engine/rewrite.h"
#include "mail/header.h"

/* The place (REWRITE_FROM...) that a type of line stands for; 0: it has no addresses that are rewritten. */
unsigned rewrite_header_place(char type);
/* The line with its addresses completed by domain (unset: not) and rewritten. False: nothing changed. The line must have a
 * place. */
bool rewrite_header(const struct rewriting *w, struct arena *a, const struct header *h,
                    struct str domain, struct str *out);

#endif
