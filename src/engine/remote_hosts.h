/* The hosts of a remote delivery: from the router or the transport's own list, in the order in which they are tried, their addresses,
 * the port and our own address for each. Source: specification, chapter "The smtp transport". */
#ifndef REMEX_ENGINE_REMOTE_HOSTS_H
#define REMEX_ENGINE_REMOTE_HOSTS_H

#include "engine/delivery.h"
#include "transports/smtp_client.h"

struct remote_hosts {
    VEC(struct host_target) v;
    bool own; /* of the transport or its fallback list: a local host among them is a mistake */
};

enum { REMOTE_HOSTS_MAX = 1000 }; /* addresses of one delivery; what is beyond is dropped */

/* For one address and its like: eval->address is the view of them. False: *why. */
bool remote_hosts_choose(struct delivery *d, const struct driver_instance *transport,
                         const struct address *a, bool fallback, struct remote_hosts *out,
                         struct why *why);

/* Puts the addresses of entry i, which has none yet, in its place. OUT_OK, OUT_FAIL (there is no such host), OUT_DEFER. */
enum outcome remote_hosts_find(struct delivery *d, const struct driver_instance *transport,
                               struct remote_hosts *hosts, size_t i);

/* Port, our address and traffic class for a host; eval->address shows it. False: *why. */
bool remote_hosts_target(struct delivery *d, const struct driver_instance *transport,
                         const struct host_target *host, struct smtp_target *out,
                         struct why *why);

/* The list that an address falls back to: its own or the transport's. Empty: none. */
struct host_targets remote_hosts_fallback(struct delivery *d, const struct address *a);

#endif
