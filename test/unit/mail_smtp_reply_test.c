/* Unit tests of mail/smtp_reply.c. */
#include "mail/smtp_reply.h"

#include "base/arena.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void
assert_str(struct str s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

static void
one_line_and_many(void **state)
{
    struct smtp_reply r;
    size_t used = 0;
    struct str in = STR_LIT("250 2.1.0 ok\r\n354 go");
    assert_int_equal(smtp_reply_parse(*state, in, &used, &r), SMTP_REPLY_DONE);
    assert_int_equal(used, 14);
    assert_int_equal(r.code, 250);
    assert_str(r.enhanced, "2.1.0");
    assert_str(r.text, "250 2.1.0 ok");
    assert_true(str_is_tainted(r.text));
    in = STR_LIT("250-a.example\r\n250-SIZE 10\n250\r\n");
    assert_int_equal(smtp_reply_parse(*state, in, &used, &r), SMTP_REPLY_DONE);
    assert_int_equal(used, in.n);
    assert_int_equal(r.lines, 3);
    assert_str(r.text, "250-a.example\n250-SIZE 10\n250");
    assert_str(smtp_reply_line(&r, 0), "a.example");
    assert_str(smtp_reply_line(&r, 1), "SIZE 10");
    assert_str(smtp_reply_line(&r, 2), "");
    assert_str(smtp_reply_line(&r, 3), "");
    assert_false(str_is_set(r.enhanced));
}

static void
incomplete_and_bad(void **state)
{
    static const char *const more[] = {"", "25", "250 ok", "250-a\r\n", "250-a\r\n250 b\r"};
    static const char *const bad[] = {
        "x\r\n", "25\r\n", "000-a\r\n250 b\r\n", "250-a\r\n251 b\r\n", "250:a\r\n", "\r\n"};
    struct smtp_reply r;
    size_t used;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(smtp_reply_parse(*state, str_from_cstr(more[i]), &used, &r),
                         SMTP_REPLY_MORE);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(smtp_reply_parse(*state, str_from_cstr(bad[i]), &used, &r),
                         SMTP_REPLY_BAD);
}

/* Codes that no RFC knows are read: what they mean is the client's business. */
static void
unknown_codes(void **state)
{
    static const struct {
        const char *text;
        int code;
    } v[] = {{"000 a\r\n", 0}, {"199 a\r\n", 199}, {"600 a\r\n", 600}, {"999\r\n", 999}};
    struct smtp_reply r;
    size_t used;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        assert_int_equal(smtp_reply_parse(*state, str_from_cstr(v[i].text), &used, &r),
                         SMTP_REPLY_DONE);
        assert_int_equal(r.code, v[i].code);
    }
}

static void
control_characters_become_spaces(void **state)
{
    struct smtp_reply r;
    size_t used;
    assert_int_equal(smtp_reply_parse(*state, STR_LIT("550 a\rb\0c\td\r\n"), &used, &r),
                     SMTP_REPLY_DONE);
    assert_str(r.text, "550 a b c d");
}

static enum smtp_reply_status
reply_of(struct arena *a, size_t line_n, size_t lines)
{
    struct buf b = buf_in(a, 0);
    struct smtp_reply r;
    size_t used;
    for (size_t i = 1; i <= lines; i++) {
        buf_addz(&b, i < lines ? "250-" : "250 ");
        for (size_t k = 4; k < line_n; k++)
            buf_addc(&b, 'x');
        buf_addz(&b, "\r\n");
    }
    return smtp_reply_parse(a, buf_str(&b), &used, &r);
}

static void
lines_are_capped(void **state)
{
    assert_int_equal(reply_of(*state, SMTP_REPLY_LINE_MAX - 1, 1), SMTP_REPLY_DONE);
    assert_int_equal(reply_of(*state, SMTP_REPLY_LINE_MAX, 1), SMTP_REPLY_DONE);
    assert_int_equal(reply_of(*state, SMTP_REPLY_LINE_MAX + 1, 1), SMTP_REPLY_BAD);
    assert_int_equal(reply_of(*state, 5, SMTP_REPLY_LINES_MAX - 1), SMTP_REPLY_DONE);
    assert_int_equal(reply_of(*state, 5, SMTP_REPLY_LINES_MAX), SMTP_REPLY_DONE);
    assert_int_equal(reply_of(*state, 5, SMTP_REPLY_LINES_MAX + 1), SMTP_REPLY_BAD);
}

static void
enhanced_codes(void **state)
{
    int code;
    struct str enhanced;
    (void)state;
    assert_int_equal(smtp_enhanced_length(STR_LIT("5.1.1")), 5);
    assert_int_equal(smtp_enhanced_length(STR_LIT("4.123.456 x")), 9);
    assert_int_equal(smtp_enhanced_length(STR_LIT("5.1234.1")), 0);
    assert_int_equal(smtp_enhanced_length(STR_LIT("3.1.1")), 0);
    assert_int_equal(smtp_enhanced_length(STR_LIT("5.1.1x")), 0);
    assert_str(smtp_code_split(STR_LIT("550 5.1.1 no"), &code, &enhanced), "no");
    assert_int_equal(code, 550);
    assert_str(enhanced, "5.1.1");
    assert_str(smtp_code_split(STR_LIT("550 4.1.1 no"), &code, &enhanced), "4.1.1 no");
    assert_false(str_is_set(enhanced));
    assert_str(smtp_code_split(STR_LIT("5500 no"), &code, &enhanced), "5500 no");
    assert_int_equal(code, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_and_many), cmocka_unit_test(incomplete_and_bad),
        cmocka_unit_test(unknown_codes),     cmocka_unit_test(control_characters_become_spaces),
        cmocka_unit_test(lines_are_capped),  cmocka_unit_test(enhanced_codes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
