/* -bf on a file that is no filter: the addresses that a traditional .forward file stands for. */
#ifndef REMEX_PROC_TEST_FORWARD_H
#define REMEX_PROC_TEST_FORWARD_H

#include "proc/mode.h"

/* Prints them, or the fault, in Exim's words. Returns the exit status. */
int test_forward_run(struct mode *m, struct str text);

#endif
