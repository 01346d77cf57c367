/* Unit tests of mail/mime_decode.c; the expected bytes are Exim's unless a row says otherwise. */
#include "mail/mime_decode.h"

#include "base/arena.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool
keep(void *ctx, const char *p, size_t n)
{
    buf_add(ctx, p, n);
    return true;
}

struct row {
    enum mime_encoding encoding;
    const char *in;
    const char *out;
    uint64_t anomalies;
};

/* clang-format off */
static const struct row rows[] = {
    {MIME_BASE64, "QUJDRA==\n", "ABCD", 0},
    {MIME_BASE64, "QUJDRA=\n", "ABCD", 0},  /* Exim adds a NUL */
    {MIME_BASE64, "QUJDRA\n", "ABCD", 0},   /* likewise */
    {MIME_BASE64, "QUJDRA==QUJD\n", "ABCDABC", 0},
    {MIME_BASE64, "QUJD RA==\n", "ABCD", 1},
    {MIME_BASE64, "Q\nUJD\r\n\nRA==\n", "ABCD", 0},
    {MIME_BASE64, "QUJD\200RA==\n", "ABCD", 1},
    {MIME_BASE64, "QUJD-_RA==\n", "ABCD", 2},
    {MIME_BASE64, "====\n", "", 0},
    {MIME_BASE64, "QUJDR\n", "ABC", 0},
    {MIME_BASE64, "QUI=", "AB", 0},
    {MIME_BASE64, "//+/", "\377\377\277", 0},
    {MIME_BASE64, "", "", 0},
    {MIME_QUOTED_PRINTABLE, "a=3Db=3d\n", "a=b=\n", 0},
    {MIME_QUOTED_PRINTABLE, "a=ZZb\n", "a=ZZb\n", 1},
    {MIME_QUOTED_PRINTABLE, "a=\n", "a", 0},
    {MIME_QUOTED_PRINTABLE, "a=\r\nb\r\n", "ab\r\n", 0},
    {MIME_QUOTED_PRINTABLE, "a=4\n", "a=4\n", 1},
    {MIME_QUOTED_PRINTABLE, "a  \t \n", "a  \t \n", 0},
    {MIME_QUOTED_PRINTABLE, "a=  \nb\n", "ab\n", 0},
    {MIME_QUOTED_PRINTABLE, "x=\t\ny\n", "xy\n", 0},
    {MIME_QUOTED_PRINTABLE, "a==41\n", "a=A\n", 1},
    {MIME_QUOTED_PRINTABLE, "a=  b", "a=  b", 1},
    {MIME_QUOTED_PRINTABLE, "a=", "a", 0},
    {MIME_QUOTED_PRINTABLE, "a=4", "a=4", 1},
    {MIME_IDENTITY, "a=3D\r\n", "a=3D\r\n", 0},
};
/* clang-format on */

static void
test_rows(void **state)
{
    struct arena *a = arena_new();
    struct mime_decoder *d = arena_alloc(a, sizeof *d);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str in = str_from_cstr(rows[i].in);
        for (size_t step = 1; step < 12; step += 5) {
            struct buf b = buf_in(a, 0);
            mime_decode_start(d, rows[i].encoding, keep, &b);
            for (size_t at = 0; at < in.n; at += step)
                assert_true(mime_decode_feed(d, str_sub(in, at, step)));
            assert_true(mime_decode_end(d));
            struct str got = buf_str(&b);
            if (!str_eqz(got, rows[i].out) || d->anomalies != rows[i].anomalies)
                fail_msg("row %zu: got \"%.*s\"", i, STR_ARG(got));
        }
    }
    arena_free(a);
}

/* White space behind a '=' is held only so far. */
static void
test_blanks(void **state)
{
    struct arena *a = arena_new();
    struct mime_decoder *d = arena_alloc(a, sizeof *d);
    (void)state;
    for (size_t n = sizeof d->held - 2; n <= sizeof d->held; n++) {
        struct buf in = buf_in(a, 0), out = buf_in(a, 0);
        buf_addc(&in, '=');
        while (in.n < n + 1)
            buf_addc(&in, ' ');
        buf_addc(&in, '\n');
        mime_decode_start(d, MIME_QUOTED_PRINTABLE, keep, &out);
        assert_true(mime_decode_feed(d, buf_str(&in)) && mime_decode_end(d));
        bool held = n + 1 <= sizeof d->held;
        assert_int_equal(d->anomalies, held ? 0 : 1);
        assert_int_equal(out.n, held ? 0 : in.n);
    }
    arena_free(a);
}

static bool
refuse(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return false;
}

static void
test_failure(void **state)
{
    struct arena *a = arena_new();
    struct mime_decoder *d = arena_alloc(a, sizeof *d);
    (void)state;
    for (int e = MIME_IDENTITY; e <= MIME_QUOTED_PRINTABLE; e++) {
        mime_decode_start(d, (enum mime_encoding)e, refuse, NULL);
        (void)mime_decode_feed(d, STR_LIT("QUJD"));
        assert_false(mime_decode_end(d));
        assert_false(mime_decode_feed(d, STR_LIT("QUJD")));
    }
    arena_free(a);
}

static void
test_names(void **state)
{
    (void)state;
    assert_int_equal(mime_encoding_find(STR_LIT("base64")), MIME_BASE64);
    assert_int_equal(mime_encoding_find(STR_LIT("Quoted-Printable")), MIME_QUOTED_PRINTABLE);
    assert_int_equal(mime_encoding_find(STR_LIT("x-uuencode")), MIME_IDENTITY);
    assert_int_equal(mime_encoding_find(STR_EMPTY), MIME_IDENTITY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_blanks),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
