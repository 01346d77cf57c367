/* Places of servers, and answers at their caps. */
#include "scanners/scan_socket.h"

#include "base/arena.h"
#include "sys/await.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_place(void **state)
{
    struct scan_place p;
    struct str rest;
    (void)state;
    assert_true(scan_place_parse(STR_LIT(" /run/x "), &p, NULL));
    assert_true(str_eqz(p.path, "/run/x"));
    assert_true(scan_place_parse(STR_LIT("h 1"), &p, NULL));
    assert_true(scan_place_parse(STR_LIT("h 65535"), &p, NULL));
    assert_true(scan_place_parse(STR_LIT("h\t1-65535  a b"), &p, &rest));
    assert_int_equal(p.high, 65535);
    assert_true(str_eqz(rest, "a b"));
    static const char *const bad[] = {
        "",    "h",     "h 0",  "h 65536", "h -1",    "h 1-0", "h 1-",
        "h -", "h 1 a", "/x a", "h 1-x",   "h 1-2-3", "h 0x1", "h 99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(scan_place_parse(str_from_cstr(bad[i]), &p, NULL));
}

struct pair {
    struct arena *arena;
    struct scan_socket s;
    int peer;
};

/* A connection on which text comes, and then the end unless it is left open. */
static struct pair
start(const char *p, size_t n, bool left_open)
{
    int fd[2];
    struct pair k = {.arena = arena_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd), 0);
    assert_int_equal(write(fd[1], p, n), n);
    if (!left_open)
        shutdown(fd[1], SHUT_WR);
    const struct scan_asker by = {.arena = k.arena, .connected = fd[0]};
    struct scan_place place = {.path = STR_LIT("/x")};
    struct str why;
    k.s.deadline_ms = await_now_ms() + 500;
    assert_true(scan_socket_open(&by, &place, &k.s, &why));
    k.peer = fd[1];
    return k;
}

static void
end(struct pair *k)
{
    scan_socket_close(&k->s);
    close(k->peer);
    arena_free(k->arena);
}

static void
check_answer(const char *text, size_t n, unsigned ends, bool left_open, const char *want)
{
    struct pair k = start(text, n, left_open);
    struct buf b = buf_in(k.arena, 8);
    bool ok = scan_socket_answer(&k.s, ends, &b);
    assert_int_equal(ok, want != NULL);
    if (ok)
        assert_true(str_eqz(buf_str(&b), want));
    end(&k);
}

static void
test_answer(void **state)
{
    (void)state;
    check_answer("abcdefg", 7, 0, false, "abcdefg");
    check_answer("abcdefgh", 8, 0, true, "abcdefgh");
    check_answer("abcdefghi", 9, 0, true, "abcdefgh");
    check_answer("ab\0cd", 5, 0, true, "ab");
    check_answer("ab\ncd", 5, 0, false, "ab\ncd");
    check_answer("ab\ncd", 5, SCAN_ENDS_WITH_LINE, true, "ab");
    check_answer("ab", 2, SCAN_ENDS_IN_SILENCE, true, "ab");
    check_answer("ab", 2, SCAN_ENDS_WITH_LINE, true, NULL); /* the time was up */
}

static void
test_reasons(void **state)
{
    (void)state;
    struct pair k = start("", 0, true);
    struct buf b = buf_in(k.arena, 8);
    assert_false(scan_socket_answer(&k.s, SCAN_ENDS_IN_SILENCE, &b));
    assert_int_equal(errno, ETIMEDOUT);
    end(&k);
    k = start("", 0, false);
    b = buf_in(k.arena, 8);
    assert_false(scan_socket_answer(&k.s, 0, &b));
    assert_int_equal(errno, 0);
    assert_string_equal(scan_socket_reason(0), "EOF");
    char four[4];
    assert_false(scan_socket_exact(&k.s, four, sizeof four));
    assert_int_equal(errno, 0);
    end(&k);
}

static void
test_lines(void **state)
{
    struct str line;
    (void)state;
    struct pair k = start("one\r\ntwo\nthree", 14, false);
    assert_true(scan_socket_line(&k.s, &line));
    assert_true(str_eqz(line, "one"));
    assert_true(scan_socket_line(&k.s, &line));
    assert_true(str_eqz(line, "two"));
    assert_true(scan_socket_line(&k.s, &line));
    assert_true(str_eqz(line, "three"));
    assert_false(scan_socket_line(&k.s, &line));
    assert_int_equal(errno, 0);
    end(&k);
}

static void
test_long_lines(void **state)
{
    struct str line;
    (void)state;
    char *text = malloc(LINE_SOCKET_MAX + 2);
    memset(text, 'x', LINE_SOCKET_MAX + 2);
    for (int n = LINE_SOCKET_MAX - 2; n <= LINE_SOCKET_MAX;
         n++) { /* bytes before the newline */
        text[n] = '\n';
        struct pair k = start(text, (size_t)n + 1, false);
        assert_int_equal(scan_socket_line(&k.s, &line), n < LINE_SOCKET_MAX);
        if (n < LINE_SOCKET_MAX)
            assert_int_equal(line.n, n);
        else
            assert_int_equal(errno, EMSGSIZE);
        end(&k);
        text[n] = 'x';
    }
    free(text);
}

static void
test_all(void **state)
{
    (void)state;
    for (size_t n = 7; n <= 9; n++) {
        struct pair k = start("123456789", n, false);
        struct buf b = buf_in(k.arena, 8);
        assert_true(scan_socket_all(&k.s, &b));
        assert_int_equal(b.n, n < 8 ? n : 8);
        assert_false(b.overflow);
        end(&k);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),      cmocka_unit_test(test_answer),
        cmocka_unit_test(test_reasons),    cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_lines), cmocka_unit_test(test_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
