/* Further processes of the program; see process.h. */
#include "sys/process.h"

#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHILD_FD = 3 };

extern char **environ;

/* Only async-signal-safe calls. */
static _Noreturn void
become_self(char *const *argv, int fd)
{
    sigset_t none;
    sigemptyset(&none);
    signals_ignore_questions(); /* until it can answer them */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (fd == CHILD_FD ? fcntl(fd, F_SETFD, 0) != 0 : dup2(fd, CHILD_FD) < 0)
        _exit(127);
    close_range(CHILD_FD + 1, ~0U, 0);
    if (setresgid(getegid(), getegid(), getegid()) != 0 ||
        setresuid(geteuid(), geteuid(), geteuid()) != 0)
        _exit(127);
    execve("/proc/self/exe", argv, environ);
    _exit(127);
}

pid_t
process_start_self(char *const *argv, int fd)
{
    pid_t pid = fork();
    if (pid == 0)
        become_self(argv, fd);
    return pid;
}

bool
process_is_started_by_parent(int fd)
{
    struct ucred who;
    socklen_t n = sizeof who;
    int type = 0;
    socklen_t m = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_SEQPACKET &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.pid == getppid() &&
           who.uid == getuid();
}

void
process_detach(const char *name)
{
    (void)setsid();
    process_name(name);
}

void
process_name(const char *name)
{
    (void)prctl(PR_SET_NAME, name);
}

void
process_die_with_parent(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void
process_keep_memory(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0);
}

void
process_limit_heaps(int n)
{
    (void)mallopt(M_ARENA_MAX, n);
}

void
process_trim_heaps(void)
{
    (void)malloc_trim(0);
}

void
process_leave_standard_files(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        (void)dup2(null, fd);
    if (null > 2)
        close(null);
}

/* The status of who was in the foreground: 0 if a byte comes. */
static int
wait_until_ready(int from)
{
    char c;
    ssize_t n;
    do
        n = read(from, &c, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? 0 : 1;
}

bool
process_to_background(int *ready)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid > 0) {
        close(ends[1]);
        _exit(wait_until_ready(ends[0]));
    }
    int saved = errno;
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        errno = saved;
        return false;
    }
    *ready = ends[1];
    (void)setsid();
    process_leave_standard_files();
    return true;
}

void
process_is_ready(int ready)
{
    if (ready < 0)
        return;
    ssize_t n =
        write(ready, "", 1); /* who was killed meanwhile need not know: SIGPIPE is ignored */
    (void)n;
    close(ready);
}
