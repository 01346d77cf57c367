/* Signals read from a descriptor; see signals.h. */
#include "sys/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int taken[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD, SIGUSR1};

static void
fill(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        sigaddset(set, taken[i]);
}

static void
set_default(int sig)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigaction(sig, &dfl, NULL);
}

void
signals_ignore_questions(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGUSR1, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
}

int
signals_take(void)
{
    sigset_t set;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    fill(&set);
    if (sigaction(SIGPIPE, &ignore, NULL) != 0 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    /* What is ignored would never be seen. */
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        set_default(taken[i]);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
signals_next(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void
signals_release(int fd)
{
    sigset_t set;
    fill(&set);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        set_default(taken[i]);
    signals_ignore_questions();
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    if (fd >= 0)
        close(fd);
}

ssize_t
signals_writev(int fd, const struct iovec *v, int count)
{
    static const struct timespec now = {0, 0};
    sigset_t pipe_only, before;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &pipe_only, &before) != 0)
        return -1;
    ssize_t n = writev(fd, v, count);
    int error = errno;
    if (n < 0 && error == EPIPE) /* it waits for this thread, unless it is ignored */
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            continue;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}
