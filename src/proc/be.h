/* -be and -bD: tries expansions out. */
#ifndef REMEX_PROC_BE_H
#define REMEX_PROC_BE_H

#include "proc/mode.h"

/* Expands the arguments, or else lines of the standard input, each after a prompt. */
int be_run(struct mode *m);
/* Prints what the arguments (or lines) compile to. */
int be_list(struct mode *m);

#endif
