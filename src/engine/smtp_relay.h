/* Passes what a client says on to another process, and what that says back, until one of them has gone: within TLS, where keys do not travel,
 * and where the client is at the ends of two pipes. */
#ifndef REMEX_ENGINE_SMTP_RELAY_H
#define REMEX_ENGINE_SMTP_RELAY_H

#include "sys/tls.h"

enum { SMTP_RELAY_IDLE_MS = 10 * 60 * 1000 }; /* longest time in which neither says anything */

struct smtp_relay {
    int in, out;                   /* of the client; the same for a socket */
    struct tls *tls;               /* what they carry: */
    struct tls_connection *secure; /* NULL: it is in the clear */
    int other;                     /* a stream socket to the process */
};

/* All descriptors stay open. Waits in place. SIGPIPE may come of a pipe that nobody reads. */
void smtp_relay(const struct smtp_relay *ends);

#endif
