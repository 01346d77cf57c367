/* -bi, newaliases: runs the command of bi_command. */
#ifndef REMEX_PROC_ALIASES_H
#define REMEX_PROC_ALIASES_H

#include "proc/mode.h"

int aliases_run(struct mode *m);

#endif
