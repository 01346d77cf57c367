/* What the daemon does at its start and again at each reload: finds and opens its sockets, and says what it is. */
#ifndef REMEX_PROC_DAEMON_START_H
#define REMEX_PROC_DAEMON_START_H

#include "proc/master.h"

/* The sockets that configuration and command line name, not open. False with *error. */
bool daemon_start_find(struct mode *m, struct interfaces *out, struct str *error);

/* Opens them. before: those that are open already and stay (keep is set in both); NULL at the first start, when an address that is in use
 * is tried again after a while (daemon_startup_retries). False with *error; nothing that was opened stays open. */
bool daemon_start_open(struct mode *m, struct engine *e, struct interfaces *all,
                       struct interfaces *before, struct str *error);

/* Sockets that are open already: of the service manager, or (-bw) the standard input. False: there are none. */
bool daemon_start_inherit(struct arena *a, const struct master_setup *s,
                          struct interfaces *out);

/* "exim 4.99 daemon started: pid=123, -q15m, listening for SMTP on port 25", and before it what ought to be changed. */
void daemon_start_log(const struct master_setup *s);
/* That -bw<time> ends it. */
void daemon_start_log_wait(const struct master_setup *s);

/* The same, for exiwhat. */
struct str daemon_start_state(const struct master_setup *s);

#endif
