/* Addresses of hosts, and hosts of addresses, under the main options that concern them (disable_ipv6, dns_ipv4_lookup,
 * dns_again_means_nonexist, host_lookup_order).
 *
 * Source: specification, "DNS lookups of host names" in the chapters of dnslookup and manualroute; host_lookup_order.
 */
#ifndef REMEX_CONF_HOST_FIND_H
#define REMEX_CONF_HOST_FIND_H

#include "conf/model.h"
#include "conf/resolve.h"

enum {
    HOST_FIND_IPV4_ONLY = 1u << 0,
    HOST_FIND_IPV4_PREFER = 1u << 1, /* IPv4 addresses first; else they come last */
    HOST_FIND_QUALIFY_SINGLE = 1u << 2,
    HOST_FIND_SEARCH_PARENTS = 1u << 3,
    HOST_FIND_SECURE_ASK = 1u << 4,  /* dnssec_request_domains */
    HOST_FIND_SECURE_NEED = 1u << 5, /* dnssec_require_domains */
    HOST_FIND_ALL = (1u << 6) - 1,
};

enum host_found {
    HOST_FOUND,
    HOST_NONE,
    HOST_AGAIN,
    HOST_INSECURE, /* found, but it had to be secure */
};

enum { HOST_FIND_MAX = 4096 }; /* addresses of one host; what is beyond is dropped */

/* A question for the addresses of host.name. What is found are copies of host, each with an address, added to out; those of one kind
 * come in random order. */
struct host_find {
    struct eval *eval;
    struct vm *vm;
    struct arena *arena; /* of the results */
    struct host_target host;
    unsigned how;
    struct host_targets *out;
    struct str full_name; /* afterwards: the name as the resolver completed it */
};

enum host_found host_find_by_dns(struct host_find *q);
/* By what the system knows: hosts file, name service switch. */
enum host_found host_find_by_name(struct host_find *q);
/* The DNS, and when it knows no such host, the system. */
enum host_found host_find_any(struct host_find *q);

struct host_names {
    VEC(struct str) v; /* tainted: whoever has the address chose them */
    bool secure;
};

/* The names of an address, by host_lookup_order, in scratch of the vm; they are not verified. */
enum host_found host_find_names(struct eval *e, struct vm *vm, const struct ip *ip,
                                struct host_names *out);

/* The name at the head of the CNAME records that lead to the host, or its own: the one that a certificate must have. Source:
 * specification, "Configuring an Exim client to use TLS". */
struct str host_find_head(const struct host_target *host);

/* The name under which an address stands in the DNS: 4.3.2.1.in-addr.arpa. */
struct str host_find_reverse(struct arena *a, const struct ip *ip);

#endif
