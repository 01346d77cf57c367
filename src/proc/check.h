/* Checks every string of a configuration that is expanded when it is used. */
#ifndef REMEX_PROC_CHECK_H
#define REMEX_PROC_CHECK_H

#include "base/diag.h"

struct conf;
struct vm;

/* Compiles them all; what is wrong becomes a warning in diags, since a string that is never reached does no harm. What
 * is compiled is thrown away. */
void check_strings(const struct conf *c, struct vm *vm, struct diags *diags);

#endif
