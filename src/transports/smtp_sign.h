/* Signatures of messages that go out by the smtp transport: DKIM, and sets of ARC (smtp_arc.h).
 *
 * What is signed is what is sent: the message is written once into the hashes, as the connection will get it (header lines added,
 * removed and rewritten, a transport filter run), and once to the server, with the signatures in front. The output of a filter is
 * kept in between.
 * Private keys are read when a message is signed, by the process that signs it: as the mail user under the daemon. They
 * stay in its memory no longer than the signing takes. Source: specification, "Signing outgoing messages".
 */
#ifndef REMEX_TRANSPORTS_SMTP_SIGN_H
#define REMEX_TRANSPORTS_SMTP_SIGN_H

#include "transports/message_write.h"
#include "transports/smtp.h"

/* Most signatures of one message, and bytes of a header that is signed. */
enum { SMTP_SIGN_MAX = 100, SMTP_SIGN_HEADER_MAX = 16 * 1024 * 1024 };

struct smtp_signed {
    struct str dkim; /* "domain:selector:domain:selector", for the log; unset: none */
};

/* Makes the signatures that the options ask for and puts them in front of *w, which is prepared; w may then write something else,
 * which is the same message. False: there should be one that could not be made, and dkim_strict is on; *why. */
bool smtp_sign(const struct transport_job *job, const struct transport_smtp *opt,
               struct message_write *w, struct smtp_signed *out, struct why *why);

#endif
