/* A message on the standard input: the mode of the program when it is called as sendmail. */
#ifndef REMEX_PROC_SUBMIT_H
#define REMEX_PROC_SUBMIT_H

#include "proc/mode.h"

int submit_run(struct mode *m);

struct reception;

/* The same in a process of the daemon: m says who calls, r how deliveries begin. */
int submit_with(struct mode *m, struct reception *r);

#endif
