/* Changes hints by hand, a command a line, as exim_fixdb does: a key shows its record, "d" deletes it, "FIELD VALUE" changes a field of a
 * retry record. Source: specification, section "exim_fixdb". */
#ifndef REMEX_PROC_HINTS_FIX_H
#define REMEX_PROC_HINTS_FIX_H

#include "sys/hints.h"

#include <stdio.h>

enum { HINTS_FIX_LINE_MAX = 1024 }; /* bytes of a line without its end; a longer one is refused */

/* Reads from in until it ends. Answers go to out. */
void hints_fix(struct hints *h, enum hints_kind kind, bool utc, FILE *in, FILE *out);

#endif
