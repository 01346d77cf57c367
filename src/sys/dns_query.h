/* Single questions to the DNS through the system's stub resolver: A, AAAA and TXT records.
 *
 * Blocks as long as the resolver's own limits say. Names are absolute: no search list is used.
 */
#ifndef REMEX_SYS_DNS_QUERY_H
#define REMEX_SYS_DNS_QUERY_H

#include "base/str.h"
#include "base/vec.h"

enum dns_query_type { DNS_QUERY_A, DNS_QUERY_AAAA, DNS_QUERY_TXT };

enum dns_query_status {
    DNS_QUERY_FOUND,
    DNS_QUERY_NONE,  /* no such name, or no record of that type */
    DNS_QUERY_AGAIN, /* no answer, or a server that failed */
    DNS_QUERY_BAD,   /* the name cannot be asked for */
};

enum { DNS_QUERY_MAX = 64 }; /* records beyond that are dropped */

/* Texts of records in order: addresses in the usual form, the strings of a TXT record joined. Tainted. */
struct dns_query_answer {
    VEC(struct str) records;
};

enum dns_query_status dns_query(struct arena *a, enum dns_query_type type, struct str name,
                                struct dns_query_answer *out);

#endif
