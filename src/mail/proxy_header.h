/* The header of the PROXY protocol, versions 1 and 2: who is at the other end of a proxied connection.
 *
 * Bytes in, addresses out. Source: "The PROXY protocol, versions 1 & 2" (haproxy.org), sections 2.1 and 2.2.
 */
#ifndef REMEX_MAIL_PROXY_HEADER_H
#define REMEX_MAIL_PROXY_HEADER_H

#include "mail/ip.h"

enum {
    PROXY_V1_MAX = 107,  /* bytes of a line with its CRLF */
    PROXY_V2_MAX = 1024, /* bytes in all; what follows the addresses is passed over */
};

enum proxy_status {
    PROXY_DONE,
    PROXY_MORE, /* a good start, but not all of it */
    PROXY_BAD,
};

struct proxy_header {
    size_t n; /* bytes that belong to it */
    bool
        proxied; /* false: the connection is the proxy's own (LOCAL), or the ends are not known (UNKNOWN) */
    struct ip from, to;
    int from_port, to_port;
};

enum proxy_status proxy_header_parse(struct str in, struct proxy_header *out);

#endif
