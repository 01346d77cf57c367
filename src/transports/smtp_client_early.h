/* hosts_pipe_connect: what a server said to EHLO is remembered if PIPECONNECT was in it, and on later connections EHLO and what
 * comes behind it go out without waiting for the greeting (or, within TLS, for anything). Then the answers to them are owed: they are
 * read with those to the envelope, and if they are not what was remembered, the connection is given up and another made without
 * this, before anything of the message was sent.
 *
 * Records are kept in the hints store (kind misc), keyed "EHLO:address:port", with ":tls" behind it for what is said within TLS; they
 * are no longer used when they are older than retry_data_expire. Source: specification, option hosts_pipe_connect.
 */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_EARLY_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_EARLY_H

#include "transports/smtp_client.h"

/* What the server has not answered yet, bits of smtp_client.owed. */
enum smtp_owed { SMTP_OWES_GREETING = 1u << 0, SMTP_OWES_HELLO = 1u << 1 };

/* What the server offers as far as is remembered, into c->peer. False: nothing is, or it must not be made use of. */
bool smtp_client_early_recall(struct smtp_client *c, const struct transport_job *job);

/* Remembers the answer to EHLO in c->reply, or forgets the one of before. c->peer is what is in it. */
void smtp_client_early_keep(struct smtp_client *c, const struct transport_job *job);

/* After c->peer was recalled and EHLO was sent, the answer is in c->reply. False: the server does not offer any more what c->peer says;
 * it is forgotten. */
bool smtp_client_early_compare(struct smtp_client *c, const struct transport_job *job);

void smtp_client_early_forget(struct smtp_client *c, const struct transport_job *job);

/* The time of a record, for who tidies. False: not a record. */
bool smtp_client_early_read(uint16_t version, struct str value, int64_t *seconds,
                            struct str *reply);

#endif
