/* Cutthrough delivery: a message goes to the next hop before the client is told that it was taken. And callouts with the option hold: their
 * connection, too, gets the further recipients, and then waits for whoever delivers the message from the spool (held_connection.h).
 *
 * The connection of a callout whose envelope is that of the message is kept with the message (struct acl_message) and gets its further
 * recipients. When the message is whole and the ACLs let it in, it is sent over that connection; if the next hop takes it for all
 * recipients, nothing goes to the spool. Whatever does not fit drops the connection, and the message is spooled as any other: each
 * recipient that was accepted is either in the envelope of the connection or the connection is gone. Runs in the process and thread
 * of the session. Source: specification, control = cutthrough_delivery.
 */
#ifndef REMEX_ENGINE_CUTTHROUGH_H
#define REMEX_ENGINE_CUTTHROUGH_H

#include "acl/acl_run.h"
#include "engine/held_connection.h"
#include "transports/smtp_command.h"

struct cutthrough;
struct receiving;

/* True if the connection of a callout for the first recipient of the message at hand is to be kept: it was asked for, and its transport
 * does nothing that needs the message in the spool. */
bool cutthrough_may_begin(const struct engine *e, const struct acl_callout *o,
                          const struct address *to);
/* Takes a connection over which MAIL (of that sender, as in mail) and RCPT for the address were accepted. */
void cutthrough_begin(const struct engine *e, struct smtp_client *c,
                      const struct smtp_mail *mail, struct str sender, struct address *to);

/* The connection of the message at hand, if it goes where the address goes by that target; or NULL. */
struct smtp_client *cutthrough_client(const struct engine *e, const struct address *to,
                                      const struct smtp_target *target);
/* Another recipient was accepted over it. */
void cutthrough_add(const struct engine *e, struct address *to);
/* Ends the connection, if there is one: the message goes to the spool. m may be NULL. */
void cutthrough_drop(struct message *m);

/* The ACL of RCPT has accepted the address: makes the connection, or adds the recipient to it. *out becomes a refusal when the next hop has
 * refused. */
void cutthrough_recipient(struct engine *e, struct str address, struct acl_answer *out);
/* The recipient at hand was not accepted: if the next hop was told of it already, the connection is of no use. */
void cutthrough_not_accepted(const struct engine *e);

/* The connection for a message that is in the spool, apart, for who delivers it; **owns**: the caller the descriptor, texts are in a. False:
 * there is none for exactly its recipients, or it cannot travel. */
bool cutthrough_hand_over(struct engine *e, struct arena *a, struct str id,
                          struct held_connection *out);

/* Before the ACLs that see the whole message: what they do to its header lines does not count. */
void cutthrough_prepare(struct receiving *r);
/* Sends the message. False: the answer is the client's already, and in r->out; true: it goes to the spool. */
bool cutthrough_send(struct receiving *r);

#endif
