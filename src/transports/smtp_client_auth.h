/* Authentication to a server. RFC 4954. */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_AUTH_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_AUTH_H

#include "transports/smtp_client.h"

/* Tries the authenticators for which the server offers a mechanism, where hosts_try_auth or hosts_require_auth has the host; c->authenticated
 * says whether one did. False: *end; another host may do. */
bool smtp_client_auth(struct smtp_client *c, const struct transport_job *job,
                      struct smtp_end *end);

/* Sets c->auth_self of a connection that has authenticated: another user, another secret or another setting makes another text, which
 * tells none of them. The options are expanded for the message at hand; unset when one of them cannot be. */
void smtp_client_auth_note(struct smtp_client *c, const struct transport_job *job);
/* For a connection over which somebody has authenticated already: true if this message would do it there in the same way. */
bool smtp_client_auth_suits(const struct smtp_client *c, const struct transport_job *job,
                            struct str authenticator, struct str self);

#endif
