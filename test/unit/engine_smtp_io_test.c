/* The connection of an SMTP session: lines, their length, what is put back, waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "engine/smtp_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct arena *arena;
    int in[2], out[2];
    struct smtp_io *io;
};

static int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    assert_int_equal(pipe(f->in), 0);
    assert_int_equal(pipe(f->out), 0);
    f->io = smtp_io_new(a, f->in[0], f->out[1]);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    close(f->in[0]);
    if (f->in[1] >= 0)
        close(f->in[1]);
    close(f->out[0]);
    close(f->out[1]);
    arena_free(f->arena);
    return 0;
}

static void
feed(struct fixture *f, const char *p, size_t n)
{
    assert_int_equal(write(f->in[1], p, n), (ssize_t)n);
}

static void
end_input(struct fixture *f)
{
    close(f->in[1]);
    f->in[1] = -1;
}

static void
assert_line(struct fixture *f, const char *want)
{
    struct str line;
    assert_int_equal(smtp_io_line(f->io, &line), SMTP_READ_LINE);
    assert_true(str_eqz(line, want));
    assert_true(str_is_tainted(line));
}

static void
test_lines(void **state)
{
    struct fixture *f = *state;
    struct str line;
    feed(f, "one\r\ntwo\n\r\nthr\ree\r\nhalf", 23);
    end_input(f);
    assert_line(f, "one");
    assert_line(f, "two");
    assert_line(f, "");
    assert_line(f, "thr\ree");
    assert_int_equal(smtp_io_line(f->io, &line), SMTP_READ_EOF);
}

/* A line with its end may be SMTP_LINE_MAX bytes long. */
static void
test_length(void **state)
{
    struct fixture *f = *state;
    static char text[SMTP_LINE_MAX + 2];
    struct str line;
    memset(text, 'x', sizeof text);
    for (int over = -1; over <= 1; over++) {
        size_t n = (size_t)(SMTP_LINE_MAX + over);
        text[n - 1] = '\n';
        feed(f, text, n);
        text[n - 1] = 'x';
        feed(f, "next\n", 5);
        enum smtp_read got = smtp_io_line(f->io, &line);
        assert_int_equal(got, over > 0 ? SMTP_READ_TOO_LONG : SMTP_READ_LINE);
        if (over <= 0)
            assert_int_equal(line.n, n - 1);
        assert_line(f, "next");
    }
}

static void
test_put_back(void **state)
{
    struct fixture *f = *state;
    char block[64];
    feed(f, "body\n.\nQUIT\n", 12);
    ssize_t n = smtp_io_get(f->io, block, sizeof block);
    assert_int_equal(n, 12);
    smtp_io_unget(f->io, block + 7, 5);
    assert_true(smtp_io_is_ahead(f->io));
    assert_line(f, "QUIT");
    assert_int_equal(smtp_io_line_number(f->io), 3);
}

static void
test_more_is_put_back_than_fits(void **state)
{
    struct fixture *f = *state;
    static char big[60000];
    memset(big, 'y', sizeof big);
    big[sizeof big - 1] = '\n';
    feed(f, "rest\n", 5);
    assert_true(smtp_io_is_ahead(f->io));
    smtp_io_unget(f->io, big, sizeof big);
    struct str line;
    assert_int_equal(smtp_io_line(f->io, &line), SMTP_READ_TOO_LONG);
    assert_line(f, "rest");
}

static void
test_time_is_up(void **state)
{
    struct fixture *f = *state;
    struct str line;
    smtp_io_set_timeout(f->io, 20);
    assert_false(smtp_io_has_timed_out(f->io));
    assert_int_equal(smtp_io_line(f->io, &line), SMTP_READ_TIMEOUT);
    assert_true(smtp_io_has_timed_out(f->io));
}

static void
test_end_is_not_ahead(void **state)
{
    struct fixture *f = *state;
    assert_false(smtp_io_is_ahead(f->io));
    end_input(f);
    assert_false(smtp_io_is_ahead(f->io));
}

/* Answers go out before the next wait, not earlier. */
static void
test_answers_are_collected(void **state)
{
    struct fixture *f = *state;
    char got[32];
    feed(f, "a\nb\n", 4);
    assert_line(f, "a");
    smtp_io_write(f->io, STR_LIT("1\r\n"));
    assert_line(f, "b");
    smtp_io_write(f->io, STR_LIT("2\r\n"));
    end_input(f);
    struct str line;
    assert_int_equal(smtp_io_line(f->io, &line), SMTP_READ_EOF);
    assert_int_equal(read(f->out[0], got, sizeof got), 6);
    assert_memory_equal(got, "1\r\n2\r\n", 6);
}

/* The time is for a line, however many pieces it comes in; what has no lines goes by length. */
static void
test_time_of_a_line(void **state)
{
    struct fixture *f = *state;
    struct str line;
    char block[1024];
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct smtp_io *io = smtp_io_new(f->arena, ends[0], -1);
    assert_true(smtp_io_set_slice(io, 1));
    smtp_io_set_timeout(io, 60000);
    smtp_io_let_rest(io, true);
    assert_int_equal(send(ends[1], "N", 1, 0), 1);
    assert_int_equal(smtp_io_line(io, &line), SMTP_READ_LATER);
    int64_t first = smtp_io_deadline_ms(io);
    assert_true(first > 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(send(ends[1], "o", 1, 0), 1);
        assert_int_equal(smtp_io_line(io, &line), SMTP_READ_LATER);
        assert_true(smtp_io_deadline_ms(io) == first);
    }
    assert_int_equal(send(ends[1], "\r\n", 2, 0), 2);
    assert_int_equal(smtp_io_line(io, &line), SMTP_READ_LINE);
    assert_true(smtp_io_deadline_ms(io) == 0);
    memset(block, 'x', sizeof block);
    for (int i = 1; i <= 10; i++) {
        assert_int_equal(send(ends[1], block, 100, 0), 100);
        assert_int_equal(smtp_io_get(io, block, sizeof block), 100);
        assert_true((smtp_io_deadline_ms(io) == 0) == (i == 10));
    }
    close(ends[0]);
    close(ends[1]);
}

/* Who does not read loses the connection, which is told apart from one that is gone. */
static void
test_answers_are_not_read(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct smtp_io *io = smtp_io_new(f->arena, ends[0], ends[0]);
    smtp_io_set_timeout(io, 20);
    for (int i = 0; i < 1000000 && !smtp_io_is_lost(io); i++)
        smtp_io_write(io, STR_LIT("250 an answer that nobody reads\r\n"));
    assert_true(smtp_io_is_lost(io) && smtp_io_is_stuck(io));
    close(ends[1]);
    io = smtp_io_new(f->arena, ends[0], ends[0]);
    smtp_io_write(io, STR_LIT("250 nobody is there\r\n"));
    assert_false(smtp_io_flush(io));
    assert_true(smtp_io_is_lost(io) && !smtp_io_is_stuck(io));
    close(ends[0]);
}

/* Feeds a text piece by piece; the last one makes it whole. */
static void
assert_whole_after(const char *const *pieces, size_t n)
{
    int fds[2];
    struct arena *a = arena_new();
    size_t seen = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct smtp_io *io = smtp_io_new(a, fds[0], fds[0]);
    assert_true(smtp_io_set_slice(io, 1));
    smtp_io_let_rest(io, true);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(smtp_io_text(io, &seen), SMTP_READ_LATER);
        smtp_io_rest(io);
        assert_int_equal(write(fds[1], pieces[i], strlen(pieces[i])), strlen(pieces[i]));
    }
    assert_int_equal(smtp_io_text(io, &seen), SMTP_READ_LINE);
    close(fds[1]);
    close(fds[0]);
    arena_free(a);
}

static void
test_text_comes_to_its_end(void **state)
{
    (void)state;
    assert_whole_after((const char *[]){".\r\n"}, 1);
    assert_whole_after((const char *[]){"a: b\r\n", "\r\n", ".x\r\n", ".", "\r", "\n"}, 6);
    assert_whole_after((const char *[]){"a", "\n", ".", "\nQUIT\r\n"}, 4);
    assert_whole_after((const char *[]){"a.\r\n..\r\n. \r\n", "x\r\n.\r\n"}, 2);
}

static void
test_text_that_is_long_or_ends(void **state)
{
    static char block[SMTP_TEXT_MAX];
    int fds[2];
    struct arena *a = arena_new();
    size_t seen = 0;
    (void)state;
    memset(block, 'x', sizeof block);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct smtp_io *io = smtp_io_new(a, fds[0], fds[0]);
    assert_true(smtp_io_set_slice(io, 1));
    smtp_io_let_rest(io, true);
    assert_int_equal(write(fds[1], block, sizeof block - 1), sizeof block - 1);
    assert_int_equal(smtp_io_text(io, &seen), SMTP_READ_LATER);
    assert_int_equal(write(fds[1], block, 1), 1);
    assert_int_equal(smtp_io_text(io, &seen), SMTP_READ_LINE);
    assert_int_equal(smtp_io_peek(io, 2 * sizeof block).n, sizeof block);
    smtp_io_take(io, sizeof block);
    seen = 0;
    close(fds[1]);
    assert_int_equal(smtp_io_text(io, &seen), SMTP_READ_LINE);
    assert_int_equal(smtp_io_get(io, block, sizeof block), 0);
    close(fds[0]);
    arena_free(a);
}

static bool
say(void *ctx)
{
    return *(const bool *)ctx;
}

static void
test_slow_peer_gives_way(void **state)
{
    int fds[2];
    struct arena *a = arena_new();
    char c;
    bool crowded = false;
    const struct smtp_io_yield y = {
        .crowded = say, .ctx = &crowded, .window_ms = 1, .bytes = 10};
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct smtp_io *io = smtp_io_new(a, fds[0], fds[0]);
    assert_true(smtp_io_set_slice(io, 1));
    smtp_io_set_timeout(io, 1200);
    smtp_io_set_yield(io, &y);
    assert_int_equal(smtp_io_get(io, &c, 1), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_false(smtp_io_has_yielded(io)); /* nobody else wants the thread */
    crowded = true;
    smtp_io_set_timeout(io, 600000);
    assert_int_equal(smtp_io_get(io, &c, 1), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(smtp_io_has_yielded(io));
    close(fds[1]);
    close(fds[0]);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_comes_to_its_end),
        cmocka_unit_test(test_text_that_is_long_or_ends),
        cmocka_unit_test(test_slow_peer_gives_way),
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_put_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_is_put_back_than_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_is_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_of_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers_are_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_is_not_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers_are_collected, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
