/* Unit tests of mail/mime_walk.c and mime_lines.c: the structure of MIME messages. */
#include "mail/mime_walk.h"

#include "base/arena.h"
#include "mail/mime_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct mime_caps usual = {.parts = MIME_PARTS_MAX, .depth = MIME_DEPTH_MAX};

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct mime_index *
walk(struct arena *a, struct mime_caps caps, struct str text, size_t step)
{
    struct mime_walk *w = mime_walk_new(a, caps, NULL);
    for (size_t at = 0; at < text.n; at += step)
        mime_walk_feed(w, str_sub(text, at, step));
    return mime_walk_end(w);
}

/* One character a part: its content in brackets, those of multiparts as {index}; then the parent, and c for a cover letter. */
static void
show(struct buf *b, const struct mime_index *x, struct str text)
{
    for (size_t i = 0; i < x->parts.n; i++) {
        const struct mime_span *p = &x->parts.v[i];
        struct str body = str_sub(text, (size_t)p->body, (size_t)(p->end - p->body));
        if (p->multipart)
            buf_printf(b, "{%zu%s}", i, p->opaque ? " opaque" : "");
        else
            buf_printf(b, "[%.*s]", STR_ARG(body));
        buf_printf(b, "%u%s%s ", p->parent, p->cover_letter ? "c" : "", p->message ? "m" : "");
    }
}

struct row {
    const char *text, *want;
};

/* clang-format off */
static const struct row rows[] = {
    {"Subject: x\n\nhello\n", "[hello\n]0c "},
    {"", "[]0c "},
    {"Subject: x", "[]0c "},
    {"Content-Type: multipart/mixed; boundary=A\n\npre\n--A\n\none\n--A\nX: y\n\ntwo\n--A--\npost\n--A\n\nno\n",
     "{0}0c [one\n]0c [two\n]0 "},
    {"Content-Type: multipart/alternative; boundary=A\r\n\r\n--A\r\n\r\none\r\n--A  \r\n\r\ntwo\r\n--A--\r\n",
     "{0}0c [one\r\n]0c [two\r\n]0c "},
    /* the inner one is not closed: the outer delimiter ends it */
    {"Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: multipart/mixed; boundary=B\n\n--B\n\none\n--A\n\ntwo\n--A--\n",
     "{0}0c {1}0c [one\n]1c [two\n]0 "},
    /* one boundary begins like the other */
    {"Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: multipart/mixed; boundary=AB\n\n--AB\n\none\n--AB--\n--AX\n--A\n\ntwo\n--A--\n",
     "{0}0c {1}0c [one\n]1c [two\n]0 "},
    {"Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: multipart/mixed; boundary=\"A--\"\n\n--A--\n\none\n--A----\n--A\n\ntwo\n--A--\n",
     "{0}0c {1}0c [one\n]1c [two\n]0 "},
    /* no end, no end of the last line, no empty line, no header */
    {"Content-Type: multipart/mixed; boundary=A\n\n--A\n\none\n--A\n\ntwo", "{0}0c [one\n]0c [two]0 "},
    {"Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: text/c\n--A\n--A--", "{0}0c []0c []0 "},
    {"Content-Type: multipart/mixed; boundary=A\n--A\nContent-Type: multipart/mixed; boundary=B\n--B\n\nx\n--B--\n--A--\n",
     "{0}0c {1}0c [x\n]1c "},
    {"Content-Type: multipart/mixed; boundary=A\n\n--A\nnonsense\n--A\n\n x\n--A--\n", "{0}0c []0c [ x\n]0 "},
    /* no boundary */
    {"Content-Type: multipart/mixed\n\n--A\n\nx\n--A--\n", "{0}0c "},
    {"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n----\n", "{0}0c "},
    /* what is no delimiter */
    {"Content-Type: multipart/mixed; boundary=A\n\n --A\n--A x\n-A\n--a\n--A--\n", "{0}0c "},
    {"Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: message/rfc822\n\nContent-Type: text/x\n\ny\n--A--\n",
     "{0}0c [Content-Type: text/x\n\ny\n]0cm "},
    {"Content-Type: multipart/digest; boundary=A\n\n--A\n\nSubject: x\n\n--A\nContent-Type: text/plain\n\ny\n--A--\n",
     "{0}0c [Subject: x\n\n]0cm [y\n]0 "},
};
/* clang-format on */

static void
test_structures(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str text = str_from_cstr(rows[i].text);
        for (size_t step = 1; step < 70; step += 17) {
            struct buf b = buf_in(*state, 0);
            show(&b, walk(*state, usual, text, step), text);
            struct str got = buf_str(&b);
            if (!str_eqz(got, rows[i].want))
                fail_msg("row %zu, step %zu: got \"%.*s\", want \"%s\"", i, step, STR_ARG(got),
                         rows[i].want);
        }
    }
}

static void
test_root_given(void **state)
{
    struct mime_part root = {.type = STR_LIT("multipart/mixed"), .boundary = STR_LIT("A")};
    struct mime_walk *w = mime_walk_new(*state, usual, &root);
    struct str text = STR_LIT("Content-Type: text/x\n\n--A\n\none\n--A--\n");
    struct buf b = buf_in(*state, 0);
    mime_walk_feed(w, text);
    show(&b, mime_walk_end(w), text);
    assert_true(str_eqz(buf_str(&b), "{0}0c [one\n]0c "));
}

static const struct mime_index *
flat(struct arena *a, size_t n)
{
    struct buf b = buf_in(a, 0);
    buf_addz(&b, "Content-Type: multipart/mixed; boundary=A\n\n");
    for (size_t i = 0; i < n; i++)
        buf_addz(&b, "--A\n\nx\n");
    buf_addz(&b, "--A--\n");
    return walk(a, (struct mime_caps){.parts = 10, .depth = 3}, buf_str(&b), 1000);
}

static void
test_parts_cap(void **state)
{
    for (size_t n = 8; n <= 9; n++) {
        assert_int_equal(flat(*state, n)->parts.n, n + 1);
        assert_false(flat(*state, n)->too_many);
    }
    const struct mime_index *x = flat(*state, 10);
    assert_true(x->too_many);
    assert_int_equal(x->parts.n, 10);
    /* the last one ends where the next would begin */
    assert_int_equal(x->parts.v[9].end - x->parts.v[9].body, 2);
}

static struct str
nested(struct arena *a, size_t n)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=B%zu\n\n--B%zu\n", i, i);
    buf_addz(&b, "\nx\n");
    for (size_t i = n; i > 0; i--)
        buf_printf(&b, "--B%zu--\n", i - 1);
    return buf_str(&b);
}

static void
test_depth_cap(void **state)
{
    struct mime_caps caps = {.parts = MIME_PARTS_MAX, .depth = 3};
    for (size_t n = 2; n <= 4; n++) {
        struct str text = nested(*state, n);
        const struct mime_index *x = walk(*state, caps, text, 7);
        assert_int_equal(x->parts.n, 4 - (n == 2));
        assert_int_equal(x->parts.v[x->parts.n - 1].opaque, n > 3);
    }
    const struct mime_index *x = walk(*state, usual, nested(*state, 10000), 4096);
    assert_true(x->parts.v[MIME_DEPTH_MAX].opaque);
    assert_int_equal(x->parts.n, MIME_DEPTH_MAX + 1);
}

static void
test_boundary_cap(void **state)
{
    for (size_t n = MIME_BOUNDARY_MAX - 1; n <= MIME_BOUNDARY_MAX + 1; n++) {
        struct buf b = buf_in(*state, 0);
        char *boundary = arena_alloc(*state, n);
        memset(boundary, 'b', n);
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=%.*s\n\n--%.*s\n\nx\n", (int)n,
                   boundary, (int)n, boundary);
        const struct mime_index *x = walk(*state, usual, buf_str(&b), 100);
        assert_int_equal(x->parts.n, n > MIME_BOUNDARY_MAX ? 1 : 2);
        assert_int_equal(x->parts.v[0].opaque, n > MIME_BOUNDARY_MAX);
    }
}

static void
keep_line(void *ctx, const struct mime_line *l)
{
    *(struct mime_line *)ctx = *l;
}

static void
test_line_cap(void **state)
{
    struct mime_lines *l = arena_alloc(*state, sizeof *l);
    struct mime_line got;
    for (size_t n = MIME_LINE_MAX - 1; n <= MIME_LINE_MAX + 1; n++) {
        char *text = arena_alloc(*state, n + 1);
        memset(text, 'x', n);
        text[n] = '\n';
        for (size_t step = 5000; step <= 10000; step += 5000) {
            mime_lines_start(l, keep_line, &got);
            for (size_t at = 0; at < n + 1; at += step)
                mime_lines_feed(l, str_sub(str_from(text, n + 1), at, step));
            assert_int_equal(got.cut, n > MIME_LINE_MAX);
            assert_int_equal(got.text.n, n > MIME_LINE_MAX ? MIME_LINE_MAX : n);
            assert_int_equal(got.next, n + 1);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_structures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_root_given, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parts_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_boundary_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_line_cap, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
