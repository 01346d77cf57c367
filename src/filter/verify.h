/* The verifier: every code object passes it before it first runs. */
#ifndef REMEX_FILTER_VERIFY_H
#define REMEX_FILTER_VERIFY_H

#include "filter/code.h"

/* Checks stack depth, jump targets and operand ranges, and fills in code->stack. false: the code is not
 * sound and must not run; *why (static text) and *where (word) tell. scratch: working memory. */
bool code_verify(struct arena *scratch, struct code *code, const char **why, uint32_t *where);

#endif
