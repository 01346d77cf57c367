/* Why a delivery or a check ended as it did: returned beside an enum outcome, stored per
 * recipient, logged once. Texts live in the arena of the session or message that the outcome
 * belongs to. */
#ifndef REMEX_MAIL_WHY_H
#define REMEX_MAIL_WHY_H

#include "base/outcome.h"
#include "base/str.h"

struct why {
    enum outcome outcome;
    int smtp_code;       /* 250, 450, 550 ...; 0: none of its own */
    struct str enhanced; /* "5.1.1", or STR_NULL */
    struct str peer;     /* text for the peer, may have several lines; STR_NULL: none */
    struct str log;      /* text for the log; STR_NULL: as for the peer */
    int sys_errno;       /* 0: none */
    struct str host;     /* name of the host that said so, or STR_NULL */
    struct str host_ip;  /* its address, or STR_NULL */
};

#endif
