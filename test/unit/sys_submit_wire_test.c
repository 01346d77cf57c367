/* A user's call on its way to the daemon: words, descriptors, who it is, and what is no call. */
#include "sys/submit_wire.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_call(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/remex-submit.%d", (int)getpid());
    int listener = submit_wire_listen(path);
    assert_true(listener >= 0);
    int client = submit_wire_connect(path);
    assert_true(client >= 0);
    int server = accept(listener, NULL, NULL);
    char *argv[] = {(char[]){"remex"}, (char[]){""}, (char[]){"joe@example.org"}, NULL};
    assert_true(submit_wire_send(client, 3, argv));
    struct submit_request rq;
    struct priv_caller who;
    assert_true(submit_wire_peer(server, &who));
    assert_int_equal(who.uid, getuid());
    assert_true(submit_wire_receive(a, server, &rq));
    assert_int_equal(rq.args.n, 3);
    assert_string_equal(rq.args.v[1], "");
    assert_string_equal(rq.args.v[2], "joe@example.org");
    assert_null(rq.args.v[3]);
    int status = 0;
    submit_wire_answer(server, 7);
    assert_true(submit_wire_wait(client, &status));
    assert_int_equal(status, 7);
    close(server);
    assert_false(submit_wire_wait(client, &status));
    for (int i = 0; i < 3; i++)
        close(rq.fds[i]);
    close(client);
    close(listener);
    (void)unlink(path);
    arena_free(a);
}

/* A head that says n, with or without descriptors. */
static bool
receives(uint32_t n, const char *text, size_t text_n)
{
    struct arena *a = arena_new();
    struct submit_request rq;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(send(fds[0], &n, sizeof n, 0), sizeof n);
    assert_int_equal(send(fds[0], text, text_n, 0), (ssize_t)text_n);
    close(fds[0]);
    bool got = submit_wire_receive(a, fds[1], &rq);
    close(fds[1]);
    arena_free(a);
    return got;
}

static void
test_no_descriptors(void **state)
{
    (void)state;
    assert_false(receives(4, "abc", 4));
    assert_false(receives(UINT32_MAX, "abc", 4));
}

static void
test_words(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct submit_request rq;
    static char many[2 * SUBMIT_WIRE_ARGS_MAX + 2];
    char text[] = "a\0b";
    assert_true(submit_wire_split(a, text, sizeof text, &rq));
    assert_int_equal(rq.args.n, 2);
    assert_false(submit_wire_split(a, text, sizeof text - 1, &rq));
    assert_false(submit_wire_split(a, text, 0, &rq));
    for (size_t i = 0; i < sizeof many; i += 2)
        many[i] = 'x';
    assert_true(submit_wire_split(a, many, 2 * SUBMIT_WIRE_ARGS_MAX - 2, &rq));
    assert_true(submit_wire_split(a, many, 2 * SUBMIT_WIRE_ARGS_MAX, &rq));
    assert_int_equal(rq.args.n, SUBMIT_WIRE_ARGS_MAX);
    assert_false(submit_wire_split(a, many, 2 * SUBMIT_WIRE_ARGS_MAX + 2, &rq));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
