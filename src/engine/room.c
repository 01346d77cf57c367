/* Room in mailboxes; see room.h. */
#include "engine/room.h"

#include "base/arena.h"
#include "engine/answer_record.h"
#include "engine/become.h"
#include "engine/callout_cache.h"
#include "engine/local_identity.h"
#include "engine/transport_setup.h"

struct question {
    struct engine *e;
    struct arena *arena;
    struct address *to;
    const struct driver_instance *transport;
    struct delivery d; /* of no message in the spool: what finding the user needs */
    struct address view;
};

/* The job for the process that is the user. False: *why. */
static bool
set_job(struct question *k, const struct local_identity *who, struct local_job *job,
        struct why *why)
{
    become_set_context(k->e, job);
    job->addresses = &k->to;
    job->n = 1;
    job->call = (struct local_job_call){.kind = LOCAL_JOB_ROOM,
                                        .driver = k->transport->name,
                                        .home = who->home,
                                        .directory = who->directory};
    return transport_setup_job(&k->d, k->transport, &k->to, 1, job, why);
}

/* Has the user's process look. */
static void
look(struct question *k, const struct local_identity *who, struct why *why)
{
    struct local_job job = {.with_recipients = false};
    struct transport_answer answer;
    struct child_result c;
    const char *fault;
    if (!set_job(k, who, &job, why))
        return;
    const struct become_request rq = {.uid = who->uid,
                                      .gid = who->gid,
                                      .login = who->login,
                                      .directory = who->directory,
                                      .max_answer = ANSWER_RECORDS_MAX,
                                      .body_fd = -1,
                                      .job = &job};
    become_run(k->e, k->arena, &rq, &c);
    if (c.end == CHILD_EXITED && answer_record_read(c.answer, &answer, 1, &fault))
        *why = answer.why;
    else
        *why = (struct why){.outcome = OUT_DEFER,
                            .log = STR_LIT("the process that looks for room gave no answer")};
}

static struct why
ask(struct question *k)
{
    struct eval *ev = k->e->eval;
    struct address *before = ev->address;
    struct map *vars = ev->router_vars;
    struct local_identity who;
    struct why why = {.outcome = OUT_DEFER};
    transport_setup_view(&k->view, k->transport, &k->to, 1);
    ev->address = &k->view;
    ev->router_vars = k->view.router_vars;
    if (local_identity_find(&k->d, k->transport, &k->view, &who, &why) == OUT_OK) {
        k->view.home = who.home;
        look(k, &who, &why);
    }
    ev->address = before;
    ev->router_vars = vars;
    return why;
}

static void
refuse(struct acl_verified *out, struct str log)
{
    out->outcome = OUT_FAIL;
    out->why = (struct why){.outcome = OUT_FAIL, .log = log};
    out->failure = STR_LIT("quota");
}

void
room_check(struct engine *e, struct arena *a, const struct acl_verify *q, struct address *to,
           struct acl_verified *out)
{
    if (to->transport == NULL || transport_driver_of(to->transport)->room == NULL)
        return;
    struct str key = str_printf(a, "quota:%.*s", STR_ARG(to->text));
    enum callout_word known =
        callout_cache_answer(e, a, key, q->quota->positive_s, q->quota->negative_s);
    if (known == CALLOUT_REJECT)
        refuse(out, STR_LIT("Previous (cached) quota verification failure"));
    if (known != CALLOUT_UNKNOWN)
        return;
    struct question k = {.e = e, .arena = a, .to = to, .transport = to->transport};
    struct message none = {.arena = a, .body_fd = -1};
    k.d = (struct delivery){.engine = e,
                            .arena = a,
                            .id = STR_EMPTY,
                            .message = e->eval->message != NULL ? e->eval->message : &none,
                            .session = e->eval->session};
    struct why why = ask(&k);
    bool full = why.sys_errno == WHY_QUOTA;
    if (why.outcome == OUT_OK || full)
        callout_cache_put_address(e, key, full ? CALLOUT_REJECT : CALLOUT_ACCEPT);
    if (full) {
        refuse(out, STR_LIT("Over quota"));
    } else if (why.outcome != OUT_OK) {
        out->outcome = OUT_DEFER;
        out->why = why;
        out->failure = STR_LIT("quota");
    }
}
