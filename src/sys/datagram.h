/* Sends single packets by UDP, to whoever listens. */
#ifndef REMEX_SYS_DATAGRAM_H
#define REMEX_SYS_DATAGRAM_H

#include "mail/ip.h"

/* Sends text as one packet to a port, 1 to 65535, of an address; nothing is waited for, and nobody may be listening.
 * Returns 0, or an errno: EMSGSIZE for what no packet holds. */
int datagram_send(const struct ip *to, int64_t port, struct str text);

#endif
