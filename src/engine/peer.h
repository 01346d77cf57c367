/* Who the peer of a session is, as variables, log lines and Received: headers show it. Source: specification,
 * $sender_fullhost, $sender_rcvhost, "Log files".
 */
#ifndef REMEX_ENGINE_PEER_H
#define REMEX_ENGINE_PEER_H

#include "conf/model.h"
#include "engine/engine.h"

/* Sets sender_fullhost and sender_rcvhost from what is known of the host: address, verified name, HELO name, ident. Called
 * whenever one of these changes. Without a remote host both are unset. */
void peer_set_names(const struct engine *e, struct session *s);
/* The peer in a log line. fields: "H=name [address] U=ident"; else "name [address]", or the login of who submits here. */
struct str peer_text(struct arena *a, const struct engine *e, bool fields);
/* "SMTP connection Ci=1 from name [address] I=[address]:25": how lines about a connection begin. who: instead of the host. */
struct str peer_connection_text(struct arena *a, const struct engine *e, struct str who);

#endif
