/* The text of a message: line ends, dots, ends and caps, whatever the pieces in which it comes. */
#include "engine/receive_text.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

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

/* A source that gives pieces of so many bytes, then its end or an error. */
struct pieces {
    struct str rest;
    size_t piece;
    int error; /* errno at the end, 0: end of file */
    struct str ungot;
};

static ssize_t
get(void *ctx, char *p, size_t n)
{
    struct pieces *s = ctx;
    if (s->rest.n == 0) {
        errno = s->error;
        return s->error != 0 ? -1 : 0;
    }
    struct str part = str_sub(s->rest, 0, n < s->piece ? n : s->piece);
    memcpy(p, part.p, part.n);
    s->rest = str_sub(s->rest, part.n, s->rest.n);
    return (ssize_t)part.n;
}

static void
unget(void *ctx, const char *p, size_t n)
{
    struct pieces *s = ctx;
    s->ungot = str_dup(a, str_from(p, n));
}

static bool
put(void *ctx, const char *p, size_t n)
{
    buf_add(ctx, p, n);
    return true;
}

struct read {
    struct str header, body, left;
    enum receive_text_end end;
    struct receive_text t;
};

/* Reads all: header lines as long as they are some, then the body. */
static struct read
read_with_caps(enum receive_framing framing, struct str in, size_t piece,
               struct receive_caps caps)
{
    struct pieces s = {.rest = in, .piece = piece, .ungot = STR_EMPTY};
    struct receive_source source = {.get = get, .unget = unget, .ctx = &s};
    struct read r = {.end = RECEIVE_TEXT_MORE};
    struct buf header = buf_in(a, 0), body = buf_in(a, 0);
    struct str line, first = STR_EMPTY;
    receive_text_start(&r.t, a, framing, &source);
    r.t.caps = caps;
    r.t.put = put;
    r.t.put_ctx = &body;
    while ((r.end = receive_text_line(&r.t, a, &line)) == RECEIVE_TEXT_MORE) {
        if (header_name_length(line) == 0) {
            first = line;
            break;
        }
        buf_adds(&header, line);
    }
    if (r.end == RECEIVE_TEXT_MORE || r.end == RECEIVE_TEXT_BODY || r.end == RECEIVE_TEXT_OVER)
        r.end = receive_text_body(&r.t, first);
    r.header = buf_str(&header);
    r.body = buf_str(&body);
    struct buf left = buf_in(a, 0);
    buf_adds(&left, s.ungot);
    buf_adds(&left, s.rest);
    r.left = buf_str(&left);
    return r;
}

static struct read
read_all(enum receive_framing framing, struct str in, size_t piece)
{
    return read_with_caps(framing, in, piece, (struct receive_caps){.message = 0});
}

static void
assert_text(struct str got, const char *wanted, const char *what)
{
    if (!str_eqz(got, wanted))
        fail_msg("%s: got \"%.*s\", wanted \"%s\"", what, STR_ARG(got), wanted);
}

struct row {
    enum receive_framing framing;
    const char *in, *header, *body, *left;
    enum receive_text_end end;
};

#define TO_END RECEIVE_TO_END
#define DOT RECEIVE_DOT
#define SMTP RECEIVE_SMTP
#define BATCH RECEIVE_BATCH_SMTP
#define CHUNKS RECEIVE_CHUNKS
#define OVER RECEIVE_TEXT_OVER
#define CUT RECEIVE_TEXT_CUT_OFF

/* Compared with the reference, byte for byte, wherever it has an opinion. */
static const struct row rows[] = {
    {TO_END, "a: b\n\nfoo\n", "a: b\n", "foo\n", "", OVER},
    {TO_END, "a: b\n\nfoo", "a: b\n", "foo\n", "", OVER},
    {TO_END, "a: b\n\nfoo\n.\nbar\n", "a: b\n", "foo\n.\nbar\n", "", OVER},
    {TO_END, "", "", "", "", OVER},
    {TO_END, "a: b", "a: b\n", "", "", OVER},
    {TO_END, "a: b\r", "a: b\n", "", "", OVER},
    {TO_END, "\n\nfoo", "", "\nfoo\n", "", OVER},
    {TO_END, " a: b\n\nfoo", "", " a: b\n\nfoo\n", "", OVER},
    {TO_END, "a: b\nnocolon\nc: d\n", "a: b\n", "nocolon\nc: d\n", "", OVER},
    {TO_END, "a: b\n  \nc: d\n\nx", "a: b\nc: d\n", "x\n", "", OVER},
    {TO_END, "a: b\n  \n c\n\nx", "a: b\n  \n c\n", "x\n", "", OVER},
    {TO_END, "a\n : b\n\n", "a\n : b\n", "", "", OVER},
    {TO_END, "a: b\r\n\r\nfoo\nbar\r\nx", "a: b\n", "foo\nbar\nx\n", "", OVER},
    {TO_END, "a: b\r\nc: d\ne: f\r\n\r\n", "a: b\nc: d\n e: f\n", "", "", OVER},
    {TO_END, "a: b\rc\n\nx\ry\r\nz", "a: b\n c\n", "x\ny\nz\n", "", OVER},
    {DOT, "a: b\n\nfoo\n.\nbar\n", "a: b\n", "foo\n", "bar\n", OVER},
    {DOT, "a: b\n\nfoo\n.\r\nbar\n", "a: b\n", "foo\n", "bar\n", OVER},
    {DOT, "a: b\n\nfoo\n.\rbar\n", "a: b\n", "foo\n.\nbar\n", "", OVER},
    {DOT, "a: b\n\nfoo\r.\nbar\n", "a: b\n", "foo\n.\nbar\n", "", OVER},
    {DOT, "a: b\n\nfoo\r.\rbar\n", "a: b\n", "foo\n.\nbar\n", "", OVER},
    {DOT, "a: b\n\nfoo\n.", "a: b\n", "foo\n.\n", "", OVER},
    {DOT, "a: b\n\n..\n", "a: b\n", "..\n", "", OVER},
    {DOT, "a: b\n.\nfoo", "a: b\n", "", "foo", OVER},
    {DOT, ".\nfoo", "", "", "foo", OVER},
    {SMTP, "a: b\r\n\r\n.x\r\n..\r\nfoo\r\n.\r\nQUIT\r\n", "a: b\n", "x\n.\nfoo\n", "QUIT\r\n",
     OVER},
    {SMTP, "a: b\n\n.x\n..\nfoo\n.\nQUIT\n", "a: b\n", "x\n.\nfoo\n", "QUIT\n", OVER},
    {SMTP, "a: b\r\n\r\nfoo\n.\nbar\r\n.\r\n", "a: b\n", "foo . bar\n", "", OVER},
    {SMTP, "a: b\r\n\r\nfoo\r\n.\nbar\r\n.\r\n", "a: b\n", "foo\n bar\n", "", OVER},
    {SMTP, "a: b\r\n\r\nfoo\n.\r\nbar\r\n.\r\n", "a: b\n", "foo .\nbar\n", "", OVER},
    {SMTP, "a: b\r\n\r\nfoo\r.\r\nbar\r\n.\r\n", "a: b\n", "foo\n.\nbar\n", "", OVER},
    {SMTP, "a: b\r\n\r\nfoo\r\n.\rx\r\n.\r\n", "a: b\n", "foo\n\nx\n", "", OVER},
    {SMTP, ".a: b\r\n..: c\r\n\r\n.\r\n", "a: b\n.: c\n", "", "", OVER},
    {SMTP, "a: b\r\n.\r\nQUIT", "a: b\n", "", "QUIT", OVER},
    {SMTP, "a: b\r\n\r\nfoo", "a: b\n", "foo", "", CUT},
    {SMTP, "a: b", "", "", "", CUT},
    {BATCH, "a: b\n\nfoo\n..\n.\nquit\n", "a: b\n", "foo\n.\n", "quit\n", OVER},
    {CHUNKS, "a: b\r\n\r\n..\r\n.\r\nfoo\r\n", "a: b\n", "..\n.\nfoo\n", "", OVER},
};

static void
every_framing_in_pieces_of_every_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        for (size_t piece = 1; piece < 40; piece += piece < 8 ? 1 : 7) {
            struct read r = read_all(row->framing, str_from_cstr(row->in), piece);
            char what[200];
            (void)snprintf(what, sizeof what, "row %zu in pieces of %zu", i, piece);
            if (row->end == RECEIVE_TEXT_OVER) {
                assert_text(r.header, row->header, what);
                assert_text(r.body, row->body, what);
                assert_text(r.left, row->left, what);
            }
            if (r.end != row->end)
                fail_msg("%s: ended as %d", what, (int)r.end);
        }
    }
}

static void
line_ends_at_the_edge_of_a_block(void **state)
{
    (void)state;
    for (size_t at = 32760; at < 32776; at++) {
        struct buf in = buf_in(a, 0);
        buf_addz(&in, "a: b\r\n\r\n");
        while (in.n < at)
            buf_addc(&in, 'x');
        buf_addz(&in, "\r\n.\r\nQUIT");
        struct read r = read_all(RECEIVE_SMTP, buf_str(&in), SIZE_MAX);
        assert_int_equal(r.end, RECEIVE_TEXT_OVER);
        assert_int_equal(r.body.n, at - 8 + 1);
        assert_text(r.left, "QUIT", "edge");
    }
}

static void
figures(void **state)
{
    (void)state;
    static const char text[] = "a: b\n c\nlonger: x\n\none\n\0two\0\nlonger than the header\n";
    struct str in = str_from(text, sizeof text - 1);
    struct read r = read_all(RECEIVE_TO_END, in, 5);
    assert_int_equal(r.t.header_lines, 4);
    assert_int_equal(r.t.body_lines, 3);
    assert_int_equal(r.t.body_zeros, 2);
    assert_int_equal(r.t.max_line, 22);
    assert_int_equal(r.t.header_size + r.t.body_size, in.n);
}

static void
nul_in_a_header_line_is_shown(void **state)
{
    (void)state;
    struct str in = {"a: b\0c\n\n", 8, 0};
    assert_text(read_all(RECEIVE_TO_END, in, 3).header, "a: b?c\n", "NUL");
}

static void
caps(void **state)
{
    (void)state;
    struct str in = STR_LIT("subject: noo\n\nbody\n"); /* 13 + 1 + 5 bytes */
    static const struct {
        struct receive_caps caps;
        enum receive_text_end end;
    } cases[] = {
        {{.header_line = 12}, RECEIVE_TEXT_LINE_BIG},
        {{.header_line = 13}, OVER},
        {{.header_line = 14}, OVER},
        {{.header = 12}, RECEIVE_TEXT_HEADER_BIG},
        {{.header = 13}, OVER}, /* the empty line does not count */
        {{.header = 14}, OVER},
        {{.message = 18}, RECEIVE_TEXT_BIG},
        {{.message = 19}, OVER},
        {{.message = 20}, OVER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct read r = read_with_caps(RECEIVE_TO_END, in, 4, cases[i].caps);
        if (r.end != cases[i].end)
            fail_msg("caps %zu: ended as %d", i, (int)r.end);
    }
}

static void
a_message_that_is_too_big_is_read_to_its_end(void **state)
{
    (void)state;
    struct pieces s = {.rest = STR_LIT("a: b\r\n\r\n0123456789\r\n.x\r\n.\r\nQUIT\r\n"),
                       .piece = 9,
                       .ungot = STR_EMPTY};
    struct receive_source source = {.get = get, .unget = unget, .ctx = &s};
    struct receive_text t;
    struct str line;
    receive_text_start(&t, a, RECEIVE_SMTP, &source);
    t.caps.message = 10;
    while (receive_text_line(&t, a, &line) == RECEIVE_TEXT_MORE)
        continue;
    assert_int_equal(receive_text_body(&t, STR_EMPTY), RECEIVE_TEXT_BIG);
    assert_int_equal(receive_text_drain(&t), RECEIVE_TEXT_OVER);
    assert_text(str_cat(a, s.ungot, s.rest), "QUIT\r\n", "left");
}

static void
errors_are_no_ends(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "a", "a: b\n", "a: b\n\n", "a: b\n\nfoo\n", "a: b\n\nfoo\n.\r"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pieces s = {.rest = str_from_cstr(texts[i]), .piece = 3, .error = ETIMEDOUT};
        struct receive_source source = {.get = get, .ctx = &s};
        struct receive_text t;
        struct str line;
        receive_text_start(&t, a, RECEIVE_DOT, &source);
        enum receive_text_end end;
        while ((end = receive_text_line(&t, a, &line)) == RECEIVE_TEXT_MORE)
            continue;
        if (end == RECEIVE_TEXT_BODY)
            end = receive_text_body(&t, STR_EMPTY);
        assert_int_equal(end, RECEIVE_TEXT_NO_READ);
    }
}

static bool
put_nothing(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return false;
}

static void
a_full_disk_ends_it(void **state)
{
    (void)state;
    struct pieces s = {.rest = STR_LIT("a: b\n\nfoo\n"), .piece = 100};
    struct receive_source source = {.get = get, .ctx = &s};
    struct receive_text t;
    struct str line;
    receive_text_start(&t, a, RECEIVE_TO_END, &source);
    t.put = put_nothing;
    while (receive_text_line(&t, a, &line) == RECEIVE_TEXT_MORE)
        continue;
    assert_int_equal(receive_text_body(&t, STR_EMPTY), RECEIVE_TEXT_NO_WRITE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_framing_in_pieces_of_every_size, setup, teardown),
        cmocka_unit_test_setup_teardown(line_ends_at_the_edge_of_a_block, setup, teardown),
        cmocka_unit_test_setup_teardown(figures, setup, teardown),
        cmocka_unit_test_setup_teardown(nul_in_a_header_line_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(caps, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_that_is_too_big_is_read_to_its_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(errors_are_no_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_ends_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
