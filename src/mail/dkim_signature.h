/* Signatures in header lines: DKIM-Signature (RFC 6376 section 3.5), and of ARC (RFC 8617 section 4.1) ARC-Message-Signature
 * and ARC-Seal, which have the same tags but for i=.
 *
 * A signature is read as it is and then checked for what its kind needs, so that one that is not good enough can still be
 * named in a log. Texts are parts of the line; what is decoded is in the arena.
 */
#ifndef REMEX_MAIL_DKIM_SIGNATURE_H
#define REMEX_MAIL_DKIM_SIGNATURE_H

#include "base/str.h"
#include "mail/dkim_algorithm.h"

#include <stdint.h>

struct arena;

/* Longest line that is read as a signature (bytes), and longest signature and hash in it (decoded). */
enum { DKIM_LINE_MAX = 65536, DKIM_SIGNATURE_MAX = 2048 };

/* Bits of `has`. */
enum dkim_tag {
    DKIM_TAG_VERSION = 1u << 0,     /* v= */
    DKIM_TAG_ALGORITHM = 1u << 1,   /* a= */
    DKIM_TAG_SIGNATURE = 1u << 2,   /* b=, not empty */
    DKIM_TAG_BODY_HASH = 1u << 3,   /* bh=, not empty */
    DKIM_TAG_CANON = 1u << 4,       /* c= */
    DKIM_TAG_DOMAIN = 1u << 5,      /* d=, not empty */
    DKIM_TAG_HEADERS = 1u << 6,     /* h=, not empty */
    DKIM_TAG_IDENTITY = 1u << 7,    /* i= */
    DKIM_TAG_BODY_LENGTH = 1u << 8, /* l= */
    DKIM_TAG_QUERY = 1u << 9,       /* q= */
    DKIM_TAG_SELECTOR = 1u << 10,   /* s=, not empty */
    DKIM_TAG_CREATED = 1u << 11,    /* t= */
    DKIM_TAG_EXPIRES = 1u << 12,    /* x= */
    DKIM_TAG_COPIED = 1u << 13,     /* z= */
    DKIM_TAG_CHAIN = 1u << 14,      /* cv= of ARC */
};

struct dkim_signature {
    unsigned has;
    unsigned bad; /* tags with a value that cannot be read; those are not in `has` */
    bool
        ill_formed; /* the list is not of the grammar, or a tag occurs twice: the first one was read */
    struct str line;          /* the whole header line */
    uint32_t b_from, b_until; /* of the line: the value of b=, for dkim_canon_signature */
    struct str version, algorithm, domain, headers, identity, query, selector, copied, chain;
    bool algorithm_known;
    enum dkim_key_type key_type;
    enum dkim_hash hash;
    enum dkim_canon canon_headers, canon_body;
    struct str signature, body_hash; /* decoded */
    int64_t body_length;             /* -1: the whole body */
    int64_t created, expires;        /* seconds since the epoch; -1: not said */
};

/* Reads a header line "Name: tags\n". False: no colon, or longer than DKIM_LINE_MAX. */
bool dkim_signature_read(struct arena *a, struct str line, struct dkim_signature *out);

enum dkim_kind { DKIM_SIGNATURE, ARC_MESSAGE_SIGNATURE, ARC_SEAL };

enum dkim_fault {
    DKIM_FAULT_NONE,
    DKIM_FAULT_TAGS,      /* one is missing, or has a value that is none; not bh=: see there */
    DKIM_FAULT_VERSION,   /* not v=1 */
    DKIM_FAULT_ALGORITHM, /* unknown */
    DKIM_FAULT_QUERY,     /* q= without dns/txt (or dns, as it was once written) */
    DKIM_FAULT_IDENTITY,  /* the domain of i= is not d= or below it */
};

/* What its kind needs (section 6.1.1), but for what the specification leaves to the configuration: From among the signed fields,
 * and times. Without a bh= that can be read, the hash of the body is none that could fit. */
enum dkim_fault dkim_signature_check(const struct dkim_signature *s, enum dkim_kind kind);

#endif
