/* Ends of TCP and UDP: an address and a port as the system's socket calls take and give them. */
#ifndef REMEX_SYS_SOCKET_ADDRESS_H
#define REMEX_SYS_SOCKET_ADDRESS_H

#include "mail/ip.h"

#include <netinet/in.h>
#include <sys/socket.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* From an address of 4 or 16 bytes and a port, 0 to 65535. Returns the length to give along with &out->any. */
socklen_t socket_address_make(const struct ip *ip, int64_t port, union socket_address *out);

/* IPv4 and IPv6 (an IPv4-mapped address stays one). False: of another kind; *ip and *port are unchanged. */
bool socket_address_read(const union socket_address *from, struct ip *ip, int64_t *port);

#endif
