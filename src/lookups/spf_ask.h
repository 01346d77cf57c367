/* Asks the inspect process about a sender, and the DNS for it.
 *
 * Whatever becomes of that process is a temporary error of this one check, and a line in the log. Source: RFC 7208; specification,
 * section "SPF".
 */
#ifndef REMEX_LOOKUPS_SPF_ASK_H
#define REMEX_LOOKUPS_SPF_ASK_H

#include "conf/eval.h"
#include "filter/vm.h"
#include "mail/spf.h"

struct spf_question {
    struct str ip;     /* of the client; empty: the answer is SPF_INVALID */
    struct str helo;   /* its name, or empty */
    struct str sender; /* empty: of the name */
    bool guess;        /* domains that have no record have that of spf_guess */
};

enum { SPF_ASK_LIMIT_MS = 60 * 1000 };

/* The texts of *out are in a. Waits for the DNS. */
void spf_ask(struct eval *e, struct vm *vm, struct arena *a, const struct spf_question *q,
             struct spf_check *out);

#endif
