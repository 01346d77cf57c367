/* Variables of DMARC: empty until the condition dmarc_status has asked. */
#include "conf/eval.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "mail/dmarc.h"

static const struct dmarc_check *
check_of(const void *env)
{
    const struct eval *e = env;
    return e->message == NULL ? NULL : e->message->dmarc;
}

#define DMARC_VAR(name, text)                                                                  \
    enum vm_status var_dmarc_##name(void *env, struct vm *vm, struct str rest,                 \
                                    struct str *out)                                           \
    {                                                                                          \
        const struct dmarc_check *c = check_of(env);                                           \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = c == NULL ? STR_EMPTY : (text);                                                 \
        return VM_OK;                                                                          \
    }

static struct str
yes_or_no(bool yes)
{
    return yes ? STR_LIT("yes") : STR_LIT("no");
}

DMARC_VAR(alignment_dkim, yes_or_no(c->aligned_dkim))
DMARC_VAR(alignment_spf, yes_or_no(c->aligned_spf))
DMARC_VAR(domain_policy, dmarc_policy_name(c->policy))
DMARC_VAR(status, dmarc_verdict_status(c->verdict))
DMARC_VAR(status_text, dmarc_verdict_text(c->verdict))
DMARC_VAR(used_domain, c->domain)
