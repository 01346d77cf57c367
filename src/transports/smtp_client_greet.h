/* The beginning of a session: greeting, EHLO, TLS, authentication, and whether the host is then what it must be. */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_GREET_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_GREET_H

#include "transports/smtp_client.h"

/* Before there is a connection: if the server is known to take them, its first commands are put into c->out. False: *end. */
bool smtp_client_greet_ahead(struct smtp_client *c, const struct transport_job *job,
                             struct smtp_end *end);
/* All of it, once there is a connection (and TLS, where it comes first). False: *end. */
bool smtp_client_greet(struct smtp_client *c, const struct transport_job *job,
                       struct smtp_end *end);

#endif
