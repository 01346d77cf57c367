/* Host names and addresses as the system's own resolver knows them (hosts file, name service switch).
 *
 * Blocks for as long as the system does: for tools and tests, and for a process that has no resolver of
 * its own.
 */
#ifndef REMEX_SYS_HOSTS_H
#define REMEX_SYS_HOSTS_H

#include "mail/ip.h"

#include <stddef.h>

enum hosts_status {
    HOSTS_OK,
    HOSTS_NONE,  /* no such name, or none for that address */
    HOSTS_AGAIN, /* a temporary failure */
};

enum { HOSTS_MAX = 256 }; /* answers beyond that are dropped */

struct hosts_addresses {
    const struct ip *v;
    size_t n;
    struct str name; /* the host's own, when it was found by an alias; tainted */
};

struct hosts_names {
    const struct str *v; /* tainted: whoever has the address chose them */
    size_t n;
};

/* Addresses of a name, IPv6 and IPv4, in the order in which they are found. */
enum hosts_status hosts_find_addresses(struct arena *a, struct str name,
                                       struct hosts_addresses *out);
/* Name and aliases of an address, unverified. */
enum hosts_status hosts_find_names(struct arena *a, const struct ip *ip,
                                   struct hosts_names *out);

#endif
