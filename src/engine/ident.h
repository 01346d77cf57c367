/* Ident queries (RFC 1413): whom the client's machine names as the owner of the connection.
 *
 * What it says is a stranger's word: one word of printing characters is taken, for logs and Received: lines. Source: specification,
 * options rfc1413_hosts, rfc1413_query_timeout, log selector ident_timeout.
 */
#ifndef REMEX_ENGINE_IDENT_H
#define REMEX_ENGINE_IDENT_H

#include "engine/engine.h"

struct session;

enum {
    IDENT_LINE_MAX = 1000, /* of an answer, without its end (RFC 1413, section 6) */
    IDENT_USER_MAX = 127,
};

/* Reads "6193, 23 : USERID : UNIX : joe". False: no answer to a query for these ports, or none that names somebody. The user is a
 * part of the line, tainted. */
bool ident_read(struct str line, int64_t client_port, int64_t own_port, struct str *user);
/* Asks the session's host; sets sender_ident when there is an answer. Takes up to rfc1413_query_timeout. */
void ident_ask(struct engine *e, struct session *s);

#endif
