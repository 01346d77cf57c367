/* Client SMTP Authorization: what SRV records say about a host that calls itself by a name.
 *
 * Source: specification, section "Client SMTP authorization (CSA)", options dns_csa_*.
 */
#ifndef REMEX_CONF_CSA_FIND_H
#define REMEX_CONF_CSA_FIND_H

#include "conf/resolve.h"

enum csa_verdict {
    CSA_NONE,    /* no record */
    CSA_AGAIN,   /* the DNS could not say */
    CSA_YES,     /* Y: authorized, if its address is one of the target's */
    CSA_NO,      /* N: explicitly not authorized */
    CSA_MISSING, /* X: a parent domain wants every host to have a record */
    CSA_UNKNOWN, /* ?: no statement */
};

struct csa_found {
    struct str target;            /* host name in the record */
    struct resolve_answer answer; /* that has the record */
};

/* domain: a name, an address, or one in brackets. */
enum csa_verdict csa_find(struct eval *e, struct vm *vm, struct arena *a, struct str domain,
                          struct csa_found *out);
/* Y, N, X or ?; 0 for the others. */
char csa_letter(enum csa_verdict v);

#endif
