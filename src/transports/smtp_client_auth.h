/* Authentication to a server. RFC 4954. */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_AUTH_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_AUTH_H

#include "transports/smtp_client.h"

/* Tries the authenticators for which the server offers a mechanism, where hosts_try_auth or hosts_require_auth has the host; c->authenticated
 * says whether one did. False: *end; another host may do. */
bool smtp_client_auth(struct smtp_client *c, const struct transport_job *job,
                      struct smtp_end *end);

#endif
