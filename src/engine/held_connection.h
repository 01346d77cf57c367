/* The connection of a callout on its way to the process that delivers the message (callout option hold).
 *
 * The server has accepted MAIL and RCPT for all recipients; what is left is the message. Descriptor and what is known of the server travel
 * as texts (held_text.h), which are no longer than a message between our processes has them (HELD_TEXT_MAX), so that an envelope with many
 * recipients is not held; nor is a connection with TLS, whose keys do not travel, or through a proxy. Who delivers believes the texts only
 * so far as they say what the delivery would do anyway: descriptor, host, sender, recipients, and as whom it has authenticated, must be those
 * that it has found out itself. A connection that is not used, or was lost, costs nothing but its being made again.
 */
#ifndef REMEX_ENGINE_HELD_CONNECTION_H
#define REMEX_ENGINE_HELD_CONNECTION_H

#include "engine/delivery.h"
#include "transports/smtp_command.h"

enum { HELD_TEXT_MAX = 1024 };

struct held_connection {
    struct arena *arena;           /* of a copy; NULL: the texts are somebody else's */
    struct str id;                 /* of the message */
    struct str place;              /* transport, host and what the server can */
    struct str sender, recipients; /* as MAIL and RCPT had them, one a line */
    int fd;                        /* -1: it is used, or gone */
};

/* Takes the connection apart; the texts are in a, the descriptor is c's. False: it cannot travel. */
bool held_connection_pack(struct arena *a, const struct smtp_client *c,
                          const struct smtp_mail *mail, struct str transport,
                          struct held_connection *out);
/* True if the message at hand has a connection that was held for exactly these recipients, by this target. */
bool held_connection_fits(const struct delivery *d, const struct transport_job *job,
                          const struct smtp_target *target);
/* That connection, put together again; *mail: what MAIL said. NULL: something has come over it, the texts are no texts, or the delivery would be
 * somebody else there. */
struct smtp_client *held_connection_open(const struct delivery *d,
                                         const struct transport_job *job,
                                         const struct smtp_target *target,
                                         struct smtp_mail *mail);
/* A copy that lasts; **owns**: the descriptor. Freeing it closes what is still open; NULL is allowed. */
struct held_connection *held_connection_keep(const struct held_connection *h);
void held_connection_free(struct held_connection *h);
/* Closes what the engine holds, if it is still there. */
void held_connection_drop(struct engine *e);

#endif
