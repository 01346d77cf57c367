/* What a process is doing, for exiwhat: lines of processes that got SIGUSR1. Source: specification, section "Finding out what
 * Exim processes are doing"; option process_log_path. */
#ifndef REMEX_PROC_PROCESS_LOG_H
#define REMEX_PROC_PROCESS_LOG_H

#include <sys/types.h>

struct engine;

/* Appends "  pid text", for this process or a child that does not answer itself. Faults are ignored: nobody could be told. */
void process_log_write(const struct engine *e, pid_t pid, const char *text);

#endif
