/* $spf_...: what the conditions spf and spf_guess found out about the sender of the message at hand. */
#include "conf/eval.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "mail/spf.h"

/* NULL: nobody asked. */
static const struct spf_check *
check_of(void *env)
{
    const struct eval *e = env;
    return e->message != NULL ? e->message->spf : NULL;
}

#define SPF_TEXT(name, value, without)                                                         \
    enum vm_status var_spf_##name(void *env, struct vm *vm, struct str rest, struct str *out)  \
    {                                                                                          \
        const struct spf_check *c = check_of(env);                                             \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = c != NULL ? (value) : (without);                                                \
        return VM_OK;                                                                          \
    }
SPF_TEXT(header_comment, c->comment, STR_EMPTY)
SPF_TEXT(received, c->received, STR_EMPTY)
SPF_TEXT(result, spf_result_name(c->result), STR_EMPTY)
SPF_TEXT(result_guessed, c->guessed ? STR_LIT("yes") : STR_LIT("no"), STR_LIT("no"))
SPF_TEXT(smtp_comment, c->smtp_text, STR_EMPTY)
SPF_TEXT(used_domain, c->domain, STR_EMPTY)
