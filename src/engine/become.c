/* Jobs for users; see become.h. */
#include "engine/become.h"

#include "base/strlist.h"
#include "conf/main_options.h"
#include "engine/local_work.h"
#include "sys/priv.h"
#include "sys/site.h"
#include "sys/user.h"
#include "transports/key_place.h"

#include <errno.h>

void
become_set_context(const struct engine *e, struct local_job *job)
{
    const struct eval *ev = e->eval;
    job->message = ev->message;
    job->session = ev->session;
    job->view = ev->address;
    job->acl_c = ev->acl_c;
    job->acl_m = ev->acl_m;
    job->router_vars = ev->router_vars;
    job->captures_n = vm_captures(e->vm, &job->captures);
    job->call.domain_data = ev->domain_data;
    job->call.local_part_data = ev->local_part_data;
    job->call.sender_data = ev->sender_data;
    job->call.host_data = ev->host_data;
    job->call.recipient_data = ev->recipient_data;
    job->call.queue_running = ev->queue_running;
}

bool
become_never(const struct engine *e, int64_t uid)
{
    const struct opt_ids *ids = &e->conf->main->never_users;
    if (uid == 0)
        return true;
    for (uint32_t i = 0; i < ids->n; i++)
        if (ids->v[i] == uid)
            return true;
    struct str item;
    struct strlist_split s =
        strlist_split_start(e->site == NULL ? STR_EMPTY : e->site->never_users, ':');
    while (strlist_split_next(&s, e->arena, &item)) {
        int64_t never;
        if (item.n > 0 && user_find(NULL, item, &never) && never == uid)
            return true;
    }
    return false;
}

void
become_set_reader(const struct engine *e, struct become_request *rq)
{
    if (!e->can_become || !become_never(e, (int64_t)rq->uid))
        return;
    rq->uid = e->mail_uid;
    rq->gid = e->mail_gid;
    rq->login = STR_NULL;
    rq->reads_all = true;
}

/* --- in a child of our own --- */

struct forked {
    struct engine *engine;
    struct arena *arena;
    struct str bytes;
    int body_fd;
};

static int
work(void *ctx, int out)
{
    const struct forked *f = ctx;
    return local_work(f->engine, f->arena, f->bytes, f->body_fd, out);
}

static void
by_fork(const struct engine_become *self, struct engine *e, struct arena *a,
        const struct become_request *rq, struct str bytes, struct child_result *out)
{
    (void)self;
    struct forked f = {.engine = e, .arena = a, .bytes = bytes, .body_fd = rq->body_fd};
    const struct child_request child = {
        .become = e->can_become,
        .uid = rq->uid,
        .gid = rq->gid,
        .reads_all = rq->reads_all,
        .login = str_is_set(rq->login) ? str_cstr(a, rq->login) : NULL,
        .directory = str_is_set(rq->directory) ? str_cstr(a, rq->directory) : NULL,
        .timeout_s = rq->timeout_s,
        .max_answer = rq->max_answer,
        .run = work,
        .ctx = &f,
    };
    child_run(a, &child, out);
}

/* By the reserve of root, for this one call: what a child of ours could do, too. */
static int
open_key(const struct engine_become *self, struct engine *e, const struct become_key *key,
         struct key_file_result *why)
{
    (void)self;
    struct arena *a = arena_new();
    struct key_places places;
    const char *transport = str_cstr(a, key->transport), *path = str_cstr(a, key->path);
    int fd = -1;
    *why = (struct key_file_result){.end = KEY_FILE_BAD_PATH};
    key_places_find(a, e->conf, &places);
    if (transport != NULL && path != NULL) {
        struct priv_files we = priv_files_as((struct priv_files){.uid = 0, .gid = 0});
        fd = key_places_open(&places, transport, path, why);
        (void)priv_files_as(we);
    }
    arena_free(a);
    return fd;
}

const struct engine_become become_by_fork = {.run = by_fork, .open_key = open_key};

void
become_run(struct engine *e, struct arena *a, const struct become_request *rq,
           struct child_result *out)
{
    struct arena *own = arena_new();
    struct buf bytes = buf_in(own, LOCAL_JOB_BYTES_MAX);
    if (local_job_write(&bytes, rq->job))
        e->become->run(e->become, e, a, rq, buf_str(&bytes), out);
    else
        *out = (struct child_result){
            .end = CHILD_NO_START, .sys_errno = EMSGSIZE, .answer = STR_EMPTY};
    arena_free(own);
}
