/* Makes a process do a system call, as whoever has taken it over could: what the jail says to that is seen from outside.
 *
 *     intrude PID CALL [ARGUMENT...]
 *
 * CALL is the number of a system call. An argument is a number, or @TEXT: the address of that text, put below the stack; @ alone is the
 * address of 4,096 bytes of nothing. Writes what the call returned (a negative errno), "killed by signal N", or "no processor for it"; the
 * process goes on as if nothing had been.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS = 6, TEXT_MAX = 4096, RED_ZONE = 4096 };

static _Noreturn void
fail(const char *what)
{
    perror(what);
    exit(2);
}

#ifdef __x86_64__
static void
wait_stop(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, __WALL) != pid)
        fail("waitpid");
    if (WIFSTOPPED(status))
        return;
    (void)printf("killed by signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    exit(0);
}

/* True if it is in a system call: the instruction that makes one is right before. */
static bool
is_in_call(pid_t pid)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
        fail("PTRACE_GETREGS");
    errno = 0;
    long word = ptrace(PTRACE_PEEKTEXT, pid, regs.rip - 2, NULL);
    return errno == 0 && (word & 0xffff) == 0x050f;
}

/* Stops it where it rests. */
static void
stop(pid_t pid)
{
    for (int i = 0; i < 1000; i++) {
        if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
            fail("PTRACE_SEIZE");
        if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
            fail("PTRACE_INTERRUPT");
        wait_stop(pid);
        if (is_in_call(pid))
            return;
        if (ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0)
            fail("PTRACE_DETACH");
        (void)usleep(2000);
    }
    (void)fprintf(stderr, "it does not come to rest\n");
    exit(2);
}

/* Puts bytes where the process has room: far below its stack pointer. */
static void
poke(pid_t pid, uint64_t at, const char *text, size_t n)
{
    char mem[64];
    (void)snprintf(mem, sizeof mem, "/proc/%d/mem", (int)pid);
    FILE *f = fopen(mem, "r+");
    if (f == NULL || fseeko(f, (off_t)at, SEEK_SET) != 0 || fwrite(text, 1, n, f) != n ||
        fclose(f) != 0)
        fail(mem);
}

static uint64_t
argument(pid_t pid, const char *word, uint64_t *room)
{
    static const char nothing[TEXT_MAX];
    if (word[0] != '@')
        return (uint64_t)strtoll(word, NULL, 0);
    const char *text = word[1] == '\0' ? nothing : word + 1;
    size_t n = word[1] == '\0' ? sizeof nothing : strlen(text) + 1;
    *room -= (n + 15) & ~(size_t)15;
    poke(pid, *room, text, n);
    return *room;
}

static int64_t
call(pid_t pid, char **words, int n)
{
    struct user_regs_struct before, now;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &before) != 0)
        fail("PTRACE_GETREGS");
    uint64_t room = before.rsp - RED_ZONE, a[ARGUMENTS] = {0};
    for (int i = 1; i < n; i++)
        a[i - 1] = argument(pid, words[i], &room);
    now = before;
    now.rip -= 2;
    now.orig_rax = (uint64_t)-1;
    now.rax = (uint64_t)strtoll(words[0], NULL, 0);
    now.rdi = a[0];
    now.rsi = a[1];
    now.rdx = a[2];
    now.r10 = a[3];
    now.r8 = a[4];
    now.r9 = a[5];
    if (ptrace(PTRACE_SETREGS, pid, NULL, &now) != 0)
        fail("PTRACE_SETREGS");
    if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0)
        fail("PTRACE_SINGLESTEP");
    wait_stop(pid);
    if (ptrace(PTRACE_GETREGS, pid, NULL, &now) != 0)
        fail("PTRACE_GETREGS");
    /* What it was in the middle of is begun anew. */
    if (ptrace(PTRACE_SETREGS, pid, NULL, &before) != 0)
        fail("PTRACE_SETREGS");
    return (int64_t)now.rax;
}

int
main(int argc, char **argv)
{
    if (argc < 3 || argc > 3 + ARGUMENTS) {
        (void)fprintf(stderr, "usage: intrude PID CALL [ARGUMENT...]\n");
        return 2;
    }
    pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
    stop(pid);
    (void)printf("%lld\n", (long long)call(pid, argv + 2, argc - 2));
    if (ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0)
        fail("PTRACE_DETACH");
    return 0;
}
#else
int
main(void)
{
    (void)fail;
    (void)printf("no processor for it\n");
    return 0;
}
#endif
