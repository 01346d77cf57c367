/* Modes that only tell something about the program: --help and -bI. */
#ifndef REMEX_PROC_INFO_H
#define REMEX_PROC_INFO_H

#include "proc/mode.h"

int info_help(struct mode *m);
int info_topics(struct mode *m);
/* A topic that there is not: the topics, on the standard error. */
int info_unknown_topic(struct mode *m);
int info_dscp(struct mode *m);
int info_sieve(struct mode *m);
int info_modules(struct mode *m);

/* What is printed when there is nothing to do. Returns the exit status. */
int info_usage(void);

#endif
