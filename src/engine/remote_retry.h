/* Retry times of hosts: whether one may be tried, what its failure or success means for the next time. Source: specification, chapters
 * "Retry configuration", "SMTP processing" (section "Errors in outgoing SMTP"). */
#ifndef REMEX_ENGINE_REMOTE_RETRY_H
#define REMEX_ENGINE_REMOTE_RETRY_H

#include "engine/delivery.h"
#include "engine/retry_hints.h"
#include "transports/smtp_client.h"

enum remote_ready {
    REMOTE_READY,
    REMOTE_WAITS,   /* its retry time is not reached */
    REMOTE_EXPIRED, /* nor is it, and it has been failing for longer than its rule allows */
};

/* One host on its way. */
struct remote_try {
    struct host_target host;
    int64_t port;
    struct ip from;              /* our address, when the transport names one; n == 0: any */
    struct str domain;           /* of the addresses */
    struct str key, message_key; /* of records; remote_retry_keys */
    bool expired;     /* it has been failing for too long, and may be tried once more */
    bool of_message;  /* it waits for an error of this message, which others do not share */
    int64_t last_try; /* seconds; 0: unknown */
    bool known;       /* the host has a record: */
    struct retry_record record;
};

void remote_retry_keys(struct delivery *d, const struct driver_instance *transport,
                       struct remote_try *t);
/* Sets expired, of_message and last_try as well. */
enum remote_ready remote_retry_check(struct delivery *d, struct remote_try *t);
/* Notes what became of the try; again: it is the answer of an earlier one, which is noted. True: it failed, and the time for trying is over. */
bool remote_retry_note(struct delivery *d, const struct remote_try *t,
                       const struct smtp_end *end, bool again);

#endif
