/* -bd, -bdf, -bw and -q with a time: becomes the daemon's master process. */
#ifndef REMEX_PROC_DAEMON_H
#define REMEX_PROC_DAEMON_H

#include "proc/mode.h"

int daemon_run(struct mode *m);

#endif
