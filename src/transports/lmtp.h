/* What the files of the lmtp transport share: its options. lmtp.c: options and their check; lmtp_session.c: one delivery. */
#ifndef REMEX_TRANSPORTS_LMTP_H
#define REMEX_TRANSPORTS_LMTP_H

#include "transports/transport.h"

struct transport_lmtp {
    struct xstr batch_id;
    int64_t batch_max;
    struct xstr command;
    bool ignore_quota;
    struct xstr socket;
    int64_t timeout;
};

/* The deliver function of the driver. */
void lmtp_deliver(const struct transport_job *job, struct transport_answer *answers);

#endif
