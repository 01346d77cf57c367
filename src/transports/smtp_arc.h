/* The option arc_sign of the smtp transport: a set of ARC lines in front of a message that goes on to others.
 *
 * What is signed and when is smtp_sign.h's affair; here is what ARC has of its own. What cannot be signed goes out without a set, which
 * is logged. Source: RFC 8617, section 5.1.
 */
#ifndef REMEX_TRANSPORTS_SMTP_ARC_H
#define REMEX_TRANSPORTS_SMTP_ARC_H

#include "mail/header.h"
#include "sys/dkim_hash.h"
#include "transports/smtp.h"
#include "transports/transport.h"

/* A set on its way. */
struct smtp_arc;

/* Reads the option, "identity:selector:key[:options]", and asks for the hash of the body. NULL: nothing is to be signed. All is in a. */
struct smtp_arc *smtp_arc_start(const struct transport_job *job, struct arena *a,
                                const struct xstr *option, struct dkim_bodies *bodies);
/* The lines to go in front, with CRLF. headers: as they go out, signatures of DKIM among them. hashed: the body has been fed, and
 * no line was too long. Empty: it was not possible. */
struct str smtp_arc_sign(struct smtp_arc *s, const struct header_list *headers, bool hashed);

#endif
