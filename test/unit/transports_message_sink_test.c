/* Bytes on their way out: gathered, passed through, changed line by line, and faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transports/message_sink.h"

#include "base/arena.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct taken {
    struct buf got;
    unsigned calls;
    int fail_at, with;
};

static bool
take(void *ctx, struct iovec *v, int n)
{
    struct taken *t = ctx;
    if ((int)++t->calls == t->fail_at) {
        errno = t->with;
        return false;
    }
    for (int i = 0; i < n; i++)
        buf_add(&t->got, v[i].iov_base, v[i].iov_len);
    return true;
}

static const char *
through(struct arena *a, struct message_lines l, const char *text, size_t step)
{
    struct taken t = {.got = buf_in(a, 0)};
    struct message_sink s = {.arena = a, .put = take, .ctx = &t};
    size_t n = strlen(text);
    for (size_t at = 0; at < n; at += step)
        assert_true(message_sink_lines(&s, &l, text + at, n - at < step ? n - at : step));
    assert_true(message_sink_lines_end(&s, &l) && message_sink_flush(&s));
    assert_int_equal(s.bytes, t.got.n);
    return str_cstr(a, buf_str(&t.got));
}

static void
test_lines(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct message_lines from = {.check = STR_LIT("From "), .escape = STR_LIT(">From ")},
                               crlf = {.crlf = true},
                               dots = {.check = STR_LIT("."),
                                       .escape = STR_LIT(".."),
                                       .crlf = true},
                               plain = {.crlf = false};
    const struct {
        const struct message_lines *l;
        const char *text, *want;
    } rows[] = {
        {&from, "From x\nFro\nFrom\nFrom y", ">From x\nFro\nFrom\n>From y"},
        {&from, "a From b\n\nFrom ", "a From b\n\n>From "},
        {&from, "FFrom x\nFFF", "FFrom x\nFFF"},
        {&crlf, "a\nb\r\n\nc\rd", "a\r\nb\r\n\r\nc\rd"},
        {&dots, ".\n..\na.\n", "..\r\n...\r\na.\r\n"},
        {&plain, ".\nFrom \r\n", ".\nFrom \r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 9; step++) /* wherever the pieces end */
            assert_string_equal(through(a, *rows[i].l, rows[i].text, step), rows[i].want);
    arena_free(a);
}

static void
test_gathering(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct taken t = {.got = buf_in(a, 0)};
    struct message_sink s = {.arena = a, .put = take, .ctx = &t};
    char *big = arena_alloc(a, 100000);
    memset(big, 'x', 100000);
    for (int i = 0; i < 100; i++)
        assert_true(message_sink_adds(&s, STR_LIT("small")));
    assert_int_equal(t.calls, 0);
    assert_true(message_sink_add(&s, big, 100000));
    assert_int_equal(t.calls, 1); /* what was gathered goes with it */
    assert_int_equal(t.got.n, 100500);
    assert_true(message_sink_flush(&s));
    assert_int_equal(s.bytes, 100500);
    arena_free(a);
}

static void
test_faults(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct taken t = {.got = buf_in(a, 0), .fail_at = 1, .with = ENOSPC};
    struct message_sink s = {.arena = a, .put = take, .ctx = &t};
    assert_true(message_sink_adds(&s, STR_LIT("text")));
    assert_false(message_sink_flush(&s));
    assert_int_equal(s.sys_errno, ENOSPC);
    assert_false(message_sink_adds(&s, STR_LIT("more"))); /* nothing after the first fault */
    assert_false(message_sink_flush(&s));
    assert_int_equal(t.calls, 1);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct message_sink f = {.arena = a, .fd = full};
    assert_true(message_sink_adds(&f, STR_LIT("text")));
    assert_false(message_sink_flush(&f));
    assert_int_equal(f.sys_errno, ENOSPC);
    close(full);
    arena_free(a);
}

static void
test_advance(void **state)
{
    (void)state;
    char one[] = "abc", two[] = "defg";
    struct iovec v[] = {{one, 3}, {two, 4}}, *p = v;
    int n = 2;
    message_sink_advance(&p, &n, 2);
    assert_int_equal(n, 2);
    assert_int_equal(p[0].iov_len, 1);
    message_sink_advance(&p, &n, 3);
    assert_int_equal(n, 1);
    assert_int_equal(p[0].iov_len, 2);
    assert_memory_equal(p[0].iov_base, "fg", 2);
    message_sink_advance(&p, &n, 2);
    assert_int_equal(n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_gathering),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_advance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
