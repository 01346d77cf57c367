/* Whether a connection is served: smtp_accept_max, smtp_accept_max_per_host, smtp_accept_reserve, smtp_load_reserve,
 * smtp_accept_queue, counted over all smtp processes. */
#ifndef REMEX_PROC_SMTP_ADMIT_H
#define REMEX_PROC_SMTP_ADMIT_H

#include "proc/role_smtp.h"

/* Takes a seat; the engine's session is the client. False: it is not served; it was told and logged, the socket is closed. */
bool smtp_admit(struct smtp_role *s, struct smtp_connection *c);

/* smtp_accept_queue: with so many connections a message that has come in waits for a queue run, which is logged. */
bool smtp_admit_is_crowded(struct engine *e, unsigned connected, struct str id);

#endif
