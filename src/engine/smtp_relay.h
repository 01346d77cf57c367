/* Passes what a client says within TLS on to another process, and what that says back, until one of them has gone: keys do not travel. */
#ifndef REMEX_ENGINE_SMTP_RELAY_H
#define REMEX_ENGINE_SMTP_RELAY_H

#include "sys/tls.h"

enum { SMTP_RELAY_IDLE_MS = 10 * 60 * 1000 }; /* longest time in which neither says anything */

/* fd: the client's socket, of the connection c; other: a stream socket to the process. Both stay open. Waits in place. */
void smtp_relay(struct tls *tls, struct tls_connection *c, int fd, int other);

#endif
