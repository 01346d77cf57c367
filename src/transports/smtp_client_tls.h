/* TLS of a connection to a server: from the first byte on (smtps), or after STARTTLS. RFC 3207, 8314. */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_TLS_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_TLS_H

#include "transports/smtp_client.h"

/* protocol = smtps, or submissions */
bool smtp_client_tls_is_first(const struct transport_smtp *opt);
/* Shakes hands. False: *end; TLS itself is to blame if end->tls_failed. */
bool smtp_client_tls_begin(struct smtp_client *c, const struct transport_job *job,
                           struct smtp_end *end);
/* STARTTLS, where it is offered and wanted, with the handshake. True: *started says whether the server has to be greeted again. */
bool smtp_client_tls_start(struct smtp_client *c, const struct transport_job *job,
                           bool *started, struct smtp_end *end);
/* The same in two: puts STARTTLS into what waits to be sent (false: it is not offered, or not wanted); takes the answer. */
bool smtp_client_tls_ask(struct smtp_client *c, const struct transport_job *job);
bool smtp_client_tls_answer(struct smtp_client *c, const struct transport_job *job,
                            bool *started, struct smtp_end *end);
/* The server did not answer the first command within TLS: end->tls_failed is set then. */
void smtp_client_tls_first_read(struct smtp_client *c, struct smtp_end *end);

/* After EHLO in the clear: host_name_extract, which says to which server behind the address a session belongs. */
void smtp_client_tls_note_server(struct smtp_client *c, const struct transport_job *job);
/* Before the end: keeps what resumes the session next time (tls_resumption_hosts). */
void smtp_client_tls_keep_ticket(struct smtp_client *c);

/* A record of the hints store: when the ticket was given (seconds since 1970), and the ticket. False: not a record of this version. */
bool smtp_client_tls_read_ticket(uint16_t version, struct str value, int64_t *seconds,
                                 struct str *ticket);

/* As send_pieces: writes all of it. False with errno. */
bool smtp_client_tls_send(struct smtp_client *c, const struct iovec *v, int n);
/* For struct reply_reader. */
ssize_t smtp_client_tls_read(void *ctx, char *p, size_t n, short *events);
/* Waits until the descriptor is ready, for c->idle_ms at most. False with errno. */
bool smtp_client_wait(const struct smtp_client *c, short events);

#endif
