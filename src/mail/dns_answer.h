/* Answers of the DNS: the bytes of a message in, records out. No I/O.
 *
 * Names may be compressed: a pointer must lead to a place before it, so that no chain of them can go round. Names are written as
 * text with the usual escapes (a dot or backslash inside a label as \. and \\, control characters as \DDD; bytes from 128 on stay),
 * without a final dot; the root is the empty text. Everything read from a message is tainted.
 * Source: RFC 1035, sections 3 and 4; RFC 2782 (SRV), RFC 3596 (AAAA), RFC 4035, section 3.2.3 (AD), RFC 6698 (TLSA).
 */
#ifndef REMEX_MAIL_DNS_ANSWER_H
#define REMEX_MAIL_DNS_ANSWER_H

#include "base/vec.h"
#include "mail/ip.h"

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_TLSA = 52,
    DNS_SPF = 99,
};

/* RCODE. Values that have no name here are possible. */
enum dns_rcode {
    DNS_RCODE_OK = 0,
    DNS_RCODE_FORMAT = 1,
    DNS_RCODE_SERVER = 2,
    DNS_RCODE_NO_NAME = 3
};

enum {
    DNS_MESSAGE_MAX = 65535, /* bytes; a longer one is refused */
    DNS_NAME_MAX = 255,      /* bytes of a name on the wire, with all its length bytes */
    DNS_RECORDS_MAX = 4096,  /* kept of a section; what is beyond is dropped */
};

/* Numbers of a record: those of MX are {preference}, SRV {priority, weight, port}, SOA {serial, refresh, retry, expire, minimum}, TLSA
 * {usage, selector, matching type}. */
struct dns_record {
    struct str owner;
    unsigned type;
    uint32_t ttl_s;
    struct str name; /* that it points to: CNAME, NS, PTR, MX, SRV, SOA (the primary server) */
    struct str mailbox; /* SOA */
    struct str bytes;   /* TXT, SPF: strings, see dns_answer_next_text; TLSA: the association */
    struct ip ip;       /* A, AAAA */
    uint32_t number[5];
};

struct dns_answer {
    unsigned rcode;
    bool authoritative, truncated, authenticated; /* AA, TC, AD */
    VEC(struct dns_record) answers, authority;
};

/* Reads a message. Records of other types and classes, and those whose content is not what their type has, are left out.
 * False: it is not an answer, or its frame is broken (a name or a record that goes beyond its end, a pointer that does not lead back). */
bool dns_answer_read(struct arena *a, struct str wire, struct dns_answer *out);

/* The next of the strings of a TXT record; rest is its bytes at the start. */
bool dns_answer_next_text(struct str *rest, struct str *text);
/* All of them, one behind the other, in a. */
struct str dns_answer_join_texts(struct arena *a, struct str bytes);

#endif
