/* DMARC: the record that a domain publishes, and what it means for a message. Text in, verdict out; no I/O.
 *
 * Source: RFC 7489; the specification's section "DMARC" for the words of results.
 */
#ifndef REMEX_MAIL_DMARC_H
#define REMEX_MAIL_DMARC_H

#include "base/str.h"

struct arena;

enum {
    DMARC_RECORD_MAX = 8192, /* bytes; a longer record is none */
    DMARC_ADDRESSES_MAX = 8, /* of rua and of ruf; what is beyond is dropped */
};

/* The order is that of strictness. */
enum dmarc_policy { DMARC_UNSAID, DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };

/* fo: when a failure report is wanted. */
enum {
    DMARC_REPORT_ALL = 1u << 0, /* 0: nothing gives an aligned pass (the default) */
    DMARC_REPORT_ANY = 1u << 1, /* 1: something does not */
    DMARC_REPORT_DKIM = 1u << 2,
    DMARC_REPORT_SPF = 1u << 3,
};

struct dmarc_addresses {
    struct str v[DMARC_ADDRESSES_MAX]; /* URIs as they were given: "mailto:a@b.example!5m" */
    size_t n;
};

struct dmarc_record {
    enum dmarc_policy policy;     /* p */
    enum dmarc_policy subdomains; /* sp; DMARC_UNSAID: as p */
    bool strict_dkim, strict_spf; /* adkim, aspf */
    unsigned percent;             /* pct: of how many messages the policy is meant */
    unsigned report;              /* fo: DMARC_REPORT_* */
    struct dmarc_addresses rua, ruf;
};

/* True if the text says that it is a record of that kind: it begins with "v=DMARC1" as a whole tag. */
bool dmarc_is_record(struct str text);
/* Reads a record. What is not understood is as if it were not there; a record without a policy that has somebody to report to says
 * "none". False: there is nothing in it to go by. Texts point into the record. */
bool dmarc_record_parse(struct str text, struct dmarc_record *out);

/* The address of a URI that is `mailto:`, in a, percent escapes resolved and the size limit taken off. False: it is another one, or
 * no address with a domain. */
bool dmarc_mailto(struct arena *a, struct str uri, struct str *address);

/* "none", "quarantine", "reject"; empty for DMARC_UNSAID. */
struct str dmarc_policy_name(enum dmarc_policy p);

/* Aligned: the same domain, or, unless strict, of the same organisation. Organisational domains are the caller's. */
bool dmarc_is_aligned(bool strict, struct str from, struct str from_organisation,
                      struct str other, struct str other_organisation);

enum dmarc_verdict {
    DMARC_NOT_CHECKED, /* nobody asked */
    DMARC_OFF,
    DMARC_NO_FROM,
    DMARC_TEMPERROR,
    DMARC_NO_RECORD,
    DMARC_PASS,
    DMARC_FAIL_NONE, /* not aligned, and nothing is to be done about it */
    DMARC_FAIL_QUARANTINE,
    DMARC_FAIL_REJECT,
};

/* The policy for the author's domain: sp when the record is that of the organisation above it. */
enum dmarc_policy dmarc_policy_for(const struct dmarc_record *r, bool subdomain);
/* What the policy asks for a message that is not aligned; lot: 0 to 99, drawn for the message. Messages that pct spares get
 * the next milder treatment. */
enum dmarc_verdict dmarc_fail(enum dmarc_policy p, unsigned percent, unsigned lot);

/* What a check of a message came to. Texts are tainted. */
struct dmarc_check {
    enum dmarc_verdict verdict;
    struct str from;   /* the author's domain, in A-labels and lower case; unset: not known */
    struct str domain; /* that has the record; unset: none has */
    enum dmarc_policy policy; /* that it publishes for the author's domain */
    bool aligned_spf, aligned_dkim;
    struct dmarc_record record;
};

/* $dmarc_status, $dmarc_status_text, and the result in Authentication-Results: (unset: not mentioned). */
struct str dmarc_verdict_status(enum dmarc_verdict v);
struct str dmarc_verdict_text(enum dmarc_verdict v);
struct str dmarc_verdict_result(enum dmarc_verdict v);

#endif
