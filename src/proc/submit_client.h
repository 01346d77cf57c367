/* The side of an ordinary user: hands the call over to the daemon (submit_server.h). */
#ifndef REMEX_PROC_SUBMIT_CLIENT_H
#define REMEX_PROC_SUBMIT_CLIENT_H

#include "proc/mode.h"

/* True if this process cannot write the spool itself and the configuration names the daemon's socket. */
bool submit_client_is_needed(const struct mode *m);
/* The exit status of the call, which the daemon makes in our stead. */
int submit_client_run(const struct mode *m);

#endif
