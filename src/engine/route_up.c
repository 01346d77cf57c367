/* What a driver may ask of the engine while it routes. */
#include "engine/route_step.h"

#include "engine/become.h"
#include "engine/maillog.h"
#include "routers/redirect_work.h"

#include <errno.h>

static void
up_log(void *ctx, enum route_log to, struct str text)
{
    static const unsigned where[] = {[ROUTE_LOG_MAIN] = MAILLOG_MAIN,
                                     [ROUTE_LOG_PANIC] = MAILLOG_PANIC,
                                     [ROUTE_LOG_BOTH] = MAILLOG_MAIN | MAILLOG_PANIC};
    struct route_step *s = ctx;
    struct str id = s->r->message == NULL ? STR_NULL : s->r->message->id;
    maillog_line(s->r->engine, where[to], id, text);
}

static void
up_run_child(void *ctx, const struct route_child *rq, struct child_result *out)
{
    struct route_step *s = ctx;
    const struct redirect_work *what = rq->redirect;
    struct local_job job = {
        .call = {.kind = what != NULL ? LOCAL_JOB_REDIRECT : LOCAL_JOB_COMMAND},
        .words = rq->words,
        .words_n = rq->words_n,
    };
    struct become_request own = {.uid = rq->uid,
                                 .gid = rq->gid,
                                 .login = rq->login,
                                 .directory = rq->directory,
                                 .timeout_s = rq->timeout_s,
                                 .max_answer = rq->max_answer,
                                 .body_fd = -1,
                                 .runs_programs = true,
                                 .job = &job};
    if (what != NULL) {
        become_set_context(s->r->engine, &job);
        become_set_reader(s->r->engine, &own);
        job.message = s->r->message;
        job.call.driver = s->router->name;
        job.call.file = what->file;
        job.call.text = what->text;
        job.call.qualify = what->qualify;
        job.call.logs = what->logs;
        job.call.home = s->a->home;
        job.call.uid = s->uid;
        job.call.gid = s->gid;
        own.body_fd = s->r->message == NULL ? -1 : s->r->message->body_fd;
    } else if (s->r->engine->can_become && become_never(s->r->engine, (int64_t)rq->uid)) {
        /* A command of a router is no more root's than a delivery is. */
        *out = (struct child_result){
            .end = CHILD_NOT_BECOME, .sys_errno = EPERM, .answer = STR_EMPTY};
        return;
    }
    become_run(s->r->engine, s->r->arena, &own, out);
}

static enum outcome
up_find_transport(void *ctx, const struct driver_instance **out, struct why *why)
{
    struct route_step *s = ctx;
    enum outcome o = route_find_transport(s, out);
    *why = s->r->why;
    return o;
}

struct route_up
route_up_for(struct route_step *s)
{
    return (struct route_up){.ctx = s,
                             .becomes = s->r->engine->can_become,
                             .log = up_log,
                             .run_child = up_run_child,
                             .find_transport = up_find_transport,
                             .logs_unknown_hosts = maillog_selected(
                                 s->r->engine, LOG_SELECTOR_HOST_LOOKUP_FAILED)};
}
