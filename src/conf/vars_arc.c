/* Variables of ARC: empty until `verify = arc` has asked. */
#include "conf/eval.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "mail/arc.h"

static const struct arc_check *
check_of(const void *env)
{
    const struct eval *e = env;
    return e->message == NULL ? NULL : e->message->arc;
}

enum vm_status
var_arc_domains(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct arc_check *c = check_of(env);
    (void)rest;
    *out = c == NULL ? STR_EMPTY : arc_chain_domains(vm_scratch(vm), c->chain);
    return VM_OK;
}

enum vm_status
var_arc_oldest_pass(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct arc_check *c = check_of(env);
    (void)rest;
    return var_put_int(vm, c == NULL ? 0 : c->oldest_pass, out);
}

enum vm_status
var_arc_state(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct arc_check *c = check_of(env);
    (void)vm;
    (void)rest;
    *out = c == NULL ? STR_EMPTY : arc_state_name(c->state);
    return VM_OK;
}

enum vm_status
var_arc_state_reason(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct arc_check *c = check_of(env);
    (void)vm;
    (void)rest;
    *out = c == NULL ? STR_EMPTY : c->reason;
    return VM_OK;
}
