/* The addresses of this host's network interfaces. */
#ifndef REMEX_SYS_IFACE_H
#define REMEX_SYS_IFACE_H

#include "mail/ip.h"

#include <stddef.h>

enum { IFACE_MAX = 4096 }; /* more addresses than that are ignored */

struct iface_addresses {
    const struct ip *v;
    size_t n;
};

/* IPv4 and IPv6 addresses of the interfaces that are up, each once, in the order of the system. False with
 * errno when the system cannot say. */
bool iface_list(struct arena *a, struct iface_addresses *out);

#endif
