/* Runs the remote transports: batch by batch, or several at once in children; what failed goes to the fallback hosts then.
 *
 * Nothing here needs root: the children stay who we are. With one batch, or no more than one delivery at a time, the work is done in this
 * process, and a good connection is kept for the messages that wait for its host. Source: specification, option
 * remote_max_parallel; chapter "The smtp transport".
 */
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/answer_record.h"
#include "engine/delivery.h"
#include "engine/local_slot.h"
#include "engine/maillog.h"
#include "engine/mua_wrapper.h"
#include "engine/remote_batch.h"
#include "engine/remote_hosts.h"
#include "engine/remote_kept.h"
#include "engine/remote_run.h"
#include "engine/remote_wait.h"
#include "engine/transport_setup.h"
#include "filter/expand.h"
#include "sys/child.h"
#include "sys/file.h"
#include "transports/transport.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { PARALLEL_MAX = 100 };

/* A batch under way. */
struct remote_job {
    struct delivery *d;
    struct remote_batch batch;
    struct transport_answer *answers;
    bool fallback;
    int slot; /* of max_parallel; -1: none */
    struct timespec from;
    struct child_process child;
};

/* The host that a remote delivery would have gone to: of the router, else the first that the transport names. */
static struct str
first_host(struct delivery *d, const struct address *a)
{
    struct str list;
    if (a->hosts.n > 0) {
        const struct host_target *h = &a->hosts.v[0];
        bool secure = h->dnssec && maillog_selected(d->engine, LOG_SELECTOR_DNSSEC);
        return str_printf(d->arena, "H=%.*s%s [%.*s] ", STR_ARG(h->name), secure ? " DS" : "",
                          STR_ARG(h->address));
    }
    int row = opt_find(a->transport->own.table, STR_LIT("hosts"));
    if (row < 0)
        return STR_EMPTY;
    const char *fields = a->transport->own.fields;
    const struct xstr *hosts =
        (const void *)(fields + a->transport->own.table->rows[row].offset);
    if (!str_is_set(hosts->text) || vm_expand_x(d->engine->vm, hosts, &list) != VM_OK)
        return STR_EMPTY;
    size_t colon = str_chr(list, ':', 0);
    struct str name = str_trim(str_sub(list, 0, colon == STR_NPOS ? list.n : colon));
    return str_printf(d->arena, "H=%.*s [%.*s] ", STR_ARG(name), STR_ARG(name));
}

static void
pretend_remote(struct delivery *d, struct address *a)
{
    delivery_answer(d, a, OUT_OK, 0, STR_NULL);
    struct str host = first_host(d, a);
    a->answer->log_note =
        str_printf(d->arena, "%.*sC=\"delivery bypassed by -N option\"", STR_ARG(host));
    a->return_path = str_is_set(a->errors_to) ? a->errors_to : d->message->sender;
    delivery_address_ended(d, a);
}

/* --- what waits --- */

/* Stays in the queue; nothing is said of it. */
static void
leave_waiting(struct delivery *d, struct address *a)
{
    delivery_answer(d, a, OUT_DEFER, DELIVERY_ERRNO_LOCAL_ONLY, STR_NULL);
    for (struct address *p = a; p != NULL; p = p->parent)
        p->waits = true;
    vec_push(d->arena, &d->deferred, a);
}

/* Notes which hosts the message waits for: later it goes with others. */
static void
note_hosts(struct delivery *d, struct address *a)
{
    struct eval *e = d->engine->eval;
    struct address view, *outer = e->address;
    struct remote_hosts hosts;
    struct why why;
    transport_setup_view(&view, a->transport, &a, 1);
    e->address = &view;
    if (remote_hosts_choose(d, a->transport, a, false, &hosts, &why))
        for (size_t i = 0; i < hosts.v.n; i++)
            remote_wait_add(d, a->transport->name, hosts.v.v[i].name);
    e->address = outer;
}

/* -odqs and the first pass of -qq: routed, and no more. */
static void
queue_address(struct delivery *d, struct address *a)
{
    note_hosts(d, a);
    if (d->engine->first_stage) {
        leave_waiting(d, a);
        return;
    }
    delivery_answer(d, a, OUT_DEFER, 0, STR_LIT("SMTP delivery explicitly queued"));
    a->answer->why.sys_errno = 0;
    a->answer->no_retry = true;
    delivery_address_ended(d, a);
}

/* queue_smtp_domains: as with -odqs, for some. True: it waits, or the list cannot be read. */
static bool
is_queued(struct delivery *d, struct address *a)
{
    struct engine *e = d->engine;
    struct str text;
    if (d->reason != DELIVERY_ARRIVED || e->queue_run || e->forced || mua_wrapper_is_on(d))
        return false;
    switch ((int)delivery_in_domains(d, &e->conf->main->queue_smtp_domains,
                                     "queue_smtp_domains", a->domain, &text)) {
    case OUT_OK:
        queue_address(d, a);
        return true;
    case OUT_DEFER:
        delivery_answer(d, a, OUT_DEFER, DELIVERY_ERRNO_LIST, text);
        delivery_address_ended(d, a);
        return true;
    default:
        return false;
    }
}

/* What can be said of an address without its host. True: it is settled. */
static bool
is_settled(struct delivery *d, struct address *a)
{
    struct engine *e = d->engine;
    if (e->queue_smtp || e->first_stage) {
        queue_address(d, a);
    } else if (e->local_only) {
        delivery_answer(d, a, OUT_DEFER, DELIVERY_ERRNO_LOCAL_ONLY,
                        STR_LIT("remote deliveries wait for a queue run"));
        delivery_address_ended(d, a);
    } else if (e->dont_deliver || d->header.dont_deliver) {
        pretend_remote(d, a);
    } else {
        return is_queued(d, a);
    }
    return true;
}

/* --- one batch --- */

/* False: it cannot be started; the answers say why. */
static bool
begin(struct remote_job *j)
{
    struct why why;
    clock_gettime(CLOCK_MONOTONIC, &j->from);
    j->answers = ARENA_ARRAY(j->d->arena, struct transport_answer, j->batch.n);
    if (remote_batch_is_sound(j->d, j->batch.v[0], &why) &&
        local_slot_take(j->d, j->batch.v[0], &j->slot, &why) == OUT_OK)
        return true;
    for (size_t i = 0; i < j->batch.n; i++)
        j->answers[i] = (struct transport_answer){.why = why, .no_retry = true};
    return false;
}

static bool
may_fall_back(struct remote_job *j, struct address *a)
{
    if (j->fallback || a->answer->why.outcome != OUT_DEFER || mua_wrapper_is_on(j->d))
        return false;
    struct host_targets hosts = remote_hosts_fallback(j->d, a);
    if (hosts.n == 0)
        return false;
    a->hosts = hosts;
    a->fallback_hosts = (struct host_targets){NULL, 0, 0};
    return true;
}

/* What the log shows of the path back. */
static void
set_return_path(struct remote_job *j)
{
    struct delivery *d = j->d;
    struct eval *e = d->engine->eval;
    struct address view, *outer = e->address;
    struct why why;
    transport_setup_view(&view, j->batch.v[0]->transport, j->batch.v, j->batch.n);
    e->address = &view;
    (void)transport_setup_return_path(d, view.transport, &view, &why);
    e->address = outer;
    for (size_t i = 0; i < j->batch.n; i++)
        j->batch.v[i]->return_path = view.return_path;
}

/* Answers are in: what has fallback hosts waits for them. */
static void
end(struct remote_job *j, struct address_vec *fallback)
{
    struct timespec to;
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (j->slot >= 0)
        close(j->slot);
    if (maillog_selected(j->d->engine, LOG_SELECTOR_RETURN_PATH_ON_DELIVERY))
        set_return_path(j);
    for (size_t i = 0; i < j->batch.n; i++) {
        struct address *a = j->batch.v[i];
        a->answer = &j->answers[i];
        a->answer->took_us =
            (to.tv_sec - j->from.tv_sec) * 1000000LL + (to.tv_nsec - j->from.tv_nsec) / 1000;
        if (may_fall_back(j, a)) {
            vec_push(j->d->arena, fallback, a);
            continue;
        }
        delivery_address_ended(j->d, a);
        delivery_end_duplicates(j->d, a);
    }
    maillog_release(j->d->engine);
}

static void
run_here(struct remote_job *j, struct address_vec *fallback)
{
    if (begin(j))
        remote_run(j->d, j->batch.v, j->batch.n, j->fallback, REMOTE_KEEP, j->answers);
    end(j, fallback);
}

/* --- several at once --- */

/* The connection is kept for other messages that wait for the host: this process goes on with them when its answer is told, and has
 * nothing more to do with the message. */
static void
linger(struct remote_job *j, int out)
{
    close(out);
    spool_close(&j->d->entry);
    delivery_run_kept(j->d->engine);
}

/* What the process holds that it would hold on to. */
static bool
may_linger(const struct remote_job *j)
{
    return j->slot < 0 && j->d->lane == NULL;
}

static int
work(void *ctx, int out)
{
    struct remote_job *j = ctx;
    struct engine *e = j->d->engine;
    struct buf records = buf_in(j->d->arena, ANSWER_RECORDS_MAX);
    remote_kept_abandon(e);
    e->lingering.n = 0;
    remote_run(j->d, j->batch.v, j->batch.n, j->fallback,
               may_linger(j) ? REMOTE_PASS : REMOTE_CLOSE, j->answers);
    answer_record_add(&records, j->answers, j->batch.n);
    bool told = file_write_all(out, records.p, records.n);
    if (e->kept != NULL && told)
        linger(j, out);
    return told ? 0 : 1;
}

static void
answer_fault(struct remote_job *j, int number, const char *fault)
{
    const struct why why = {.outcome = OUT_DEFER,
                            .sys_errno = number,
                            .log =
                                str_printf(j->d->arena, "remote delivery process %s", fault)};
    for (size_t i = 0; i < j->batch.n; i++)
        j->answers[i] = (struct transport_answer){.why = why, .no_retry = true};
    maillog(j->d->engine, MAILLOG_MAIN | MAILLOG_PANIC, j->d->id, "%.*s", STR_ARG(why.log));
}

/* False: it has ended already. */
static bool
start(struct remote_job *j)
{
    struct child_result r;
    const struct child_request rq = {
        .max_answer = ANSWER_RECORDS_MAX, .lingers = true, .run = work, .ctx = j};
    if (!begin(j))
        return false;
    if (child_start(j->d->arena, &rq, &j->child, &r))
        return true;
    answer_fault(j, r.sys_errno, "could not be started");
    return false;
}

static void
collect(struct remote_job *j)
{
    struct child_result r = {.answer = STR_EMPTY};
    const char *fault = "too long";
    child_collect(&j->child, &r);
    vec_push(j->d->engine->arena, &j->d->engine->lingering, j->child.pid);
    if (r.end == CHILD_EXITED && answer_record_read(r.answer, j->answers, j->batch.n, &fault))
        return;
    answer_fault(j, DELIVERY_NO_ERRNO,
                 r.end == CHILD_SIGNALLED ? "ended by a signal" : "gave no usable result");
}

/* Waits until one of them has an answer; its index. */
static size_t
wait_for_one(struct remote_job *const *running, size_t n)
{
    struct pollfd p[PARALLEL_MAX];
    for (;;) {
        for (size_t i = 0; i < n; i++)
            p[i] = (struct pollfd){.fd = running[i]->child.fd, .events = POLLIN};
        if (poll(p, n, -1) < 0 && errno != EINTR)
            return 0;
        for (size_t i = 0; i < n; i++)
            if (p[i].revents != 0)
                return i;
    }
}

static void
run_parallel(struct remote_job *jobs, size_t n, size_t parallel, struct address_vec *fallback)
{
    struct remote_job *running[PARALLEL_MAX];
    size_t running_n = 0, next = 0;
    while (next < n || running_n > 0) {
        while (next < n && running_n < parallel) {
            struct remote_job *j = &jobs[next++];
            if (start(j))
                running[running_n++] = j;
            else
                end(j, fallback);
        }
        if (running_n == 0)
            continue;
        size_t i = wait_for_one(running, running_n);
        struct remote_job *done = running[i];
        collect(done);
        for (size_t k = i; k + 1 < running_n; k++)
            running[k] = running[k + 1];
        running_n--;
        end(done, fallback);
    }
}

/* --- all of them --- */

static size_t
parallel_of(const struct delivery *d)
{
    int64_t n = d->engine->conf->main->remote_max_parallel;
    return n < 1 || d->engine->turned != NULL ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (size_t)n;
}

static void
run_all(struct delivery *d, struct address_vec *addresses, bool for_fallback,
        struct address_vec *fallback)
{
    struct remote_batches batches;
    size_t parallel = parallel_of(d);
    remote_batches_make(d, addresses, parallel, &batches);
    struct remote_job *jobs = ARENA_ARRAY(d->arena, struct remote_job, batches.v.n);
    for (size_t i = 0; i < batches.v.n; i++)
        jobs[i] = (struct remote_job){
            .d = d, .batch = batches.v.v[i], .fallback = for_fallback, .slot = -1};
    if (batches.v.n > 1 && parallel > 1 && d->engine->kept == NULL) {
        delivery_write_log(d); /* several processes write to it now */
        run_parallel(jobs, batches.v.n, parallel, fallback);
        return;
    }
    for (size_t i = 0; i < batches.v.n; i++)
        run_here(&jobs[i], fallback);
}

/* A message that goes over a kept connection goes nowhere else meanwhile. */
static bool
is_for_other(struct delivery *d, struct address *a)
{
    struct eval *e = d->engine->eval;
    struct address view, *outer = e->address;
    struct remote_hosts hosts;
    struct why why;
    if (d->engine->kept == NULL)
        return false;
    transport_setup_view(&view, a->transport, &a, 1);
    e->address = &view;
    bool found = remote_hosts_choose(d, a->transport, a, false, &hosts, &why);
    e->address = outer;
    return !found || remote_kept_excludes(d->engine, a->transport, hosts.v.v, hosts.v.n);
}

void
delivery_remote(struct delivery *d)
{
    struct address_vec todo = {NULL, 0, 0}, fallback = {NULL, 0, 0}, none = {NULL, 0, 0};
    for (size_t i = 0; i < d->remote.n; i++) {
        struct address *a = d->remote.v[i];
        if (is_settled(d, a))
            continue;
        if (is_for_other(d, a))
            leave_waiting(d, a);
        else
            vec_push(d->arena, &todo, a);
    }
    if (todo.n > 0)
        run_all(d, &todo, false, &fallback);
    if (fallback.n > 0)
        run_all(d, &fallback, true, &none);
}
