/* The socket client against small servers on the loopback. */
#include "sys/sock.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena *a;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

/* Answers one connection: what was read until end of file, in brackets. */
static _Noreturn void
serve(int listener, bool silent)
{
    char text[256];
    size_t n = 0;
    alarm(10);
    int fd = accept(listener, NULL, NULL);
    for (ssize_t r; fd >= 0 && (r = read(fd, text + n, sizeof text - n)) > 0;)
        n += (size_t)r;
    if (silent)
        sleep(5);
    dprintf(fd, "[%.*s]", (int)n, text);
    _exit(0);
}

static bool
ask_tcp(const char *text, int timeout_ms, size_t max, bool silent, struct str *answer,
        struct str *error)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &n), 0);
    pid_t pid = fork();
    if (pid == 0)
        serve(listener, silent);
    close(listener);
    struct sock_request rq = {.where = str_printf(a, "inet:[127.0.0.1]:%d", ntohs(sa.sin_port)),
                              .text = str_from_cstr(text),
                              .timeout_ms = timeout_ms,
                              .shut_down = true,
                              .max_answer = max};
    bool ok = sock_ask(a, &rq, answer, error);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return ok;
}

static void
test_tcp(void **state)
{
    (void)state;
    struct str answer, error;
    assert_true(ask_tcp("hello\n", 3000, 100, false, &answer, &error));
    assert_true(str_eqz(answer, "[hello\n]"));
    assert_true(str_is_tainted(answer));
    assert_true(ask_tcp("", 3000, 2, false, &answer, &error));
    assert_true(str_eqz(answer, "[]"));
    assert_false(ask_tcp("x", 3000, 2, false, &answer, &error));
    assert_true(str_eqz(error, "answer from socket is too long"));
}

static void
test_timeout(void **state)
{
    (void)state;
    struct str answer, error;
    assert_false(ask_tcp("x", 100, 100, true, &answer, &error));
    assert_true(str_eqz(error, "socket read timed out"));
}

static void
check_refused(const char *where, const char *want)
{
    struct sock_request rq = {.where = str_from_cstr(where),
                              .text = STR_LIT("x"),
                              .timeout_ms = 1000,
                              .shut_down = true,
                              .max_answer = 10};
    struct str answer, error = STR_EMPTY;
    assert_false(sock_ask(a, &rq, &answer, &error));
    if (!str_eqz(error, want))
        fail_msg("%s: %.*s", where, STR_ARG(error));
}

static void
test_refusals(void **state)
{
    (void)state;
    check_refused("/nonexistent",
                  "failed to connect to socket /nonexistent: No such file or directory");
    check_refused("inet:127.0.0.1:1",
                  "failed to connect to any address for 127.0.0.1: Connection refused");
    check_refused("inet:127.0.0.1", "missing port number for readsocket inet:127.0.0.1");
    check_refused("inet:[::1]", "missing port number for readsocket inet:[::1]");
    check_refused("inet:127.0.0.1:no-such-service", "unknown port \"no-such-service\"");
}

static void
test_unix(void **state)
{
    (void)state;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof sa.sun_path, "/tmp/remex-sock-%d", (int)getpid());
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(listener, 1), 0);
    pid_t pid = fork();
    if (pid == 0)
        serve(listener, false);
    struct sock_request rq = {.where = str_from_cstr(sa.sun_path),
                              .text = STR_LIT("q"),
                              .timeout_ms = 3000,
                              .shut_down = true,
                              .max_answer = 10};
    struct str answer, error;
    assert_true(sock_ask(a, &rq, &answer, &error));
    assert_true(str_eqz(answer, "[q]"));
    unlink(sa.sun_path);
    close(listener);
    waitpid(pid, NULL, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_unix),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
