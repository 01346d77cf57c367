/* Starts another program; see spawn.h.
 *
 * fork and exec are next to each other: between them the child calls async-signal-safe functions only.
 */
#include "sys/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
default_signals(void)
{
    static const int signals[] = {SIGPIPE, SIGCHLD, SIGALRM, SIGTERM, SIGHUP, SIGINT, SIGUSR1};
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &dfl, NULL);
}

/* Puts them where they belong. None is 1 or 2: the process has these (priv_keep_standard_fds). */
static bool
arrange(int in, int out, int err)
{
    if (out == 0) {
        out = dup(out);
        if (out < 0)
            return false;
    }
    return dup2(in, 0) == 0 && dup2(err > 0 ? err : out, 2) == 2 && dup2(out, 1) == 1;
}

/* Never returns. Only async-signal-safe calls from here to the exec. */
static _Noreturn void
become_program(const struct spawn_request *rq)
{
    static char *const nothing[] = {NULL};
    setpgid(0, 0);
    default_signals();
    sigset_t none; /* a process of the daemon reads its signals, and blocks them */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (!arrange(rq->in, rq->out, rq->err))
        _exit(SPAWN_NO_EXEC);
    close_range(3, ~0U, 0);
    if (rq->set_umask)
        umask(rq->umask);
    if (rq->core) {
        struct rlimit core = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        (void)setrlimit(RLIMIT_CORE, &core); /* a lower hard limit stays */
    }
    if (rq->directory != NULL && chdir(rq->directory) != 0)
        _exit(SPAWN_NO_EXEC);
    execve(rq->argv[0], rq->argv, rq->environ != NULL ? rq->environ : nothing);
    _exit(SPAWN_NO_EXEC);
}

pid_t
spawn_program(const struct spawn_request *rq)
{
    pid_t pid = fork();
    if (pid == 0)
        become_program(rq);
    if (pid > 0)
        setpgid(pid, pid); /* in both, so that the group exists whoever runs first */
    return pid;
}

/* In the process between: it waits for the program, with the lock. Never returns. */
static _Noreturn void
keep_company(const struct spawn_request *rq, int lock)
{
    int status;
    setsid();
    pid_t pid = fork();
    if (pid == 0)
        become_program(rq);
    (void)arrange(rq->in, rq->out, rq->err); /* nobody is to wait for our ends of pipes */
    if (lock > 3)
        close_range(3, (unsigned)lock - 1, 0);
    close_range(lock >= 3 ? (unsigned)lock + 1 : 3, ~0U, 0);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    _exit(0);
}

bool
spawn_detached(const struct spawn_request *rq, int lock)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        pid_t between = fork();
        if (between == 0)
            keep_company(rq, lock);
        _exit(between < 0);
    }
    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return errno == ECHILD; /* somebody else was quicker */
    errno = EAGAIN;
    return status == 0;
}
