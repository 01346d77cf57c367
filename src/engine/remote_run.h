/* One run of a remote transport: a batch of addresses, the hosts in order until all are settled. */
#ifndef REMEX_ENGINE_REMOTE_RUN_H
#define REMEX_ENGINE_REMOTE_RUN_H

#include "engine/delivery.h"

struct remote_kept;

/* What becomes of a connection that is still good when all is done. */
enum remote_after {
    REMOTE_CLOSE,
    REMOTE_PASS, /* as REMOTE_KEEP, in a process that only tells its answers */
    REMOTE_KEEP, /* it waits in engine->kept for the next message, see remote_kept.h */
};

/* Runs the batch (n addresses of one transport, with the same hosts) and fills in answers[i]. `fallback`: its hosts are those of a
 * fallback list. Host and message retry records are written, and who waits for which host; what the addresses' own records need is in the
 * answers. */
void remote_run(struct delivery *d, struct address **batch, size_t n, bool fallback,
                enum remote_after after, struct transport_answer *answers);

#endif
