/* Unit tests of mail/date.c. */
#include "mail/date.h"

#include "base/arena.h"

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
reads_every_form(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t offset_s;
    } rows[] = {
        {"Tue, 17 Oct 1995 17:12:29 +0000", 813949949, 0},
        {"17 Oct 1995 17:12:29 +0000", 813949949, 0},
        {"Tue, 17 Oct 95 18:12:29 +0100 (BST)", 813949949, 3600},
        {"Tue , 17 (x (y\\) z)) Oct 095 12 : 12 : 29 EST", 813949949, -18000},
        {"1 Jan 1970 00:00 GMT", 0, 0},
        {"1 jan 2049 00:00 -0000", 2493072000, 0},
        {"29 Feb 2000 00:00:60 Z", 951782460, 0},
        {"1 Jan 49 00:00 A", 2493072000, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct date d;
        assert_true(date_parse(str_from_cstr(rows[i].text), &d));
        assert_true(d.seconds == rows[i].seconds);
        assert_int_equal(d.offset_s, rows[i].offset_s);
    }
}

static void
refuses_what_is_no_date(void **state)
{
    static const char *const bad[] = {
        "",
        "Tue",
        "Xyz, 17 Oct 1995 17:12:29 +0000",
        "Tue 17 Oct 1995 17:12:29 +0000",
        "32 Oct 1995 17:12:29 +0000",
        "31 Sep 1995 17:12:29 +0000",
        "29 Feb 1900 00:00 +0000",
        "17 Foo 1995 17:12:29 +0000",
        "17 Oct 19955 17:12:29 +0000",
        "17 Oct 1995 24:12:29 +0000",
        "17 Oct 1995 17:60:29 +0000",
        "17 Oct 1995 17:12:61 +0000",
        "17 Oct 1995 17:12:29",
        "17 Oct 1995 17:12:29 +000",
        "17 Oct 1995 17:12:29 +0060",
        "17 Oct 1995 17:12:29 +0000 x",
    };
    struct date d;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(date_parse(str_from_cstr(bad[i]), &d));
}

static void
prints_and_reads_back(void **state)
{
    char text[DATE_TEXT_MAX];
    struct date d = {813949949, -12600};
    struct date back;
    (void)state;
    assert_int_equal(date_print(d, text), 31);
    assert_string_equal(text, "Tue, 17 Oct 1995 13:42:29 -0330");
    assert_true(date_parse(str_from_cstr(text), &back));
    assert_true(back.seconds == d.seconds && back.offset_s == d.offset_s);
    date_print((struct date){INT64_MAX - 100000, 0}, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 +0000");
    assert_str(STR_EMPTY, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(refuses_what_is_no_date),
        cmocka_unit_test(prints_and_reads_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
