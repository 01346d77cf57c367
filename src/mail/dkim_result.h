/* What became of the signatures of a message: results, and what the $dkim_ variables show of them. */
#ifndef REMEX_MAIL_DKIM_RESULT_H
#define REMEX_MAIL_DKIM_RESULT_H

#include "base/vec.h"
#include "mail/dkim_key.h"
#include "mail/dkim_signature.h"

enum dkim_status { DKIM_NONE, DKIM_INVALID, DKIM_FAIL, DKIM_PASS };

enum dkim_reason {
#define DKIM_REASON(id, name, log, comment) DKIM_REASON_##id,
#include "mail/dkim_reason.def"
#undef DKIM_REASON
    DKIM_REASONS
};

/* "none", "invalid", "fail", "pass"; and the other way. */
struct str dkim_status_name(enum dkim_status status);
bool dkim_status_find(struct str name, enum dkim_status *out);
/* The three texts of dkim_reason.def. */
struct str dkim_reason_name(enum dkim_reason reason);
struct str dkim_reason_log(enum dkim_reason reason);
struct str dkim_reason_comment(enum dkim_reason reason);

struct dkim_result {
    struct dkim_signature signature;
    enum dkim_status status; /* as it was found; an ACL may say otherwise: */
    enum dkim_reason reason;
    struct str set_status, set_reason; /* `set` of the ACL of DKIM; unset: it said nothing */
    bool key_known;
    struct dkim_key key;
    unsigned key_bits; /* 0: it was not looked at */
};

/* Of a message; lives in its arena. Also stands for a signature that is being made: then there is a domain and a selector, and
 * nothing else. */
struct dkim_results {
    VEC(struct dkim_result) all; /* in the order of processing */
    bool disabled;               /* too many, or a line too long: as if there were none */
    struct str signers;          /* $dkim_signers */
    struct str passed;           /* domain of the first good one, for the log; unset: none */
    struct str passed_signers;   /* of all good ones: a list */
    /* What variables show: of the signature in the run of the ACL, or of the last one. */
    struct dkim_result *current; /* NULL: none */
    struct str cur_signer, domain, selector;
    struct str status, reason; /* after the runs, status is the list of all */
    unsigned key_bits;
};

/* Of a result, with what an ACL made of it. */
struct str dkim_result_status(const struct dkim_result *r);
struct str dkim_result_reason(const struct dkim_result *r);

struct buf;
/* Adds what Authentication-Results: says of them (RFC 8601), each on a line of its own: ";\n\tdkim=pass header.d=…". */
void dkim_results_describe(struct buf *b, const struct dkim_results *r);

#endif
