/* The hosts of a mail domain: its SRV records, its MX records, or its own addresses.
 *
 * Source: specification, chapter "The dnslookup router"; RFC 5321, section 5.1; RFC 7505 (null MX); RFC 2782.
 */
#ifndef REMEX_CONF_MX_FIND_H
#define REMEX_CONF_MX_FIND_H

#include "conf/host_find.h"

struct mx_find {
    struct eval *eval;
    struct vm *vm;
    struct arena *arena; /* of the results */
    struct str domain;
    int64_t port; /* of all hosts; 0: none */
    struct str
        srv; /* service whose SRV records come before the MX records; several with colons between; or unset */
    unsigned how; /* HOST_FIND_*; completions are for the domain alone */
    bool
        mx_only; /* without MX and SRV records there are no hosts, whatever addresses the domain has */
    bool mx_fail, srv_fail; /* an error of the DNS counts as "there is none" */
};

enum mx_fault {
    MX_FAULT_NONE,
    MX_FAULT_NO_SERVICE, /* a record says that there is no mail */
    MX_FAULT_NO_HOST,    /* no host of the records has an address */
    MX_FAULT_ADDRESS,    /* the same, and a record has an address in place of a name */
    MX_FAULT_SYNTAX,     /* the domain is no name that the DNS has */
    MX_FAULT_INSECURE,   /* with HOST_AGAIN: an answer was not secure */
};

struct mx_found {
    struct host_targets hosts; /* with addresses; the best first, equal ones in random order */
    struct str full_name;      /* the domain as the resolver completed it */
    enum mx_fault fault;
    /* The preference of the best host whose addresses could not be found for now; -1: none. */
    int64_t waiting;
};

/* HOST_FOUND: there is a host; HOST_NONE: none, or no such domain; HOST_AGAIN. */
enum host_found mx_find(const struct mx_find *q, struct mx_found *out);

#endif
