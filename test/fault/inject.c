/* Runs a command and strikes at the n-th call, of it or of any of its children, that makes something durable below a folder:
 * kills the process or all of them, or makes the call fail. x86-64 and aarch64 Linux.
 *
 * usage: inject MODE N ROOT REPORT COMMAND...
 *   MODE    count, kill, killall, or the number of an errno
 *   ROOT    calls on files elsewhere do not count
 *   REPORT  file to which `calls NAME` is written: how many there were, and which was struck
 *
 * Exit status: that of the command; 137 when it was killed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

enum { TRACEES_MAX = 256 };

enum shape { ON_FD, ON_FD_AT, ON_PATH, ON_PATH_OPEN, ON_DIR, ON_TWO_DIRS, ON_OPENAT };

enum { FILL = 64 * 1024 };

struct call {
    long number;
    const char *name;
    enum shape shape;
};

static const struct call calls[] = {
    {SYS_fsync, "fsync", ON_FD},          {SYS_fdatasync, "fdatasync", ON_FD},
    {SYS_write, "write", ON_FD},          {SYS_writev, "writev", ON_FD},
    {SYS_pwrite64, "pwrite64", ON_FD},    {SYS_ftruncate, "ftruncate", ON_FD},
    {SYS_openat, "openat", ON_OPENAT},    {SYS_renameat, "renameat", ON_DIR},
    {SYS_renameat2, "renameat2", ON_DIR}, {SYS_linkat, "linkat", ON_DIR},
    {SYS_unlinkat, "unlinkat", ON_DIR},   {SYS_mkdirat, "mkdirat", ON_DIR},
    {SYS_fallocate, "fallocate", ON_FD},  {SYS_fsetxattr, "fsetxattr", ON_FD},
    {SYS_pwritev, "pwritev", ON_FD_AT},
#ifdef SYS_rename
    {SYS_rename, "rename", ON_PATH},      {SYS_link, "link", ON_PATH},
    {SYS_unlink, "unlink", ON_PATH},      {SYS_open, "open", ON_PATH_OPEN},
#endif
};

struct tracee {
    pid_t pid;
    bool failing; /* the call that it is in gives an error at its end */
};

struct run {
    const char *mode, *root;
    long at, seen;
    int error;
    const char *struck;
    struct tracee v[TRACEES_MAX];
    size_t n;
};

static struct tracee *
tracee_of(struct run *r, pid_t pid)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].pid == pid)
            return &r->v[i];
    if (r->n == TRACEES_MAX)
        exit(2);
    r->v[r->n] = (struct tracee){.pid = pid};
    return &r->v[r->n++];
}

static bool
below(const struct run *r, const char *path)
{
    size_t n = strlen(r->root);
    return strncmp(path, r->root, n) == 0;
}

static bool
fd_below(const struct run *r, pid_t pid, int fd)
{
    char name[64], target[PATH_MAX];
    if (fd == AT_FDCWD)
        (void)snprintf(name, sizeof name, "/proc/%d/cwd", (int)pid);
    else
        (void)snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t n = readlink(name, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    return below(r, target);
}

static void
read_text(pid_t pid, uint64_t address, char out[PATH_MAX])
{
    size_t n = 0;
    memset(out, 0, PATH_MAX);
    while (n < PATH_MAX - sizeof(long)) {
        errno = 0;
        long word = ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)(address + n), NULL);
        if (errno != 0)
            return;
        memcpy(out + n, &word, sizeof word);
        if (memchr(&word, 0, sizeof word) != NULL)
            return;
        n += sizeof word;
    }
}

static bool
path_below(const struct run *r, pid_t pid, int dir, uint64_t address)
{
    char path[PATH_MAX];
    read_text(pid, address, path);
    return path[0] == '/' ? below(r, path) : fd_below(r, pid, dir);
}

static bool
writes(uint64_t flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
}

static bool
counts(const struct run *r, pid_t pid, const struct call *c, const __u64 *args)
{
    switch (c->shape) {
    case ON_FD:
        return fd_below(r, pid, (int)args[0]);
    case ON_FD_AT: /* of the many that fill a new segment with zeros the first alone */
        return !(args[2] == 1 && args[3] > 0 && args[3] % FILL == 0) &&
               fd_below(r, pid, (int)args[0]);
    case ON_PATH:
        return path_below(r, pid, AT_FDCWD, args[0]);
    case ON_PATH_OPEN:
        return writes(args[1]) && path_below(r, pid, AT_FDCWD, args[0]);
    case ON_DIR:
    case ON_TWO_DIRS:
        return path_below(r, pid, (int)args[0], args[1]);
    case ON_OPENAT:
        return writes(args[2]) && path_below(r, pid, (int)args[0], args[1]);
    }
    return false;
}

/* A call that does nothing, and is allowed everywhere, instead of this one. */
static void
skip_call(pid_t pid)
{
#if defined __x86_64__
    struct user_regs_struct regs;
    ptrace(PTRACE_GETREGS, pid, NULL, &regs);
    regs.orig_rax = (unsigned long long)SYS_getpid;
    ptrace(PTRACE_SETREGS, pid, NULL, &regs);
#else
    int none = SYS_getpid;
    struct iovec v = {.iov_base = &none, .iov_len = sizeof none};
    ptrace(PTRACE_SETREGSET, pid, (void *)0x404 /* NT_ARM_SYSTEM_CALL */, &v);
#endif
}

static void
set_result(pid_t pid, int error)
{
#if defined __x86_64__
    struct user_regs_struct regs;
    ptrace(PTRACE_GETREGS, pid, NULL, &regs);
    regs.rax = (unsigned long long)-(long long)error;
    ptrace(PTRACE_SETREGS, pid, NULL, &regs);
#else
    struct user_regs_struct regs;
    struct iovec v = {.iov_base = &regs, .iov_len = sizeof regs};
    ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v);
    regs.regs[0] = (unsigned long long)-(long long)error;
    ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v);
#endif
}

static void
strike(struct run *r, struct tracee *t, const struct call *c)
{
    r->struck = c->name;
    if (strcmp(r->mode, "kill") == 0)
        kill(t->pid, SIGKILL);
    else if (strcmp(r->mode, "killall") == 0)
        for (size_t i = 0; i < r->n; i++)
            kill(r->v[i].pid, SIGKILL);
    else if (r->error > 0) {
        skip_call(t->pid);
        t->failing = true;
    }
}

static void
on_call(struct run *r, struct tracee *t)
{
    struct ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, (void *)sizeof info, &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->failing) {
        set_result(t->pid, r->error);
        t->failing = false;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (info.entry.nr == (__u64)calls[i].number &&
            counts(r, t->pid, &calls[i], info.entry.args) && ++r->seen == r->at)
            strike(r, t, &calls[i]);
}

static void
start(char **argv)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    execvp(argv[0], argv);
    _exit(127);
}

/* Follows all until the first one has ended; those that go on in the background are followed too. */
static int
follow(struct run *r, pid_t first)
{
    int status, result = 137;
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
        if (pid <= 0)
            continue;
        struct tracee *t = tracee_of(r, pid);
        if (!WIFSTOPPED(status)) {
            if (pid == first)
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            *t = r->v[--r->n];
            continue;
        }
        int sig = WSTOPSIG(status);
        if (sig == (SIGTRAP | 0x80))
            on_call(r, t);
        else if (sig == SIGSTOP)
            ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options);
        bool pass = sig != (SIGTRAP | 0x80) && sig != SIGTRAP && sig != SIGSTOP;
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)(pass ? sig : 0));
    }
    return result;
}

int
main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    struct run r = {.mode = argv[1], .at = atol(argv[2]), .root = argv[3], .struck = "-"};
    r.error = atoi(argv[1]);
    pid_t pid = fork();
    if (pid == 0)
        start(argv + 5);
    int result = follow(&r, pid);
    FILE *f = fopen(argv[4], "w");
    if (f == NULL)
        return 2;
    fprintf(f, "%ld %s\n", r.seen, r.struck);
    return fclose(f) == 0 ? result : 2;
}
