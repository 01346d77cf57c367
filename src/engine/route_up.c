/* What a driver may ask of the engine while it routes. */
#include "engine/route_step.h"

#include "engine/maillog.h"
#include "sys/child.h"

static void
up_log(void *ctx, bool panic, struct str text)
{
    struct route_step *s = ctx;
    struct str id = s->r->message == NULL ? STR_NULL : s->r->message->id;
    maillog_line(s->r->engine, panic ? MAILLOG_MAIN | MAILLOG_PANIC : MAILLOG_MAIN, id, text);
}

static void
up_run_child(void *ctx, const struct child_request *rq, struct child_result *out)
{
    struct route_step *s = ctx;
    struct child_request own = *rq;
    own.become = rq->become && s->r->engine->can_become;
    child_run(s->r->arena, &own, out);
}

struct route_up
route_up_for(struct route_step *s)
{
    return (struct route_up){.ctx = s, .log = up_log, .run_child = up_run_child};
}
