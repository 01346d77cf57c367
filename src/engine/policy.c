/* ACLs as the engine runs them; see policy.h. */
#include "engine/policy.h"

#include "base/arena.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "engine/peer.h"

#include <stdio.h>
#include <time.h>

_Static_assert((int)ACL_LOG_MAIN == (int)MAILLOG_MAIN &&
                   (int)ACL_LOG_REJECT == (int)MAILLOG_REJECT &&
                   (int)ACL_LOG_PANIC == (int)MAILLOG_PANIC,
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
wait_seconds(void *ctx, int64_t seconds, bool flush)
{
    (void)ctx;
    (void)flush;
    struct timespec t = {.tv_sec = seconds};
    while (nanosleep(&t, &t) != 0)
        continue;
}

static void
verify_address(void *ctx, const struct acl_verify *q, struct acl_verified *out)
{
    (void)ctx;
    (void)q;
    *out = (struct acl_verified){.outcome = OUT_DEFER};
    out->why.log = STR_LIT("verification is not available in this version of remex");
}

static enum outcome
verify_helo(void *ctx)
{
    (void)ctx;
    return OUT_OK;
}

static enum outcome
verify_reverse(void *ctx, struct str *text)
{
    (void)ctx;
    *text = STR_NULL;
    return OUT_OK;
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
        .delay = wait_seconds,
        .verify = verify_address,
        .verify_helo = verify_helo,
        .verify_reverse = verify_reverse,
    };
    return up;
}

enum acl_result
policy_run(struct engine *e, enum acl_phase phase, struct acl_answer *out)
{
    struct acl_runner *r = e->eval->acls;
    if (e->policy == NULL)
        e->policy = policy_up(e->arena, e);
    acl_runner_set_up(r, e->policy);
    acl_run_phase(r, phase, out);
    return out->result;
}

bool
policy_has(const struct engine *e, enum acl_phase phase)
{
    const struct xstr *o = acl_phase_option(e->conf, phase);
    return o != NULL && str_is_set(o->text);
}
