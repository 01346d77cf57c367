/* Doing jobs; see local_work.h. */
#include "engine/local_work.h"

#include "engine/answer_record.h"
#include "engine/local_job.h"
#include "engine/local_reply.h"
#include "engine/system_filter.h"
#include "routers/redirect_work.h"
#include "sys/child.h"
#include "sys/file.h"
#include "transports/transport.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* One job under way. */
struct doing {
    struct engine *e;
    struct arena *arena;
    struct local_job *job;
    int body_fd;
    int out;
};

static int
answer(const struct doing *d, const struct buf *b)
{
    return !b->overflow && file_write_all(d->out, b->p, b->n) ? 0 : 1;
}

/* False: nobody waits for the answer any more, so that the message is anybody's. */
static bool
is_wanted(void *ctx)
{
    const int *out = ctx;
    struct pollfd p = {.fd = *out};
    return poll(&p, 1, 0) <= 0 || (p.revents & POLLERR) == 0;
}

/* --- transports --- */

static void
limit_core(bool permitted)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_CORE, &now) != 0)
        return;
    rlim_t wanted = permitted ? now.rlim_max : 0;
    if (now.rlim_cur == wanted)
        return;
    now.rlim_cur = wanted;
    (void)setrlimit(RLIMIT_CORE, &now);
}

static bool
given_envelope(void *ctx, struct arena *a, struct str *out)
{
    const struct local_job_call *c = ctx;
    (void)a;
    *out = c->envelope;
    return c->has_envelope;
}

/* What the driver's prepare function left. False: not of this driver. */
static bool
set_prepared(const struct doing *d, const struct transport_driver *driver,
             struct transport_job *job)
{
    const char *fault;
    if (!str_is_set(d->job->prepared_record))
        return true;
    if (driver->prepared_size == 0)
        return false;
    job->prepared = arena_zalloc(d->arena, 1, driver->prepared_size);
    return record_read(d->job->prepared_record, &driver->prepared, job->prepared, &fault);
}

static struct transport_job
transport_job_of(struct doing *d, const struct driver_instance *transport)
{
    const struct local_job_call *c = &d->job->call;
    return (struct transport_job){
        .arena = d->arena,
        .eval = d->e->eval,
        .vm = d->e->vm,
        .transport = transport,
        .message = d->job->message,
        .session = d->job->session,
        .addresses = d->job->addresses,
        .n = d->job->n,
        .body_fd = d->body_fd,
        .body_start = d->job->message->body_start,
        .return_path = c->return_path,
        .uid = geteuid(),
        .gid = getegid(),
        .home = c->home,
        .directory = c->directory,
        .dont_deliver = c->dont_deliver,
        .shadow = c->shadow,
        .return_to_nobody = c->return_to_nobody,
        .envelope = given_envelope,
        .envelope_ctx = &d->job->call,
        .calls = d->e->calls,
        .wanted = is_wanted,
        .wanted_ctx = &d->out,
        .deliverer = c->deliverer,
    };
}

static int
do_transport(struct doing *d)
{
    const struct driver_instance *t = conf_transport(d->e->conf, d->job->call.driver);
    const struct transport_driver *driver = t == NULL ? NULL : transport_driver_of(t);
    struct local_job *job = d->job;
    if (driver == NULL || driver->place != TRANSPORT_LOCAL || job->message == NULL ||
        job->view == NULL || job->n == 0)
        return 1;
    transport_fn *run_it = job->call.kind == LOCAL_JOB_ROOM ? driver->room : driver->deliver;
    if (run_it == NULL)
        return 1;
    struct transport_job run = transport_job_of(d, t);
    struct transport_answer *answers = ARENA_ARRAY(d->arena, struct transport_answer, job->n);
    struct buf records = buf_in(d->arena, ANSWER_RECORDS_MAX);
    for (size_t i = 0; i < job->n; i++)
        job->addresses[i]->transport = t;
    job->view->transport = t;
    if (!set_prepared(d, driver, &run))
        return 1;
    local_rewrite_set(d->e, &run);
    limit_core(transport_own_bool(t, "permit_coredump"));
    run_it(&run, answers);
    answer_record_add(&records, answers, job->n);
    return answer(d, &records);
}

/* --- lists and filters --- */

static int
do_redirect(const struct doing *d)
{
    const struct local_job_call *c = &d->job->call;
    const struct driver_instance *router = conf_router(d->e->conf, c->driver);
    struct message none = {.arena = d->arena, .body_fd = -1};
    if (router == NULL || !redirect_is(router) || d->job->view == NULL)
        return 1;
    const struct route_call call = {
        .arena = d->arena,
        .eval = d->e->eval,
        .vm = d->e->vm,
        .router = router,
        .message = d->job->message != NULL ? d->job->message : &none,
        .address = d->job->view,
        .uid = c->uid,
        .gid = c->gid,
        .home = c->home,
    };
    const struct redirect_work what = {
        .file = c->file, .text = c->text, .qualify = c->qualify, .logs = c->logs};
    struct buf b = buf_in(d->arena, REDIRECT_BYTES_MAX);
    redirect_work(&call, &what, &b);
    return answer(d, &b);
}

static int
do_system_filter(const struct doing *d)
{
    struct buf b = buf_in(d->arena, REDIRECT_BYTES_MAX);
    if (d->job->message == NULL || d->job->view != NULL)
        return 1;
    system_filter_work(d->e, d->arena, d->job->call.file, &b);
    return answer(d, &b);
}

/* --- the rest --- */

static int
do_look(const struct doing *d)
{
    const char *path = str_cstr(d->arena, d->job->call.file);
    struct stat st;
    int error = 0;
    if (path == NULL)
        error = EINVAL;
    else if (d->job->call.access ? access(path, R_OK) != 0 : stat(path, &st) != 0)
        error = errno;
    return file_write_all(d->out, (const char *)&error, sizeof error) ? 0 : 1;
}

static int
do_command(const struct doing *d)
{
    char **argv = ARENA_ARRAY(d->arena, char *, d->job->words_n + 1);
    for (size_t i = 0; i < d->job->words_n; i++)
        if ((argv[i] = str_cstr(d->arena, d->job->words[i])) == NULL)
            return 1;
    return d->job->words_n == 0 ? 1 : child_exec(argv, d->out);
}

static void
set_context(struct engine *e, struct local_job *job, int body_fd)
{
    struct eval *ev = e->eval;
    ev->message = job->message;
    ev->session = job->session;
    ev->address = job->view;
    ev->acl_c = job->acl_c;
    ev->acl_m = job->acl_m;
    ev->router_vars = job->router_vars;
    ev->domain_data = job->call.domain_data;
    ev->local_part_data = job->call.local_part_data;
    ev->sender_data = job->call.sender_data;
    ev->host_data = job->call.host_data;
    ev->recipient_data = job->call.recipient_data;
    ev->queue_running = job->call.queue_running;
    if (job->message != NULL)
        job->message->body_fd = body_fd;
    vm_set_captures(e->vm, job->captures, (unsigned)job->captures_n);
}

int
local_work(struct engine *e, struct arena *a, struct str bytes, int body_fd, int out)
{
    const char *fault;
    struct local_job job;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct doing d = {.e = e, .arena = a, .job = &job, .body_fd = body_fd, .out = out};
    if (!local_job_read(a, bytes, &job, &fault) || job.captures_n > VM_CAPS ||
        !is_wanted(&d.out))
        return 1;
    sigaction(SIGPIPE, &ignore, NULL);
    set_context(e, &job, body_fd);
    switch ((enum local_job_kind)job.call.kind) {
    case LOCAL_JOB_TRANSPORT:
    case LOCAL_JOB_ROOM:
        return do_transport(&d);
    case LOCAL_JOB_REDIRECT:
        return do_redirect(&d);
    case LOCAL_JOB_SYSTEM_FILTER:
        return do_system_filter(&d);
    case LOCAL_JOB_LOOK:
        return do_look(&d);
    case LOCAL_JOB_COMMAND:
        return do_command(&d);
    case LOCAL_JOB_KINDS:
        break;
    }
    return 1;
}
