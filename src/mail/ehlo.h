/* What a server offers in its answer to EHLO or LHLO (RFC 5321 section 4.1.1.1), and the limits that it names (RFC 9422). */
#ifndef REMEX_MAIL_EHLO_H
#define REMEX_MAIL_EHLO_H

#include "mail/smtp_reply.h"

#include <stdint.h>

enum { EHLO_LIMIT_MAX = 1000000 }; /* a larger limit counts as that */

struct ehlo {
    bool pipelining, pipe_connect, chunking, prdr, dsn, smtputf8, eightbit, starttls,
        ignore_quota;
    bool size;
    int64_t size_max; /* of SIZE; 0: none given */
    bool auth;
    struct str auth_mechanisms; /* words behind AUTH; a part of the reply */
    bool limits;
    int64_t mail_max, rcpt_max, rcpt_domain_max; /* of LIMITS; 0: none */
};

/* Reads the lines behind the first. Keywords that are not known are skipped, the last of equal ones counts. */
void ehlo_read(const struct smtp_reply *reply, struct ehlo *out);

#endif
