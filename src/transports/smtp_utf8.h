/* Internationalised envelopes on their way to a server: sent as they are, with A-labels, or not at all. Source: specification, section
 * "MTA operations" of the chapter on internationalisation; RFC 6531.
 */
#ifndef REMEX_TRANSPORTS_SMTP_UTF8_H
#define REMEX_TRANSPORTS_SMTP_UTF8_H

#include "transports/smtp_client.h"

enum smtp_utf8 {
    SMTP_UTF8_NONE,    /* nothing needs it */
    SMTP_UTF8_SEND,    /* SMTPUTF8 is asked for */
    SMTP_UTF8_DOWN,    /* addresses are converted */
    SMTP_UTF8_REFUSED, /* the server cannot take it, and it is not to be converted */
};

/* What becomes of the envelope of a job on a connection that has greeted. */
enum smtp_utf8 smtp_utf8_choose(const struct smtp_client *c, const struct transport_job *job);
/* An address with A-labels in place of what is not ASCII; as it is when that cannot be done. In a. */
struct str smtp_utf8_down(struct arena *a, struct str address);

#endif
