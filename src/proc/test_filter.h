/* -bf and -bF: what a filter would do with the message on the standard input. */
#ifndef REMEX_PROC_TEST_FILTER_H
#define REMEX_PROC_TEST_FILTER_H

#include "proc/mode.h"

/* Runs the system filter (-bF), then the user's (-bf), as far as they are given. */
int test_filter_run(struct mode *m);
/* -bD -bf FILE: prints what the filter compiles to. */
int test_filter_list(struct mode *m);

#endif
