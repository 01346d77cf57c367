/* -brw: what rewriting makes of an address in each place. */
#ifndef REMEX_PROC_TEST_REWRITE_H
#define REMEX_PROC_TEST_REWRITE_H

#include "proc/mode.h"

int test_rewrite_run(struct mode *m);

#endif
