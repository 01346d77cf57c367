/* Keys from the DNS; see dkim_key_find.h. */
#include "conf/dkim_key_find.h"

#include "conf/resolve.h"
#include "sys/await.h"

/* Of several records the first that is one of DKIM counts. */
static enum dkim_reason
choose_record(struct arena *a, const struct dns_answer *answer, struct dkim_key *key)
{
    const struct dns_record *record;
    size_t at = 0;
    while ((record = resolve_next(answer, DNS_TXT, &at)) != NULL) {
        switch (dkim_key_read(a, dns_answer_join_texts(a, record->bytes), key)) {
        case DKIM_KEY_OTHER:
            continue;
        case DKIM_KEY_LONG:
            return DKIM_REASON_KEY_LONG;
        case DKIM_KEY_BAD:
            return DKIM_REASON_KEY_RECORD;
        case DKIM_KEY_REVOKED:
            return DKIM_REASON_KEY_BYTES;
        case DKIM_KEY_OK:
            return DKIM_REASON_NONE;
        }
    }
    return DKIM_REASON_KEY_UNAVAILABLE;
}

enum dkim_reason
dkim_key_find(struct eval *e, struct vm *vm, struct arena *a, const struct dkim_signature *s,
              int64_t deadline_ms, struct dkim_key *key)
{
    struct resolve_answer answer;
    struct dns_question q = {.name = dkim_key_domain(a, s->selector, s->domain),
                             .type = DNS_TXT};
    if (!str_is_set(q.name) || await_now_ms() >= deadline_ms ||
        resolve_ask(e, vm, a, &q, &answer) != DNS_FOUND)
        return DKIM_REASON_KEY_UNAVAILABLE;
    enum dkim_reason reason = choose_record(a, &answer.reply.answer, key);
    if (reason == DKIM_REASON_NONE && !dkim_key_is_for_mail(key))
        reason = DKIM_REASON_KEY_RECORD;
    if (reason == DKIM_REASON_NONE && key->type_said &&
        (!key->type_known || key->type != s->key_type))
        reason = DKIM_REASON_KEY_RECORD;
    return reason;
}
