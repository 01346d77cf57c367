/* Replies of a server that come in pieces, late, too long, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transports/reply_reader.h"

#include "base/arena.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena *a;
static int ends[2];
static struct reply_reader reader;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return -1;
    reply_reader_start(a, &reader, ends[0]);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    arena_free(a);
    return 0;
}

static void
say(const char *text)
{
    assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
}

static void
test_one_after_the_other(void **state)
{
    (void)state;
    struct smtp_reply r;
    say("220 hello\r\n250-one\r\n250 2.1.0 two\r\n3");
    assert_int_equal(reply_reader_next(a, &reader, 1000, &r), REPLY_READ);
    assert_int_equal(r.code, 220);
    assert_true(str_eqz(r.text, "220 hello"));
    assert_int_equal(reply_reader_next(a, &reader, 1000, &r), REPLY_READ);
    assert_int_equal(r.code, 250);
    struct str first = r.text;
    assert_int_equal(reply_reader_next(a, &reader, 50, &r), REPLY_TIMED_OUT);
    say("54 go\r\n");
    assert_int_equal(reply_reader_next(a, &reader, 1000, &r), REPLY_READ);
    assert_int_equal(r.code, 354);
    assert_non_null(
        strstr(str_cstr(a, first), "one")); /* a copy: later replies do not change it */
}

static void
test_closed(void **state)
{
    (void)state;
    struct smtp_reply r;
    say("250-half\r\n");
    close(ends[1]);
    ends[1] = -1;
    assert_int_equal(reply_reader_next(a, &reader, 1000, &r), REPLY_CLOSED);
}

static void
test_nonsense(void **state)
{
    (void)state;
    struct smtp_reply r;
    say("hello there\r\n220 late\r\n");
    assert_int_equal(reply_reader_next(a, &reader, 1000, &r), REPLY_BAD);
    assert_true(str_eqz(r.text, "hello there"));
}

/* A reply without an end is refused at the cap, whatever the server goes on to send. */
static void
test_endless(void **state)
{
    (void)state;
    struct smtp_reply r;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        for (int i = 0; i < 20000; i++)
            if (write(ends[1], "250-and so on and so forth\r\n", 28) < 0)
                _exit(0);
        _exit(0);
    }
    close(ends[1]);
    ends[1] = -1;
    assert_int_equal(reply_reader_next(a, &reader, 5000, &r), REPLY_BAD);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
