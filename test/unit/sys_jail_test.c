/* A jailed process: what it may do, what it is refused, and what it dies of. Each try is a child of its own. */
#include "sys/jail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REFUSED = 10, DONE = 11, NO_JAIL = 12 };

/* The exit status, or minus the signal. */
static int
try(unsigned allowed, int (*what)(void))
{
    pid_t pid = fork();
    int status;
    if (pid == 0)
        _exit(jail_calls(allowed) ? what() : NO_JAIL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int
make_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? DONE : REFUSED;
}

static int
make_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? DONE : REFUSED;
}

static int
execute(void)
{
    char *argv[] = {(char[]){"true"}, NULL};
    execv("/bin/true", argv);
    return REFUSED;
}

static int
become_another(void)
{
    return syscall(SYS_setresuid, 1, 1, 1) == 0 ? DONE : REFUSED;
}

static void *
rest(void *ctx)
{
    return ctx;
}

static int
trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? DONE : REFUSED;
}

static int
work(void)
{
    pthread_t t;
    int fd = open("/etc/passwd", O_RDONLY);
    return fd >= 0 && pthread_create(&t, NULL, rest, NULL) == 0 && pthread_join(t, NULL) == 0
               ? DONE
               : REFUSED;
}

static int
have_a_child(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return waitpid(pid, NULL, 0) == pid ? DONE : REFUSED;
}

static void
test_calls(void **state)
{
    (void)state;
    assert_int_equal(try(0, work), DONE);
    assert_int_equal(try(0, make_unix), DONE);
    assert_int_equal(try(0, have_a_child), -SIGSYS);
    assert_int_equal(try(JAIL_CHILDREN, have_a_child), DONE);
    assert_int_equal(try(JAIL_CHILDREN, work), DONE);
    assert_int_equal(try(0, make_inet), -SIGSYS);
    assert_int_equal(try(JAIL_NETWORK, make_inet), DONE);
    assert_int_equal(try(JAIL_NETWORK, execute), -SIGSYS);
    assert_int_equal(try(JAIL_PROGRAMS, execute), 0);
    assert_int_equal(try(JAIL_NETWORK | JAIL_PROGRAMS, become_another), -SIGSYS);
    assert_int_equal(try(JAIL_NETWORK | JAIL_PROGRAMS, trace), -SIGSYS);
}

/* --- before the text of strangers --- */

static int
try_refused(int (*what)(void))
{
    pid_t pid = fork();
    int status;
    if (pid == 0)
        _exit(jail_calls(JAIL_CHILDREN | JAIL_NO_SOCKETS | JAIL_TIGHTER) && jail_refuse()
                  ? what()
                  : NO_JAIL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int
signal_parent(void)
{
    return kill(getppid(), 0) == 0 ? DONE : REFUSED;
}

static int
signal_thread_of_parent(void)
{
    return syscall(SYS_tgkill, getppid(), getppid(), 0) == 0 ? DONE : REFUSED;
}

static int
give_up(void)
{
    abort();
}

static int
make_pair(void)
{
    int fds[2];
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0 ? DONE : REFUSED;
}

static int
shut_in_again(void)
{
    return jail_files(NULL, 0) ? DONE : NO_JAIL;
}

static int
read_only(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0 ? DONE : REFUSED;
}

static void
test_refused(void **state)
{
    (void)state;
    assert_int_equal(try_refused(read_only), DONE);
    assert_int_equal(try_refused(give_up), -SIGABRT);
    assert_int_equal(try_refused(signal_parent), -SIGSYS);
    assert_int_equal(try_refused(signal_thread_of_parent), -SIGSYS);
    assert_int_equal(try_refused(have_a_child), -SIGSYS);
    assert_int_equal(try_refused(make_unix), -SIGSYS);
    assert_int_equal(try_refused(make_inet), -SIGSYS);
    assert_int_equal(try_refused(make_pair), -SIGSYS);
    assert_int_equal(try_refused(shut_in_again), -SIGSYS);
    assert_int_equal(try_refused(execute), -SIGSYS);
    assert_int_equal(try(JAIL_NO_SOCKETS, make_unix), -SIGSYS);
    assert_int_equal(try(JAIL_NO_SOCKETS, make_pair), DONE);
    assert_int_equal(try(JAIL_NO_SOCKETS, shut_in_again), -SIGSYS);
    assert_int_equal(try(JAIL_NO_SOCKETS | JAIL_TIGHTER, shut_in_again), DONE);
}

/* --- files --- */

struct place {
    char top[32], in[64], out[64];
};

static int
open_as(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        return DONE;
    return errno == EACCES ? REFUSED : 1;
}

static int
in_jail(const struct place *p, const char *path, int flags, unsigned access)
{
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        const struct jail_path paths[] = {{p->in, access}, {"/no/such/place", JAIL_READ}};
        _exit(jail_files(paths, 2) ? open_as(path, flags) : NO_JAIL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
make_place(struct place *p)
{
    strcpy(p->top, "/tmp/remex-jail.XXXXXX");
    assert_non_null(mkdtemp(p->top));
    (void)snprintf(p->in, sizeof p->in, "%s/in", p->top);
    (void)snprintf(p->out, sizeof p->out, "%s/out", p->top);
    assert_int_equal(mkdir(p->in, 0700), 0);
    close(open(p->out, O_WRONLY | O_CREAT, 0600));
}

static void
test_files(void **state)
{
    (void)state;
    struct place p;
    char file[128];
    make_place(&p);
    (void)snprintf(file, sizeof file, "%s/file", p.in);
    int first = in_jail(&p, file, O_WRONLY | O_CREAT, JAIL_READ | JAIL_WRITE);
    if (first != NO_JAIL) { /* the kernel can */
        assert_int_equal(first, DONE);
        assert_int_equal(in_jail(&p, file, O_RDONLY, JAIL_READ), DONE);
        assert_int_equal(in_jail(&p, file, O_WRONLY, JAIL_READ), REFUSED);
        assert_int_equal(in_jail(&p, p.out, O_RDONLY, JAIL_READ | JAIL_WRITE), REFUSED);
        assert_int_equal(in_jail(&p, "/etc/passwd", O_RDONLY, JAIL_READ), REFUSED);
    }
    (void)unlink(file);
    (void)unlink(p.out);
    (void)rmdir(p.in);
    (void)rmdir(p.top);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
