/* The addresses of the two ends of a connected TCP socket, as text. */
#ifndef REMEX_SYS_PEER_ADDRESS_H
#define REMEX_SYS_PEER_ADDRESS_H

#include "base/str.h"

struct peer_address {
    struct str
        text; /* IPv4 or IPv6 without brackets; an IPv4 address that came as IPv6 is IPv4 */
    int port;
};

/* False: no socket, not of TCP/IP, or not connected. */
bool peer_address_of(struct arena *a, int fd, struct peer_address *out);
bool peer_address_own(struct arena *a, int fd, struct peer_address *out);

#endif
