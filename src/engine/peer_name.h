/* The host name of a peer: looked up from its address, and believed only when it leads back there. Source: specification,
 * host_lookup, "verify = reverse_host_lookup".
 */
#ifndef REMEX_ENGINE_PEER_NAME_H
#define REMEX_ENGINE_PEER_NAME_H

#include "base/outcome.h"
#include "conf/model.h"
#include "engine/engine.h"

/* Sets sender_host_name, or host_lookup_failed and host_lookup_deferred; asks once a session. OUT_OK, OUT_FAIL,
 * OUT_DEFER. A failure is logged by selector. */
enum outcome peer_name_find(struct engine *e, struct session *s);
/* Whether a name has an address. OUT_OK, OUT_FAIL, OUT_DEFER. *secure: the answer was authenticated. */
enum outcome peer_name_leads_to(struct engine *e, struct str name, struct str address,
                                bool *secure);

#endif
