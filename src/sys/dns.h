/* Questions to the DNS through the system's stub resolver, with answers remembered for as long as they are good.
 *
 * Which servers are asked, how often, what a short name is completed with and whether an AD bit may be believed
 * (trust-ad) is what resolv.conf says; it is read again when it changes. An answer that was cut is asked for again over TCP. What
 * comes back is read by mail/dns_answer.c.
 * Source: RFC 1035; RFC 2308 (negative answers); RFC 6891 (EDNS); the resolver of the C library for the order of completions.
 */
#ifndef REMEX_SYS_DNS_H
#define REMEX_SYS_DNS_H

#include "mail/dns_answer.h"

#include <netinet/in.h>

struct dns;

enum {
    DNS_QUALIFY_SINGLE =
        1u << 0, /* a name without a dot is completed with the default domain */
    DNS_SEARCH_PARENTS = 1u << 1, /* names are tried in the domains of the search list */
    DNS_SECURE = 1u << 2,         /* asks for DNSSEC */
    DNS_NO_EDNS = 1u << 3,        /* never uses EDNS, and so no DNSSEC */
    DNS_USE_EDNS = 1u << 4,       /* uses EDNS in any case */
};

struct dns_question {
    struct str name; /* without a final dot; escapes as in answers */
    enum dns_type type;
    unsigned flags;
    int64_t retrans_s, retry; /* 0: as the system has it */
};

enum dns_status {
    DNS_FOUND,   /* there is an answer; it may be no more than a CNAME record */
    DNS_NO_DATA, /* the name is there, with other records */
    DNS_NO_NAME, /* there is no such name */
    DNS_AGAIN,   /* no answer in time, or a server that failed */
    DNS_FAILED,  /* a server refused for good */
};

enum {
    DNS_TTL_MAX_S = 24 * 60 * 60,         /* an answer is kept no longer than that */
    DNS_NEGATIVE_TTL_MAX_S = 3 * 60 * 60, /* RFC 2308, section 5 */
    DNS_FAILURE_TTL_S = 30,               /* RFC 2308, section 7: at most five minutes */
    DNS_RETRANS_MAX_S = 3600,
    DNS_RETRY_MAX = 100,
};

struct dns_reply {
    struct dns_answer answer; /* also of DNS_NO_DATA and DNS_NO_NAME: the authority section */
    struct str name;          /* the name that was asked for in the end */
    int64_t ttl_s;            /* how long it is good from now on */
};

/* NULL: no memory. server: asked in place of the system's ones (tests), or NULL. **Owns** the cache. */
struct dns *dns_new(const struct sockaddr_in *server);
void dns_free(struct dns *d);

/* Waits as long as the resolver's limits let it. d may be NULL: nothing is remembered. The reply is in a.
 * **Thread**: any number at the same time. */
enum dns_status dns_ask(struct dns *d, struct arena *a, const struct dns_question *q,
                        struct dns_reply *out);

#endif
