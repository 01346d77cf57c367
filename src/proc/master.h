/* The master: owns the listening sockets and the other processes, and reads nothing of what comes from outside.
 *
 * It starts the processes of a generation (one configuration), connects them, starts those again that die, brings in a new
 * generation on SIGHUP and ends all on SIGTERM.
 */
#ifndef REMEX_PROC_MASTER_H
#define REMEX_PROC_MASTER_H

#include "engine/engine.h"
#include "proc/interfaces.h"
#include "proc/mode.h"

/* What the daemon was started with; goes on over reloads. */
struct master_setup {
    struct mode *mode;            /* of the configuration that is in force */
    const struct mode *first;     /* of the first one: master_run sets it */
    struct engine *engine;        /* for its log lines */
    struct interfaces interfaces; /* open */
    struct str pid_file;          /* STR_NULL: none was written */
    int signals;                  /* signals_take, before anybody can know of this process */
    int submit;                   /* socket for messages of ordinary users; -1: none */
    bool listens;                 /* -bd */
    bool waits; /* -bw: ends after wait_s seconds without a connection; 0: never */
    int64_t wait_s;
    bool given; /* its sockets were handed over, and stay whatever a new configuration says */
};

/* Runs until it is told to end; the exit status. */
int master_run(struct master_setup *setup);

#endif
