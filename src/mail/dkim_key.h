/* Key records (RFC 6376 section 3.6.1): the TXT record of selector._domainkey.domain. ARC has the same ones. */
#ifndef REMEX_MAIL_DKIM_KEY_H
#define REMEX_MAIL_DKIM_KEY_H

#include "base/str.h"
#include "mail/dkim_algorithm.h"

#include <stdint.h>

struct arena;

/* Longest record that is read (bytes), all strings of the record together. */
enum { DKIM_KEY_RECORD_MAX = 4096 };

enum dkim_key_end {
    DKIM_KEY_OK,
    DKIM_KEY_LONG,    /* longer than DKIM_KEY_RECORD_MAX */
    DKIM_KEY_OTHER,   /* begins as a record of something else (v=spf1): not to be counted */
    DKIM_KEY_BAD,     /* ill-formed, no p= or one that is not base 64, another version */
    DKIM_KEY_REVOKED, /* p= is empty */
};

struct dkim_key {
    struct str
        bytes; /* p=, decoded: DER of RSA (RFC 3447 or 5280), 32 bytes of Ed25519, or DER of these (RFC 8410) */
    struct str type_name; /* k= as written; "rsa" when not said */
    bool type_said;       /* there is a k= */
    bool type_known;
    enum dkim_key_type type;
    unsigned hashes;             /* of h=: bit 1 << enum dkim_hash; all bits when not said */
    struct str services;         /* s=; "*" when not said */
    struct str granularity;      /* g=, historic; "*" when not said */
    struct str notes;            /* n= */
    bool testing, no_subdomains; /* t=y, t=s */
};

/* Reads a record. Texts are parts of it, what is decoded is in a. out is filled in for OK and REVOKED. */
enum dkim_key_end dkim_key_read(struct arena *a, struct str record, struct dkim_key *out);

/* True if the record is for mail (s=). */
bool dkim_key_is_for_mail(const struct dkim_key *key);

/* The name to ask for, or unset when it would be no domain name: too long, or bytes that are not of one. */
struct str dkim_key_domain(struct arena *a, struct str selector, struct str domain);

#endif
