/* Questions to the DNS as the configuration wants them asked: the dns_* main options, CNAME records followed.
 *
 * Source: specification, options dns_*; the error of a name server that a list names counts as "does not exist".
 */
#ifndef REMEX_CONF_RESOLVE_H
#define REMEX_CONF_RESOLVE_H

#include "conf/eval.h"
#include "filter/expand.h"
#include "sys/dns.h"

enum { RESOLVE_CNAMES_MAX = 50 }; /* dns_cname_loops beyond that counts as that */

struct resolve_answer {
    struct dns_reply reply; /* of the last question; DNS_FOUND: with a record of the type */
    /* The name that was asked for, as the resolver completed it, in the case that the server gives. */
    struct str full_name;
    bool secure;   /* all of it was authenticated */
    int64_t ttl_s; /* of all of it */
};

/* Asks; the answer is in a. e->conf may be NULL: defaults. Of DNS_FOUND there is at least one record of the type that was asked for. */
enum dns_status resolve_ask(struct eval *e, struct vm *vm, struct arena *a,
                            const struct dns_question *q, struct resolve_answer *out);

/* False: no record can stand under the name (dns_check_names_pattern), so that it is not asked for. TXT and PTR records stand under all
 * kinds of names, as do those whose first labels begin with an underscore; a pattern that cannot be used lets everything through. */
bool resolve_is_name(struct eval *e, struct vm *vm, const struct dns_question *q);

/* True: a failure of the DNS or of the system for that name counts as "does not exist" (dns_again_means_nonexist). */
bool resolve_again_means_none(struct eval *e, struct vm *vm, struct str name);
/* True if the domain is in the expanded list of a main option; one that cannot be used has no members. Captures stay. */
bool resolve_in_domains(struct eval *e, struct vm *vm, const struct xstr *option,
                        const char *name, struct str domain);

/* Makes the resolver of e now, so that contexts of other threads can be given it: it is made at first use otherwise. */
void resolve_prepare(struct eval *e);

/* The next record of a type after *at; NULL: none. */
const struct dns_record *resolve_next(const struct dns_answer *m, enum dns_type type,
                                      size_t *at);

/* What $lookup_dnssec_authenticated shows from now on: flags of the question, and whether the answer was secure. */
void resolve_show(struct eval *e, unsigned flags, bool secure);

#endif
