/* Retry rules: the retry section, and which rule is for whom. Source: specification, chapter "Retry
 * configuration". What a rule makes of a failure (the next time to try) is not here.
 */
#ifndef REMEX_ENGINE_RETRY_H
#define REMEX_ENGINE_RETRY_H

#include "base/vec.h"
#include "conf/conf.h"

struct eval;
struct vm;
struct buf;

enum retry_kind {
    RETRY_ANY, /* in a rule: *; as an error: nothing in particular */
    RETRY_AUTH_FAILED,
    RETRY_DATA_4XX,
    RETRY_MAIL_4XX,
    RETRY_RCPT_4XX,
    RETRY_LOST_CONNECTION,
    RETRY_LOOKUP,
    RETRY_REFUSED,
    RETRY_TIMEOUT,
    RETRY_TLS_REQUIRED,
    RETRY_QUOTA,
};

enum retry_host { RETRY_HOST_ANY, RETRY_HOST_A, RETRY_HOST_MX };

/* An error as a rule names it, or as it happened. */
struct retry_error {
    enum retry_kind kind;
    char digits[2];       /* 4xx: last two of the code, 'x' for any */
    enum retry_host host; /* refused, timeout: where the host came from */
    bool connect;         /* timeout: while connecting */
    int64_t unread_s;     /* quota: how long the mailbox was not read; 0: any or unknown */
};

struct retry_step {
    char letter;      /* F, G or H */
    int64_t cutoff_s; /* since the first failure */
    int64_t interval_s;
    int64_t factor; /* thousandths; G and H */
};

struct retry_rule {
    struct str pattern; /* one item of an address list, expanded at use */
    struct retry_error error;
    struct str senders; /* address list, expanded at use; STR_NULL: any */
    VEC(struct retry_step) steps;
    struct span where;
};

struct retry_rules {
    VEC(struct retry_rule) v;
};

enum { RETRY_RULES_MAX = 100000, RETRY_STEPS_MAX = 1000 };

/* What struct conf.retry is made by: a struct retry_rules. */
extern const struct section_parser retry_section;

/* Reads the name of an error ("refused_MX", "rcpt_45x"). False: *fault has Exim's words. */
bool retry_error_parse(struct arena *a, struct str name, struct retry_error *out,
                       struct str *fault);
/* The name as -brt shows it: "*" for those that are known by a code. */
void retry_error_add(struct buf *out, const struct retry_error *e);

struct retry_question {
    struct str key;    /* address or domain that failed */
    struct str second; /* another domain to try each rule with; STR_NULL: none */
    struct retry_error error;
    struct str sender; /* STR_NULL: unknown, rules with senders do not apply */
};

/* The first rule that fits, or NULL. A pattern that cannot be used is reported to warn (may be NULL), and the
 * rule is passed over. */
const struct retry_rule *retry_find(const struct retry_rules *rules, struct eval *e,
                                    struct vm *vm, const struct retry_question *q,
                                    void (*warn)(struct str text));
/* "Retry rule: *  *  F,1h,15m; " with a newline. */
void retry_rule_add(struct buf *out, const struct retry_rule *r);

#endif
