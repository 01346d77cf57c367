/* ACLs as the engine runs them; see policy.h. */
#include "engine/policy.h"

#include "base/arena.h"
#include "conf/model.h"
#include "engine/debug_log.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/peer_name.h"
#include "engine/verify.h"

_Static_assert((int)ACL_LOG_MAIN == (int)MAILLOG_MAIN &&
                   (int)ACL_LOG_REJECT == (int)MAILLOG_REJECT &&
                   (int)ACL_LOG_PANIC == (int)MAILLOG_PANIC &&
                   (int)ACL_LOG_TABS == (int)MAILLOG_TABS,
               "one set of bits for logs");

static void
write_log(void *ctx, unsigned to, struct str text)
{
    struct engine *e = ctx;
    const struct message *m = e->eval->message;
    maillog_line(e, to, m == NULL ? STR_NULL : m->id, text);
}

static struct str
show_peer(void *ctx, struct arena *a)
{
    const struct engine *e = ctx;
    return peer_text(a, e, true);
}

static bool
is_selected(void *ctx, int selector)
{
    return maillog_selected(ctx, (enum log_selector)selector);
}

static void
verify(void *ctx, const struct acl_verify *q, struct acl_verified *out)
{
    verify_address(ctx, q, out);
}

/* A local process has no name that could be looked up. */
static enum outcome
verify_reverse(void *ctx, struct str *text)
{
    struct engine *e = ctx;
    struct session *s = e->eval->session;
    *text = STR_NULL;
    if (s == NULL || !str_is_set(s->sender_host_address))
        return OUT_OK;
    enum outcome o = peer_name_find(e, s);
    peer_set_names(e, s);
    if (o == OUT_FAIL && s->host_lookup_failed)
        *text = STR_LIT("failed to find host name from IP address");
    return o;
}

static bool
debug(void *ctx, struct str options)
{
    return debug_log_control(ctx, options);
}

static void
trace(void *ctx, struct str line)
{
    debug_log_add(ctx, DEBUG_ACL, line);
}

struct acl_up *
policy_up(struct arena *a, struct engine *e)
{
    struct acl_up *up = ARENA_NEW(a, struct acl_up);
    *up = (struct acl_up){
        .ctx = e,
        .log = write_log,
        .peer = show_peer,
        .selected = is_selected,
        .verify = verify,
        .verify_reverse = verify_reverse,
        .debug = debug,
        .trace = trace,
    };
    return up;
}

enum acl_result
policy_run(struct engine *e, enum acl_phase phase, struct acl_answer *out)
{
    struct acl_runner *r = e->eval->acls;
    const struct acl_up *up = e->policy;
    if (up == NULL)
        e->policy = up = policy_up(e->arena, e);
    acl_runner_set_up(r, up);
    acl_run_phase(r, phase, out);
    e->eval->fatal = STR_NULL; /* it was logged, and is the answer's affair */
    return out->result;
}

bool
policy_has(const struct engine *e, enum acl_phase phase)
{
    const struct xstr *o = acl_phase_option(e->conf, phase);
    return o != NULL && str_is_set(o->text);
}
