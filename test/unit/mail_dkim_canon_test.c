/* Canonical forms: the examples of RFC 6376 section 3.4.5, edges of bodies, lengths, and that pieces make no difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/dkim_canon.h"

static void
into_buf(void *ctx, const char *p, size_t n)
{
    buf_add(ctx, p, n);
}

static struct str
header(struct arena *a, enum dkim_canon canon, const char *line)
{
    struct buf b = buf_in(a, 0);
    dkim_canon_header(canon, str_from_cstr(line), (struct dkim_sink){into_buf, &b});
    return buf_str(&b);
}

static struct str
body_in_pieces(struct arena *a, enum dkim_canon canon, struct str text, int64_t limit,
               size_t piece)
{
    struct buf b = buf_in(a, 0);
    struct dkim_body body;
    dkim_body_start(&body, canon, limit, (struct dkim_sink){into_buf, &b});
    for (size_t at = 0; at < text.n; at += piece)
        dkim_body_feed(&body, text.p + at, text.n - at < piece ? text.n - at : piece);
    dkim_body_end(&body);
    assert_true(limit == DKIM_BODY_ALL ? (size_t)body.size == b.n : b.n <= (size_t)limit);
    return buf_str(&b);
}

static void
assert_body(struct arena *a, enum dkim_canon canon, struct str text, int64_t limit,
            const char *expected)
{
    for (size_t piece = 1; piece <= (size_t)text.n + 1; piece++)
        assert_string_equal(str_cstr(a, body_in_pieces(a, canon, text, limit, piece)),
                            expected);
}

static void
test_headers(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    assert_true(str_eqz(header(a, DKIM_CANON_RELAXED, "A: X\n"), "a:X\r\n"));
    assert_true(str_eqz(header(a, DKIM_CANON_RELAXED, "B : Y\t\n\tZ  \n"), "b:Y Z\r\n"));
    assert_true(str_eqz(header(a, DKIM_CANON_RELAXED, "B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n"));
    assert_true(str_eqz(header(a, DKIM_CANON_RELAXED, "SubjecT:AbC"), "subject:AbC\r\n"));
    assert_true(str_eqz(header(a, DKIM_CANON_RELAXED, "E:\n"), "e:\r\n"));
    assert_true(str_eqz(header(a, DKIM_CANON_RELAXED, "E: \n \t\n"), "e:\r\n"));
    assert_true(str_eqz(header(a, DKIM_CANON_RELAXED, "a:b:  c :d\n"), "a:b: c :d\r\n"));
    assert_true(str_eqz(header(a, DKIM_CANON_SIMPLE, "A: X\n"), "A: X\r\n"));
    assert_true(
        str_eqz(header(a, DKIM_CANON_SIMPLE, "B : Y\t\n\tZ  \n"), "B : Y\t\r\n\tZ  \r\n"));
    assert_true(
        str_eqz(header(a, DKIM_CANON_SIMPLE, "B : Y\t\r\n\tZ  \r\n"), "B : Y\t\r\n\tZ  \r\n"));
    arena_free(a);
}

static void
test_long_names(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    for (size_t n = 63; n <= 65; n++) {
        struct buf in = buf_in(a, 0), out = buf_in(a, 0);
        for (size_t i = 0; i < n; i++) {
            buf_addc(&in, 'X');
            buf_addc(&out, 'x');
        }
        buf_addz(&in, " : y\n");
        buf_addz(&out, ":y\r\n");
        assert_true(
            str_eq(header(a, DKIM_CANON_RELAXED, str_cstr(a, buf_str(&in))), buf_str(&out)));
    }
    arena_free(a);
}

static struct str
signature(struct arena *a, enum dkim_canon canon, const char *line, uint32_t from,
          uint32_t until)
{
    struct buf b = buf_in(a, 0);
    dkim_canon_signature(canon, str_from_cstr(line), from, until,
                         (struct dkim_sink){into_buf, &b});
    return buf_str(&b);
}

static void
test_signatures(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    assert_true(
        str_eqz(signature(a, DKIM_CANON_RELAXED, "D: b= x\n y ; d=e\n", 5, 11), "d:b=; d=e"));
    assert_true(
        str_eqz(signature(a, DKIM_CANON_SIMPLE, "D: b= x\n y ; d=e\n", 5, 11), "D: b=; d=e"));
    /* b= comes last: the line end goes with its value */
    assert_true(
        str_eqz(signature(a, DKIM_CANON_RELAXED, "D: d=e;\n b=xy\n", 11, 14), "d:d=e; b="));
    assert_true(
        str_eqz(signature(a, DKIM_CANON_SIMPLE, "D: d=e;\n b=xy\n", 11, 14), "D: d=e;\r\n b="));
    arena_free(a);
}

static void
test_bodies(void **state)
{
    static const struct {
        const char *text, *simple, *relaxed;
    } rows[] = {
        {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
        {" C \nD \t E\n\n\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
        {"", "\r\n", ""},
        {"\n", "\r\n", ""},
        {"\r\n\r\n", "\r\n", ""},
        {"  \t\n", "  \t\r\n", ""},
        {"  \t", "  \t\r\n", ""},
        {"\n\nx\n", "\r\n\r\nx\r\n", "\r\n\r\nx\r\n"},
        {"x", "x\r\n", "x\r\n"},
        {"x ", "x \r\n", "x\r\n"},
        {"x\n \n\n", "x\r\n \r\n", "x\r\n"},
        {"x\n \ny", "x\r\n \r\ny\r\n", "x\r\n\r\ny\r\n"},
        {"a\rb\r\r\nc\r", "a\rb\r\r\nc\r\r\n", "a\rb\r\r\nc\r\r\n"},
        {"a\n\r\r\n", "a\r\n\r\r\n", "a\r\n\r\r\n"},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str text = str_from_cstr(rows[i].text);
        assert_body(a, DKIM_CANON_SIMPLE, text, DKIM_BODY_ALL, rows[i].simple);
        assert_body(a, DKIM_CANON_RELAXED, text, DKIM_BODY_ALL, rows[i].relaxed);
    }
    arena_free(a);
}

static void
test_lengths(void **state)
{
    struct arena *a = arena_new();
    struct str text = STR_LIT("ab \n\ncd\n\n");
    (void)state;
    assert_body(a, DKIM_CANON_SIMPLE, text, 0, "");
    assert_body(a, DKIM_CANON_SIMPLE, text, 3, "ab ");
    assert_body(a, DKIM_CANON_SIMPLE, text, 4, "ab \r");
    assert_body(a, DKIM_CANON_SIMPLE, text, 8, "ab \r\n\r\nc");
    assert_body(a, DKIM_CANON_SIMPLE, text, 100, "ab \r\n\r\ncd\r\n");
    assert_body(a, DKIM_CANON_RELAXED, text, 3, "ab\r");
    assert_body(a, DKIM_CANON_RELAXED, text, -1, "");
    arena_free(a);
}

/* Around the size of the block that is kept back. */
static void
test_blocks(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    for (size_t n = DKIM_BODY_BLOCK - 3; n <= DKIM_BODY_BLOCK + 1; n++) {
        struct buf in = buf_in(a, 0), out = buf_in(a, 0);
        for (unsigned line = 0; line < 3; line++) {
            for (size_t i = 0; i < n; i++)
                buf_addc(&in, (char)('a' + i % 26));
            buf_add(&out, in.p + in.n - n, n);
            buf_addc(&in, '\n');
            buf_addz(&out, "\r\n");
        }
        for (size_t piece = n - 1; piece <= n + 2; piece++)
            assert_true(str_eq(
                body_in_pieces(a, DKIM_CANON_RELAXED, buf_str(&in), DKIM_BODY_ALL, piece),
                buf_str(&out)));
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),    cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_lengths),    cmocka_unit_test(test_blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
