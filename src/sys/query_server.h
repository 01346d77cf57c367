/* One query to a server, one answer: a UDP packet each way, or what comes first over a TCP connection. */
#ifndef REMEX_SYS_QUERY_SERVER_H
#define REMEX_SYS_QUERY_SERVER_H

#include "mail/ip.h"

enum query_server_protocol { QUERY_SERVER_UDP, QUERY_SERVER_TCP };

struct query_server {
    enum query_server_protocol protocol;
    struct ip ip;
    int64_t port; /* 1 to 65535 */
    struct str query;
    int timeout_ms; /* of each step */
};

enum { QUERY_SERVER_ANSWER_MAX = 256 }; /* bytes; what is beyond is cut off */

/* True with the answer (tainted, in a); false with errno. */
bool query_server_ask(struct arena *a, const struct query_server *q, struct str *answer);

#endif
