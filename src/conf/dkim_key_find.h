/* The key of a signature of DKIM or ARC, from the DNS. Source: RFC 6376, sections 3.6 and 6.1.2. */
#ifndef REMEX_CONF_DKIM_KEY_FIND_H
#define REMEX_CONF_DKIM_KEY_FIND_H

#include "conf/eval.h"
#include "mail/dkim_result.h"

struct vm;

/* Asks for the record and reads it: DKIM_REASON_NONE, and *key is for mail and of the kind that s was made with. Texts are in a. After
 * deadline_ms (await_now_ms) nothing is asked any more. */
enum dkim_reason dkim_key_find(struct eval *e, struct vm *vm, struct arena *a,
                               const struct dkim_signature *s, int64_t deadline_ms,
                               struct dkim_key *key);

#endif
