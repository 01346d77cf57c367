/* TLS of a process that is about to be jailed: afterwards its library could not be loaded any more. */
#ifndef REMEX_PROC_TLS_START_H
#define REMEX_PROC_TLS_START_H

#include "engine/engine.h"

/* For sessions: loads it if the configuration offers TLS to anybody, and reads the certificates if their options are plain texts, so that
 * all processes and threads of this one share them. vault: what it shares with others (sys/tls_vault.h), which stays open; -1: nothing. What fails is logged, and again when a client asks. */
void tls_start_server(struct engine *e, int vault);
/* For deliveries: loads it if there is an smtp transport. */
void tls_start_client(struct engine *e);

#endif
