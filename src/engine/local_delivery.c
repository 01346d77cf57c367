/* Local deliveries; see local_delivery.h. */
#include "engine/local_delivery.h"

#include "engine/answer_record.h"
#include "engine/become.h"
#include "engine/local_identity.h"
#include "engine/local_reply.h"
#include "engine/local_slot.h"
#include "engine/maillog.h"
#include "engine/transport_setup.h"
#include "mail/why_errno.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One run of one transport. */
struct local_run {
    struct delivery *d;
    const struct driver_instance *transport;
    const struct transport_generic *g;
    struct address **batch;
    size_t n;
    struct transport_answer *answers;
    bool shadow;
    struct address view; /* what variables show of the addresses */
    struct local_identity who;
};

/* --- before the child --- */

static enum outcome
prepare(struct local_run *r, struct why *why)
{
    enum outcome o = local_identity_find(r->d, r->transport, &r->view, &r->who, why);
    r->view.home = r->who.home;
    if (o == OUT_OK)
        o = transport_setup_return_path(r->d, r->transport, &r->view, why);
    return o;
}

/* --- the process that is the user --- */

/* The identity and the like are known; envelope and what the driver prepared come to it. False: *why. */
static bool
set_job(struct local_run *r, struct local_job *job, struct why *why)
{
    struct delivery *d = r->d;
    const struct transport_driver *driver = transport_driver_of(r->transport);
    become_set_context(d->engine, job);
    job->addresses = r->batch;
    job->n = r->n;
    job->call = (struct local_job_call){
        .kind = LOCAL_JOB_TRANSPORT,
        .driver = r->transport->name,
        .return_path = r->view.return_path,
        .home = r->who.home,
        .directory = r->who.directory,
        .dont_deliver = d->engine->dont_deliver,
        .shadow = r->shadow,
        .return_to_nobody = d->message->sender.n == 0 && r->batch[0]->errors_to.n == 0,
        .queue_running = d->engine->eval->queue_running,
        .deliverer = engine_deliverer(d->engine),
    };
    if (driver->wants_envelope)
        job->call.has_envelope = local_envelope(d, r->batch, r->n, &job->call.envelope);
    return transport_setup_job(d, r->transport, r->batch, r->n, job, why);
}

static void
answer_all(struct local_run *r, const struct why *why)
{
    for (size_t i = 0; i < r->n; i++)
        r->answers[i] = (struct transport_answer){.why = *why};
}

/* What is to be said when the child did not come to its end. */
static enum outcome
child_fault(struct local_run *r, const struct child_result *c, const char *fault,
            struct why *why)
{
    struct delivery *d = r->d;
    struct str name = r->transport->name;
    switch (c->end) {
    case CHILD_NO_START:
        return local_fault(d, why, c->sys_errno, "Fork failed for local delivery to %.*s",
                           STR_ARG(r->batch[0]->text));
    case CHILD_NOT_BECOME:
        return local_fault(d, why, c->sys_errno,
                           "unable to set gid=%ld or uid=%ld for local delivery to %.*s "
                           "transport=%.*s",
                           (long)r->who.gid, (long)r->who.uid, STR_ARG(r->batch[0]->text),
                           STR_ARG(name));
    case CHILD_NO_DIRECTORY:
        *why = (struct why){
            .outcome = OUT_DEFER,
            .sys_errno = c->sys_errno,
            .log = str_printf(d->arena, "failed to chdir to %.*s", STR_ARG(r->who.directory)),
        };
        return OUT_DEFER;
    case CHILD_SIGNALLED:
        return local_fault(
            d, why, WHY_UNKNOWN,
            "%.*s transport process ended by signal %d (%s) before its result was "
            "known",
            STR_ARG(name), c->status, strsignal(c->status));
    case CHILD_EXITED:
    case CHILD_TIMED_OUT:
    case CHILD_TOO_MUCH:
        break;
    }
    return local_fault(d, why, WHY_UNKNOWN, "%.*s transport process gave no usable result (%s)",
                       STR_ARG(name), fault);
}

/* deliver_drop_privilege: a delivery as somebody else than the mail user is not made by another user instead. The lines are those
 * of a process that tries and fails. True: refused. */
static bool
refuse_other_user(struct local_run *r)
{
    struct engine *e = r->d->engine;
    const struct address *a = r->batch[0];
    const unsigned to = MAILLOG_MAIN | MAILLOG_PANIC;
    struct why why = {.outcome = OUT_DEFER, .sys_errno = WHY_UNKNOWN};
    if (!e->dropped || (r->who.uid == geteuid() && r->who.gid == getegid()))
        return false;
    maillog(e, to, r->d->id,
            "unable to set gid=%ld or uid=%ld (euid=%ld): local delivery to %.*s <%.*s> "
            "transport=%.*s",
            (long)r->who.gid, (long)r->who.uid, (long)geteuid(), STR_ARG(a->local_part),
            STR_ARG(a->text), STR_ARG(r->transport->name));
    maillog(e, to, r->d->id, "failed to read delivery status for %.*s from delivery subprocess",
            STR_ARG(a->text));
    maillog(e, to, r->d->id,
            "%.*s transport process returned non-zero status 0x0100: exit code 1",
            STR_ARG(r->transport->driver->name));
    answer_all(r, &why);
    for (size_t i = 0; i < r->n; i++)
        r->answers[i].freeze = true;
    return true;
}

static void
run_child(struct local_run *r)
{
    struct delivery *d = r->d;
    struct why why;
    struct local_job job = {.with_recipients = false};
    struct child_result c;
    const char *fault = "too long";
    if (refuse_other_user(r))
        return;
    if (!set_job(r, &job, &why)) {
        answer_all(r, &why);
        return;
    }
    if (transport_driver_of(r->transport)->wants_file && !delivery_lane_body_file(d)) {
        why = (struct why){.outcome = OUT_DEFER,
                           .sys_errno = errno,
                           .log = str_printf(d->arena, "no file of the message can be made: %s",
                                             strerror(errno))};
        answer_all(r, &why);
        return;
    }
    const struct become_request rq = {
        .uid = r->who.uid,
        .gid = r->who.gid,
        .login = r->who.login,
        .directory = r->who.directory,
        .max_answer = ANSWER_RECORDS_MAX,
        .body_fd = d->entry.body,
        .runs_programs = transport_driver_of(r->transport)->runs_programs ||
                         str_is_set(r->g->transport_filter.text),
        .job = &job,
    };
    become_run(d->engine, d->arena, &rq, &c);
    if (c.end == CHILD_EXITED && answer_record_read(c.answer, r->answers, r->n, &fault))
        return;
    engine_deliverer_change(d->engine); /* it may have been made all the same */
    child_fault(r, &c, fault, &why);
    answer_all(r, &why);
}

/* --- around it --- */

static void
run_with_slot(struct local_run *r)
{
    struct why why;
    int slot = -1;
    if (!r->shadow && local_slot_take(r->d, r->batch[0], &slot, &why) != OUT_OK) {
        answer_all(r, &why);
        return;
    }
    run_child(r);
    if (slot >= 0)
        close(slot);
}

/* Another transport may have done it (file_format of appendfile). */
static void
note_transport(struct local_run *r)
{
    for (size_t i = 0; i < r->n && !r->shadow; i++) {
        struct str name = r->answers[i].transport;
        const struct driver_instance *t =
            str_is_set(name) ? conf_transport(r->d->engine->conf, name) : NULL;
        if (t != NULL)
            r->batch[i]->transport = t;
    }
}

/* A line for the log that the driver asked for. */
static void
log_output(struct local_run *r)
{
    for (size_t i = 0; i < r->n && !r->shadow; i++)
        if (str_is_set(r->answers[i].log_line))
            maillog(r->d->engine, MAILLOG_MAIN, r->d->id, "<%.*s>: %.*s transport output: %.*s",
                    STR_ARG(r->batch[i]->text), STR_ARG(r->transport->name),
                    STR_ARG(r->answers[i].log_line));
}

/* One line for all of them: they went together. */
static void
note_doubt(struct local_run *r)
{
    for (size_t i = 0; i < r->n && !r->shadow; i++)
        if ((r->answers[i].how & TRANSPORT_HOW_DOUBTFUL) != 0) {
            delivery_note_doubt(r->d, r->batch[i],
                                str_printf(r->d->arena, "T=%.*s", STR_ARG(r->transport->name)));
            return;
        }
}

/* Runs the transport once; eval shows the addresses meanwhile. */
static void
run_once(struct local_run *r)
{
    struct eval *e = r->d->engine->eval;
    struct address *outer = e->address;
    struct map *vars = e->router_vars;
    struct why why = {.outcome = OUT_DEFER};
    r->g = r->transport->generic.fields;
    transport_setup_view(&r->view, r->transport, r->batch, r->n);
    e->address = &r->view;
    e->router_vars = r->view.router_vars;
    transport_setup_debug(r->d, r->transport);
    if (transport_driver_of(r->transport)->deliver == NULL) {
        local_fault(r->d, &why, WHY_UNKNOWN, "%.*s transport: this driver cannot deliver",
                    STR_ARG(r->transport->name));
        answer_all(r, &why);
    } else if (prepare(r, &why) != OUT_OK) {
        answer_all(r, &why);
    } else if (transport_setup_size(r->d, r->transport, &why) != OUT_OK) {
        answer_all(r, &why);
        for (size_t i = 0; i < r->n; i++)
            r->answers[i].no_retry = true;
    } else {
        run_with_slot(r);
    }
    log_output(r);
    note_doubt(r);
    note_transport(r);
    for (size_t i = 0; i < r->n; i++)
        r->batch[i]->return_path = r->view.return_path;
    local_reply_send(r->d, &r->who, r->answers, r->n);
    e->address = outer;
    e->router_vars = vars;
}

/* --- shadow transports --- */

/* Whether shadow_condition lets it run. */
static bool
wants_shadow(struct local_run *r)
{
    struct delivery *d = r->d;
    struct eval *e = d->engine->eval;
    struct str value = STR_NULL;
    if (!str_is_set(r->g->shadow_condition.text))
        return true;
    struct address *outer = e->address;
    e->address = &r->view;
    enum vm_status st = vm_expand_x(d->engine->vm, &r->g->shadow_condition, &value);
    if (st != VM_OK && st != VM_FORCED)
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to expand condition \"%.*s\" for %.*s transport: %.*s",
                STR_ARG(r->g->shadow_condition.text), STR_ARG(r->transport->name),
                STR_ARG(vm_error(d->engine->vm)));
    e->address = outer;
    return st == VM_OK && value.n > 0 && !str_eqz(value, "0") && !str_ieqz(value, "no") &&
           !str_ieqz(value, "false");
}

/* Runs the shadow transport for the addresses that were delivered. */
static void
run_shadow(struct local_run *of)
{
    struct delivery *d = of->d;
    struct local_run r = {.d = d,
                          .transport = conf_transport(d->engine->conf, of->g->shadow_transport),
                          .shadow = true};
    size_t *which = ARENA_ARRAY(d->arena, size_t, of->n);
    r.batch = ARENA_ARRAY(d->arena, struct address *, of->n);
    r.answers = ARENA_ARRAY(d->arena, struct transport_answer, of->n);
    for (size_t i = 0; i < of->n; i++)
        if (of->answers[i].why.outcome == OUT_OK) {
            which[r.n] = i;
            r.batch[r.n++] = of->batch[i];
        }
    if (r.n == 0 || r.transport == NULL || !wants_shadow(of))
        return;
    run_once(&r);
    for (size_t i = 0; i < r.n; i++) {
        const struct why *w = &r.answers[i].why;
        struct str text = str_is_set(w->log) ? w->log : w->peer;
        of->answers[which[i]].shadow =
            w->outcome == OUT_OK ? r.transport->name
                                 : str_printf(d->arena, "%.*s (%.*s)",
                                              STR_ARG(r.transport->name), STR_ARG(text));
    }
}

void
local_delivery_run(struct delivery *d, struct address **batch, size_t n)
{
    struct local_run r = {.d = d, .transport = batch[0]->transport, .batch = batch, .n = n};
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    r.answers = ARENA_ARRAY(d->arena, struct transport_answer, n);
    run_once(&r);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (str_is_set(r.g->shadow_transport))
        run_shadow(&r);
    for (size_t i = 0; i < n; i++) {
        r.answers[i].took_us =
            (to.tv_sec - from.tv_sec) * 1000000LL + (to.tv_nsec - from.tv_nsec) / 1000;
        batch[i]->answer = &r.answers[i];
    }
}
