/* SOCKS 5 over a pair of sockets: what is said, and answers of all kinds, also cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "sys/await.h"
#include "sys/socks.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct result {
    bool ok;
    struct socks_answer answer;
    unsigned char said[600];
    size_t said_n;
    ssize_t left; /* bytes behind the answer that nobody read */
};

static struct socks_request
request(void)
{
    struct socks_request rq = {.port = 25, .deadline_ms = await_now_ms() + 2000};
    assert_true(ip_parse(STR_LIT("192.0.2.1"), &rq.to));
    return rq;
}

/* What the proxy says is there from the beginning; it hears nothing, and is gone after it if it closes. */
static struct result
talk(const struct socks_request *rq, struct str answer, bool closes)
{
    struct result r = {.ok = false};
    int fd[2];
    char rest[16];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    if (answer.n > 0)
        assert_int_equal(write(fd[1], answer.p, answer.n), answer.n);
    if (closes)
        assert_int_equal(shutdown(fd[1], SHUT_WR), 0);
    r.ok = socks_connect(fd[0], rq, &r.answer);
    ssize_t n = read(fd[1], r.said, sizeof r.said);
    r.said_n = n < 0 ? 0 : (size_t)n;
    r.left = read(fd[0], rest, sizeof rest);
    close(fd[0]);
    close(fd[1]);
    return r;
}

#define BYTES(s) str_from((s), sizeof(s) - 1)

static void
test_without_name(void **state)
{
    struct arena *a = arena_new();
    const struct socks_request rq = request();
    (void)state;
    struct result r = talk(&rq,
                           BYTES("\5\0\5\0\0\1\177\0\0\1\276\357"
                                 "220 hi"),
                           false);
    assert_true(r.ok);
    assert_true(str_eqz(ip_text(a, &r.answer.bound), "127.0.0.1"));
    assert_int_equal(r.answer.bound_port, 48879);
    assert_int_equal(r.left, 6);
    assert_int_equal(r.said_n, 13);
    assert_memory_equal(r.said, "\5\1\0\5\1\0\1\300\0\2\1\0\31", 13);
    arena_free(a);
}

static void
test_with_name(void **state)
{
    struct socks_request rq = request();
    (void)state;
    rq.by_name = true;
    rq.name = STR_LIT("fred");
    rq.pass = STR_EMPTY;
    assert_true(ip_parse(STR_LIT("2001:db8::1"), &rq.to));
    struct result r = talk(&rq, BYTES("\5\2\1\0\5\0\0\3\4abcd\0\1"), false);
    assert_true(r.ok && r.answer.bound.n == 0 && r.answer.bound_port == 1);
    assert_int_equal(r.said_n, 3 + 7 + 22);
    assert_memory_equal(r.said, "\5\1\2\1\4fred\0\5\1\0\4\40\1\15\270", 18);
    r = talk(&rq, BYTES("\5\2\1\1"), false);
    assert_true(!r.ok && r.answer.end == SOCKS_NO_AUTH);
    char longest[SOCKS_WORD_MAX + 1];
    memset(longest, 'x', sizeof longest);
    rq.name = str_from(longest, sizeof longest);
    r = talk(&rq, BYTES("\5\2\1\0\5\0\0\1\0\0\0\0\0\0"), false);
    assert_true(!r.ok && r.answer.end == SOCKS_NO_AUTH);
    rq.name = str_from(longest, SOCKS_WORD_MAX);
    r = talk(&rq, BYTES("\5\2\1\0\5\0\0\1\0\0\0\0\0\0"), false);
    assert_true(r.ok);
}

static void
test_refusals(void **state)
{
    const struct socks_request rq = request();
    static const struct {
        struct str answer;
        enum socks_end end;
        int sys_errno;
        const char *words;
    } cases[] = {
        {STR_INIT("\4\2"), SOCKS_GARBLED, 0, "it does not speak SOCKS 5"},
        {STR_INIT("\5\2"), SOCKS_NO_METHOD, 0, "it wants another kind of authentication"},
        {STR_INIT("\5\377"), SOCKS_NO_METHOD, 0, "it wants another kind of authentication"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result r = talk(&rq, cases[i].answer, false);
        assert_false(r.ok);
        assert_int_equal(r.answer.end, cases[i].end);
        assert_string_equal(socks_words(&r.answer), cases[i].words);
    }
    static const int numbers[] = {0, 0, 0, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, ETIMEDOUT,
                                  0, 0, 0};
    for (int code = 1; code < 10; code++) {
        char answer[] = {5, 0, 5, (char)code};
        struct result r = talk(&rq, str_from(answer, sizeof answer), false);
        assert_true(!r.ok && r.answer.end == SOCKS_REFUSED);
        assert_int_equal(socks_errno(&r.answer), numbers[code]);
        assert_true(socks_words(&r.answer)[0] != '\0');
    }
    struct result r = talk(&rq, BYTES("\5\0\5\0\0\7\0\0\0\0\0\0"), false);
    assert_true(!r.ok && r.answer.end == SOCKS_GARBLED);
}

static void
test_cut(void **state)
{
    struct str all = BYTES("\5\0\5\0\0\3\4abcd\0\1");
    struct socks_request rq = request();
    (void)state;
    for (size_t n = 0; n < all.n; n++) {
        struct result r = talk(&rq, str_sub(all, 0, n), true);
        assert_true(!r.ok && r.answer.end == SOCKS_CLOSED);
        rq.deadline_ms = await_now_ms() + 20;
        r = talk(&rq, str_sub(all, 0, n), false);
        assert_true(!r.ok && r.answer.end == SOCKS_TIMED_OUT);
        rq.deadline_ms = await_now_ms() + 2000;
    }
    assert_true(talk(&rq, all, true).ok);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_name),
        cmocka_unit_test(test_with_name),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
