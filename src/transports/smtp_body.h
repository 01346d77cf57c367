/* The message itself: behind DATA, or cut into BDAT chunks. */
#ifndef REMEX_TRANSPORTS_SMTP_BODY_H
#define REMEX_TRANSPORTS_SMTP_BODY_H

#include "transports/message_write.h"
#include "transports/smtp_client.h"

enum { SMTP_BODY_CHUNK = 256 * 1024 }; /* bytes of one BDAT chunk */

/* Sends the message behind an accepted DATA, with its final dot. False: it is not whole; *written says why. */
bool smtp_body_data(struct smtp_client *c, const struct message_write *w,
                    struct message_written *written);

/* Sends it in chunks. before is called when a chunk is ready and others have been sent (n: how many): it reads what answers are
 * outstanding, and returns false when no more is to be sent. Commands that wait go out with the first chunk. The answer to the last
 * chunk is left to the caller. */
bool smtp_body_chunks(struct smtp_client *c, const struct message_write *w,
                      bool (*before)(void *ctx, size_t n), void *ctx,
                      struct message_written *written);

#endif
