/* From a list of hosts to addresses that a remote transport can call: what the routers have in common that find hosts.
 *
 * ignore_target_hosts, hosts_treat_as_local and the self option are applied here. Source: specification, sections
 * "How the list of hosts is used", "Recognizing the local host", option self.
 */
#ifndef REMEX_ROUTERS_ROUTE_HOSTS_H
#define REMEX_ROUTERS_ROUTE_HOSTS_H

#include "conf/mx_find.h"
#include "routers/host_items.h"
#include "routers/router.h"

struct route_hosts {
    const struct route_call *call;
    struct host_items items;
    unsigned how; /* enum route_find, HOST_FIND_* */
    /* What to do when a host is not found, and when none is left: decline, defer, fail, freeze, pass, ignore. */
    struct str find_failed, all_ignored;
};

/* Fills in out->hosts and out->outcome: OUT_OK with at least one host, else what is to become of the address. */
void route_hosts_find(const struct route_hosts *q, struct route_result *out);

enum route_hosts_local { ROUTE_HOSTS_ADDRESS_LOCAL, ROUTE_HOSTS_MX_LOCAL };
/* The best host is this one: what the self option makes of that. True: send to it all the same. */
bool route_hosts_self(const struct route_call *c, enum route_hosts_local kind,
                      struct str host_name, struct route_result *out);
/* Takes out the addresses that ignore_target_hosts has. OUT_OK, or OUT_DEFER with out->why. */
enum outcome route_hosts_ignore(const struct route_call *c, struct host_targets *hosts,
                                struct route_result *out);
/* True if one of the hosts is this one, by name or address. */
bool route_hosts_are_local(const struct route_call *c, const struct host_targets *hosts);

/* Takes out this host and those that are no better, when hosts come from MX records. */
void route_hosts_cut_local(const struct route_call *c, struct host_targets *found);
/* True if the domain is in the list of an option. One that cannot be used has no members. */
bool route_hosts_in_domains(const struct route_call *c, const struct xstr *option,
                            const char *name, struct str domain);

/* Bits of HOST_FIND_* that dnssec_request_domains and dnssec_require_domains mean for a domain. */
unsigned route_hosts_secure(const struct route_call *c, struct str domain);
/* The text for what is wrong with the records of a domain; STR_NULL when nothing is. */
struct str route_hosts_fault(enum mx_fault fault);

/* out->outcome and out->why.log. */
void route_hosts_say(const struct route_call *c, struct route_result *out, enum outcome o,
                     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
