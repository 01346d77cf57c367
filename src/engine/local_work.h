/* Does a job: in the process that is the user, and only there.
 *
 * The job and all that it leads to (lists, filters, mailboxes, commands) are a stranger's as far as this process is concerned; nothing of
 * it can harm anybody but the user.
 */
#ifndef REMEX_ENGINE_LOCAL_WORK_H
#define REMEX_ENGINE_LOCAL_WORK_H

#include "engine/engine.h"

/* Reads and does the job, writes its answer to out. Returns the exit status; a job that is no job is 1 without an answer. The
 * models of e->eval are those of the job afterwards; scratch memory in a. body_fd: of the message, or -1. */
int local_work(struct engine *e, struct arena *a, struct str bytes, int body_fd, int out);

#endif
