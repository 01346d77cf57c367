/* -brt: which retry rule is for an address, a domain, an error. */
#ifndef REMEX_PROC_TEST_RETRY_H
#define REMEX_PROC_TEST_RETRY_H

#include "proc/mode.h"

int test_retry_run(struct mode *m);

#endif
