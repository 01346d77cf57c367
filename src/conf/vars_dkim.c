/* Variables about DKIM: of the signature that the ACL runs for, or of the last one; of the signature that a transport makes. */
#include "base/arena.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "filter/vm.h"
#include "mail/dkim_result.h"

#define DKIM_FOR_EVER 9999999999999 /* what is not limited shows as that */

static const struct dkim_results *
results(void *env)
{
    const struct eval *e = env;
    return e->message == NULL ? NULL : e->message->dkim;
}

static const struct dkim_result *
current(void *env)
{
    const struct dkim_results *r = results(env);
    return r == NULL ? NULL : r->current;
}

static const struct dkim_key *
key(void *env)
{
    const struct dkim_result *r = current(env);
    return r == NULL || !r->key_known ? NULL : &r->key;
}

#define VARIABLE(name)                                                                         \
    enum vm_status var_dkim_##name(void *env, struct vm *vm, struct str rest, struct str *out)

/* Text of the results as a whole. */
#define RESULTS_TEXT(name, member)                                                             \
    VARIABLE(name)                                                                             \
    {                                                                                          \
        const struct dkim_results *r = results(env);                                           \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = r == NULL || !str_is_set(r->member) ? STR_EMPTY : r->member;                    \
        return VM_OK;                                                                          \
    }
RESULTS_TEXT(cur_signer, cur_signer)
RESULTS_TEXT(domain, domain)
RESULTS_TEXT(selector, selector)
RESULTS_TEXT(signers, signers)
RESULTS_TEXT(verify_reason, reason)
RESULTS_TEXT(verify_signers, passed_signers)
RESULTS_TEXT(verify_status, status)

/* Text of the current signature. */
#define SIGNATURE_TEXT(name, text)                                                             \
    VARIABLE(name)                                                                             \
    {                                                                                          \
        const struct dkim_result *r = current(env);                                            \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = r == NULL ? STR_EMPTY : (text);                                                 \
        if (!str_is_set(*out))                                                                 \
            *out = STR_EMPTY;                                                                  \
        return VM_OK;                                                                          \
    }
SIGNATURE_TEXT(algo, dkim_algorithm_name(r->signature.key_type, r->signature.hash))
SIGNATURE_TEXT(canon_body, dkim_canon_name(r->signature.canon_body))
SIGNATURE_TEXT(canon_headers, dkim_canon_name(r->signature.canon_headers))
SIGNATURE_TEXT(copiedheaders, r->signature.copied)
SIGNATURE_TEXT(identity, r->signature.identity)

/* Names are separated by colons alone: white space around them is folding. */
VARIABLE(headernames)
{
    const struct dkim_result *r = current(env);
    struct str names = r == NULL ? STR_EMPTY : r->signature.headers;
    struct buf b = buf_in(vm_scratch(vm), 0);
    (void)rest;
    for (uint32_t i = 0; i < names.n; i++)
        if (!ascii_space(names.p[i]))
            buf_addc(&b, names.p[i]);
    b.taint = names.taint;
    *out = buf_str(&b);
    return VM_OK;
}

#define SIGNATURE_NUMBER(name, member, none)                                                   \
    VARIABLE(name)                                                                             \
    {                                                                                          \
        const struct dkim_result *r = current(env);                                            \
        bool said = r != NULL && r->signature.member >= 0;                                     \
        (void)rest;                                                                            \
        return var_put_int(vm, said ? r->signature.member : (none), out);                      \
    }
SIGNATURE_NUMBER(bodylength, body_length, DKIM_FOR_EVER)
SIGNATURE_NUMBER(created, created, 0)
SIGNATURE_NUMBER(expires, expires, DKIM_FOR_EVER)

#define KEY_TEXT(name, member, none)                                                           \
    VARIABLE(name)                                                                             \
    {                                                                                          \
        const struct dkim_key *k = key(env);                                                   \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = k == NULL ? STR_LIT(none) : k->member;                                          \
        return VM_OK;                                                                          \
    }
KEY_TEXT(key_granularity, granularity, "*")
KEY_TEXT(key_notes, notes, "")
KEY_TEXT(key_srvtype, services, "*")

#define KEY_FLAG(name, member)                                                                 \
    VARIABLE(name)                                                                             \
    {                                                                                          \
        const struct dkim_key *k = key(env);                                                   \
        (void)rest;                                                                            \
        return var_put_int(vm, k != NULL && k->member, out);                                   \
    }
KEY_FLAG(key_nosubdomains, no_subdomains)
KEY_FLAG(key_testing, testing)

VARIABLE(key_length)
{
    const struct dkim_results *r = results(env);
    (void)rest;
    return var_put_int(vm, r == NULL ? 0 : r->key_bits, out);
}
