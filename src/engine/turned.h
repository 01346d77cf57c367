/* Mail over a connection that its client has turned round (ATRN, RFC 2645), in the process that delivers.
 *
 * What the smtp process has taken in travels as a held connection whose id begins with TURNED_MARK: descriptor, address and port of the
 * client, the facts of its TLS (which stays in the smtp process: the descriptor is one end of a relay then), and the domains. The run
 * that follows delivers, one message after the other, what waits for those domains; whatever router and transport say leads there goes over
 * that connection, and nothing else does. When it breaks, the rest waits for the next time. Recipients of other domains wait in any case.
 */
#ifndef REMEX_ENGINE_TURNED_H
#define REMEX_ENGINE_TURNED_H

#include "engine/held_connection.h"

#define TURNED_MARK                                                                            \
    "\001atrn-" /* no argument of ETRN that an ACL lets through has a control character */

struct turned;

/* What the smtp process knows, as texts in a. domains: separated by commas, in lower case. False: too much, or not to be told. */
bool turned_pack(struct arena *a, const struct session *s, struct str id, struct str domains,
                 int fd, struct held_connection *out);
/* As many of the domains, from the first on, as go into one text; the others have their turn when these have nothing any more. */
struct str turned_domains_that_travel(struct str domains);
/* The text of -R for those domains: "@(a.example|b.example)". */
struct str turned_pattern(struct arena *a, struct str domains);
/* True if the domain is one of them. */
bool turned_has_domain(struct str domains, struct str domain);

/* Makes the run for what the engine holds, which is freed. False: it is none of these. */
bool turned_run(struct engine *e);

/* For a delivery of that run: true if the target is the client. False also when no such run is under way. */
bool turned_leads_to(const struct engine *e, const struct smtp_target *target);
/* The connection, on which the client has been greeted; NULL: *end. */
struct smtp_client *turned_client(struct engine *e, const struct transport_job *job,
                                  const struct smtp_target *target, struct smtp_end *end);
/* True if it is this one, and may go on: nobody closes it. */
bool turned_keeps(const struct engine *e, const struct smtp_client *c);
/* It is closed by the caller, if it is this one. */
void turned_forget(struct engine *e, const struct smtp_client *c);
/* In a child that has nothing to do with the run. */
void turned_abandon(struct engine *e);
/* A run is under way, and this domain is none of its own. */
bool turned_excludes(const struct engine *e, struct str domain);

#endif
