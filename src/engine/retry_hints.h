/* What is remembered of failures: when a domain, address or host may be tried again, and when to give it up.
 *
 * Records live in the hints store ("retry"), keyed "R:domain" or "R:address" for routing, "T:address" for local and
 * "T:host:ip…" for remote deliveries. They are hints: losing them costs a try. What an attempt finds out is
 * collected and written when it is over. Source: specification, chapter "Retry configuration".
 */
#ifndef REMEX_ENGINE_RETRY_HINTS_H
#define REMEX_ENGINE_RETRY_HINTS_H

#include "engine/delivery.h"

struct hints;
struct retry_rule;
struct retry_step;

/* A record of the store, as the tools read it too. */
struct retry_record {
    int64_t first_failed, last_try, next_try; /* seconds since 1970 */
    int64_t number;                           /* errno or enum delivery_errno */
    int64_t detail;
    bool expired; /* the cutoff time of its rule is over */
    struct str text;
};
enum { RETRY_RECORD_VERSION = 1 };
/* False: not a record of that version. The text points into value. */
bool retry_record_read(struct str value, struct retry_record *out);
/* The bytes of a record, in a; a text that is too long is cut. */
struct str retry_record_make(struct arena *a, const struct retry_record *r);
/* The store of the engine's spool, opened when it is first needed. Never NULL. */
struct hints *retry_store(struct engine *e);
/* The interval that a step gives after one of `previous` seconds, at most max. */
int64_t retry_interval(const struct retry_step *s, int64_t previous, int64_t max);
/* The interval before this failure: as it was meant or, when a forced delivery came before its time, as it was, so that being looked after
 * makes nobody wait longer. */
int64_t retry_interval_before(const struct retry_record *r, int64_t now_s);
/* The step of a rule that applies after so many seconds of failure, the last second of a cutoff time included; NULL: it has none. *expired
 * when all are over. */
const struct retry_step *retry_step_at(const struct retry_rule *r, int64_t failing_s,
                                       bool *expired);

/* What is behind the errno of a host: where it came from, and whether it was reached at all. */
enum retry_detail {
    RETRY_DETAIL_A = 'A',
    RETRY_DETAIL_MX = 'M',
    RETRY_DETAIL_CONNECT = 0x100,
};
/* The same of a reply 4yz: its last two digits are above where the host came from. */
int64_t retry_detail_of_reply(int code, bool from_mx);

/* A failure that counts. */
struct retry_failure {
    struct str key; /* of the record */
    struct str subject,
        second; /* what rules are searched for: a host or an address; a domain, or unset */
    int number, code; /* errno or its like; SMTP code */
    int64_t detail;
    struct str text;
    bool of_message; /* of the message or an address, not of a host: the message's age counts */
    bool again;      /* it was noted for another message: its record stays as it is */
    const struct retry_record
        *old; /* its record, if that has been loaded a moment ago; NULL: it has not */
};
/* Notes it. True: the time of the rule is over, or there is no rule: nothing more is to be tried. */
bool retry_failed(struct delivery *d, const struct retry_failure *f);
/* The record of a key, unless it is too old. */
bool retry_load(struct delivery *d, struct str key, struct retry_record *r);
void retry_forget(struct delivery *d, struct str key);
/* True if the message is older than the rule allows, or there is no rule: it is tried although it is not time, and given up if that fails.
 * r: a record, for the error that it notes the rule is looked for; NULL: for any. */
bool retry_overdue(struct delivery *d, struct str subject, struct str second,
                   const struct retry_record *r);

/* True if routing the address has to wait: a->answer says so. Only in queue runs. */
bool retry_routing_waits(struct delivery *d, struct address *a);
/* The same for a local delivery. */
bool retry_local_waits(struct delivery *d, struct address *a);

/* Notes for the end of the attempt. */
void retry_routed(struct delivery *d, struct address *a);    /* routing did not defer */
void retry_succeeded(struct delivery *d, struct address *a); /* delivered, or failed for good */
void retry_deferred(struct delivery *d, struct address *a);  /* a->answer has the error */

/* Writes what was noted. Deferred addresses whose time is over, or that no rule is for, are moved to d->failed ("retry timeout
 * exceeded"). */
void retry_finish(struct delivery *d);

#endif
