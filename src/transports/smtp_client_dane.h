/* DANE of a connection to a server: the TLSA records of its host, asked for before it is connected to. */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_DANE_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_DANE_H

#include "transports/smtp_client.h"

enum { SMTP_CLIENT_TLSA_MAX = 64 }; /* records of a host that are looked at */

/* If the host was found by answers that DNSSEC secured and an option wants it: c->dane, c->tlsa and $tls_out_tlsa_usage are set. Records
 * that are of no use to mail are left out, but TLS must begin all the same (RFC 7672 section 2.2). False: the host is not to be
 * used, *end says why: its records cannot be had (a deferral), or hosts_require_dane wants them and there are none (for good). */
bool smtp_client_dane_find(struct smtp_client *c, const struct transport_job *job,
                           struct smtp_end *end);
/* Raises dane:fail and says so in the log, if DANE was to secure the connection. fault: of the handshake; NULL: it did not come to one. */
void smtp_client_dane_failed(const struct smtp_client *c, const struct transport_job *job,
                             const struct tls_fault *fault);
/* True: an option has its default, and it depends on the records whether a stapled answer is of use. */
bool smtp_client_dane_needs_no_ocsp(const struct smtp_client *c);

#endif
