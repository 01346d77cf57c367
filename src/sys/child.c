/* Children that become a user; see child.h. */
#include "sys/child.h"

#include "base/arena.h"
#include "sys/await.h"
#include "sys/priv.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child says before its answer: 'k', or which step failed and the errno. */
struct child_word {
    char step; /* 'k', 'u' (become), 'd' (directory) */
    int sys_errno;
};

void
child_say(int out, char step)
{
    struct child_word w = {.step = step, .sys_errno = step == 'k' ? 0 : errno};
    ssize_t n = write(out, &w, sizeof w);
    (void)n; /* who does not hear it sees an answer that is too short */
}

static bool
become(const struct child_request *rq)
{
    return rq->reads_all ? priv_become_reader(rq->uid, rq->gid)
                         : priv_become_user(rq->uid, rq->gid, rq->login);
}

char
child_settle(const struct child_request *rq)
{
    setpgid(0, 0);
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &dfl, NULL);
    sigaction(SIGALRM, &dfl, NULL);
    sigaction(SIGTERM, &dfl, NULL);
    sigset_t none; /* a process of the daemon reads its signals, and blocks them */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (rq->become && !become(rq))
        return 'u';
    return rq->directory != NULL && chdir(rq->directory) != 0 ? 'd' : 'k';
}

static _Noreturn void
live(const struct child_request *rq, int out)
{
    char step = child_settle(rq);
    child_say(out, step);
    _exit(step == 'k' ? rq->run(rq->ctx, out) : 1);
}

/* The process itself may have left its group. */
static bool
strike(pid_t pid)
{
    (void)kill(-pid, SIGKILL);
    return kill(pid, SIGKILL) == 0 || errno != EPERM;
}

void
child_kill(const struct child_request *rq, pid_t pid)
{
    int status;
    if (strike(pid) || !rq->become)
        return;
    pid_t killer = fork();
    if (killer == 0) {
        if (become(rq))
            (void)strike(pid);
        _exit(0);
    }
    while (killer > 0 && waitpid(killer, &status, 0) < 0 && errno == EINTR) {
    }
}

_Static_assert(sizeof(struct child_word) <= CHILD_WORD_MAX, "the word of a child");

static void
take_status(int status, struct child_result *out)
{
    out->end = WIFEXITED(status) ? CHILD_EXITED : CHILD_SIGNALLED;
    out->status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

void
child_take_word(struct child_result *out)
{
    struct child_word w;
    if (out->answer.n < sizeof w) {
        if (out->end == CHILD_EXITED)
            out->end = CHILD_SIGNALLED;
        out->answer = str_tainted(STR_EMPTY);
        return;
    }
    memcpy(&w, out->answer.p, sizeof w);
    out->answer = str_sub(out->answer, sizeof w, out->answer.n);
    if (w.step != 'k') {
        out->end = w.step == 'u' ? CHILD_NOT_BECOME : CHILD_NO_DIRECTORY;
        out->sys_errno = w.sys_errno;
    }
}

static pid_t
start(const struct child_request *rq, const int *pipe_fd)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(pipe_fd[0]);
        live(rq, pipe_fd[1]);
    }
    if (pid > 0)
        setpgid(pid, pid);
    return pid;
}

int
child_exec(char *const *argv, int out)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        return SPAWN_NO_EXEC;
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &dfl, NULL);
    execv(argv[0], argv);
    return SPAWN_NO_EXEC;
}

bool
child_start(struct arena *a, const struct child_request *rq, struct child_process *p,
            struct child_result *out)
{
    int pipe_fd[2];
    *out = (struct child_result){.end = CHILD_NO_START, .answer = STR_EMPTY};
    if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
        out->sys_errno = errno;
        return false;
    }
    p->deadline_ms = rq->timeout_s > 0 ? await_now_ms() + rq->timeout_s * 1000 : 0;
    p->pid = start(rq, pipe_fd);
    out->sys_errno = p->pid < 0 ? errno : 0;
    close(pipe_fd[1]);
    p->fd = pipe_fd[0];
    if (p->pid < 0) {
        close(pipe_fd[0]);
        return false;
    }
    p->text = buf_in(a, rq->max_answer + sizeof(struct child_word));
    p->rq = *rq;
    return true;
}

void
child_collect(struct child_process *p, struct child_result *out)
{
    int status = 0;
    bool whole = await_collect(p->fd, p->deadline_ms, true, &p->text);
    if (!whole)
        child_kill(&p->rq, p->pid);
    close(p->fd);
    if (whole && p->rq.lingers)
        out->end = CHILD_EXITED;
    else if (await_end(p->pid, p->deadline_ms, &status) == AWAIT_TIMED_OUT ||
             (!whole && !p->text.overflow))
        out->end = CHILD_TIMED_OUT;
    else
        take_status(status, out);
    if (p->text.overflow)
        out->end = CHILD_TOO_MUCH;
    out->answer = str_tainted(buf_str(&p->text));
    child_take_word(out);
}

void
child_await(pid_t pid)
{
    int status;
    (void)await_end(pid, 0, &status);
}

void
child_run(struct arena *a, const struct child_request *rq, struct child_result *out)
{
    struct child_process p;
    if (child_start(a, rq, &p, out))
        child_collect(&p, out);
}
