/* A process of the agent's: becomes a user for good, then does jobs of that user until it is told no more.
 *
 * Only who it is to be is looked at while it is root.
 */
#include "base/arena.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "engine/local_job.h"
#include "engine/local_work.h"
#include "proc/agent.h"
#include "sys/account.h"
#include "sys/caps.h"
#include "sys/child.h"
#include "sys/file.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The groups that come along are the user's own: those of a name that has this uid. Root's group is nobody's but theirs whose
 * it is by the password file. */
static bool
is_allowed(struct arena *a, const struct agent_head *who)
{
    const struct passwd *pw;
    if (who->name_n > 0) {
        pw = account_user(a, who->name);
        if (pw == NULL || pw->pw_uid != who->uid)
            return false;
    }
    if (who->gid != 0)
        return true;
    pw = account_user_of_id(a, who->uid);
    return pw != NULL && pw->pw_gid == 0;
}

/* 'k', or the step that failed with errno. */
static char
become(struct engine *e, const struct agent_head *who)
{
    const struct child_request rq = {
        .become = true,
        .uid = who->uid,
        .gid = who->gid,
        .reads_all = (who->flags & AGENT_READS_ALL) != 0,
        .login = who->name_n > 0 ? who->name : NULL,
    };
    struct arena *a = arena_new();
    bool allowed = is_allowed(a, who);
    arena_free(a);
    errno = EPERM;
    if (!allowed)
        return 'u';
    char step = child_settle(&rq);
    if (step == 'k' && (who->flags & AGENT_RUNS_PROGRAMS) == 0 && !caps_no_new_privileges())
        return 'u';
    e->can_become = false;
    e->eval->process.pid = getpid();
    return step;
}

/* The job from its file; unset when it cannot be read. */
static struct str
read_job(struct arena *a, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > LOCAL_JOB_BYTES_MAX)
        return STR_NULL;
    size_t n = (size_t)st.st_size, at = 0;
    char *p = arena_alloc(a, n);
    while (at < n) {
        ssize_t got = pread(fd, p + at, n - at, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return STR_NULL;
        at += (size_t)got;
    }
    return str_from(p, n);
}

static int
do_job(struct engine *e, const struct agent_packet *p, char step)
{
    int answer = p->fd[AGENT_FD_ANSWER];
    if (step == 'k' && chdir(p->head.path_n > 0 ? p->head.path : "/") != 0)
        step = 'd';
    child_say(answer, step);
    if (step != 'k')
        return 1;
    struct arena *a = arena_new();
    struct str bytes = read_job(a, p->fd[AGENT_FD_JOB]);
    int status = 1;
    if (str_is_set(bytes))
        status =
            local_work(e, a, bytes, p->fds > AGENT_FD_BODY ? p->fd[AGENT_FD_BODY] : -1, answer);
    struct eval *ev = e->eval;
    ev->message = NULL;
    ev->session = NULL;
    ev->address = NULL;
    ev->acl_c = ev->acl_m = ev->router_vars = NULL;
    ev->domain_data = ev->local_part_data = ev->sender_data = STR_NULL;
    ev->host_data = ev->recipient_data = STR_NULL;
    vm_reset_state(e->vm);
    list_cache_forget(ev->lists);
    arena_free(a);
    return status;
}

/* False: there is no more. */
static bool
next(int control, struct agent_packet *p)
{
    struct pollfd wait = {.fd = control, .events = POLLIN};
    enum agent_wire_result r = AGENT_WIRE_AGAIN;
    while (r == AGENT_WIRE_AGAIN) {
        if (poll(&wait, 1, -1) < 0 && errno != EINTR)
            return false;
        r = agent_wire_receive(control, p);
    }
    return r == AGENT_WIRE_OK;
}

_Noreturn void
agent_child_live(struct engine *e, const struct agent_head *who, int control)
{
    struct agent_packet p;
    char step = become(e, who);
    int fault = errno;
    while (next(control, &p)) {
        struct arena_mark mark = arena_mark(vm_scratch(e->vm));
        errno = fault;
        int32_t status = do_job(e, &p, step);
        vm_release(e->vm, mark);
        agent_wire_close(&p);
        if (step != 'k')
            _exit(1);
        if (!file_write_all(control, (const char *)&status, sizeof status))
            break;
    }
    _exit(0);
}
