/* What a local delivery wants done by us, who are not the user: messages that are sent in the user's name, header lines that are
 * rewritten.
 */
#ifndef REMEX_ENGINE_LOCAL_REPLY_H
#define REMEX_ENGINE_LOCAL_REPLY_H

#include "engine/local_identity.h"
#include "transports/transport.h"

/* Sends the replies and warnings of the answers, as messages of that user with an empty sender. Faults are logged; a reply that
 * could not be sent makes its answer a deferral. */
void local_reply_send(struct delivery *d, const struct local_identity *who,
                      struct transport_answer *answers, size_t n);

/* Sets what the job needs for headers_rewrite, if its transport has it. */
void local_rewrite_set(struct engine *e, struct transport_job *job);

/* The envelope of a copy of the message for these of its addresses alone. False: it cannot be written. */
bool local_envelope(const struct delivery *d, struct address *const *addresses, size_t n,
                    struct str *out);

#endif
