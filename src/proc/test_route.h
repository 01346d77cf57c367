/* -bt, -bv and -bvs: what the routers make of addresses. */
#ifndef REMEX_PROC_TEST_ROUTE_H
#define REMEX_PROC_TEST_ROUTE_H

#include "proc/mode.h"

/* The addresses are the arguments, or lines of the standard input. */
int test_route_run(struct mode *m);  /* -bt */
int test_verify_run(struct mode *m); /* -bv, -bvs */

#endif
