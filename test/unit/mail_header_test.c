/* Unit tests of mail/header.c. */
#include "mail/header.h"

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

static const char block[] = "From: \"Fred\" <a@b>,\n   c@d\n"
                            "To: x@y\r\nTo: z@w (comment)\n"
                            "Subject: one\n  two\tthree   \n"
                            "Subject: =?utf-8?Q?a?=\nSubject: =?utf-8?Q?b?=\n"
                            "X-L:\nX-L: a:b\nX-L: \nX-L: c\n"
                            "E2 : sp\n"
                            "N: a\0b\rc\n"
                            "\nbody: no\n";

static struct header_list
read_block(struct arena *a)
{
    struct header_list l = {0};
    struct str s = str_tainted(str_from(block, sizeof block - 1));
    assert_int_equal(header_list_read(a, &l, s), s.n - strlen("body: no\n"));
    return l;
}

static void
assert_view(struct arena *a, const char *name, enum header_view view, const char *want)
{
    struct header_list l = read_block(a);
    struct str out;
    assert_true(header_list_text(a, &l, str_from_cstr(name), view, NULL, 0, &out));
    assert_str(out, want);
    assert_int_equal(out.taint, STR_TAINTED);
}

static void
views_are_exims(void **state)
{
    assert_view(*state, "from", HEADER_VIEW_COOKED, "\"Fred\" <a@b>,\n   c@d");
    assert_view(*state, "from", HEADER_VIEW_RAW, " \"Fred\" <a@b>,\n   c@d\n");
    assert_view(*state, "TO", HEADER_VIEW_COOKED, "x@y,\nz@w (comment)");
    assert_view(*state, "to", HEADER_VIEW_RAW, " x@y\n z@w (comment)\n");
    assert_view(*state, "to", HEADER_VIEW_LIST, " x@y: z@w (comment)");
    assert_view(*state, "subject", HEADER_VIEW_BYTES, "one\n  two\tthree\nab");
    assert_view(*state, "x-l", HEADER_VIEW_LIST, " a::b: : c");
    assert_view(*state, "x-l", HEADER_VIEW_COOKED, "a:b\nc");
    assert_view(*state, "n", HEADER_VIEW_RAW, " a?b c\n");
}

static void
absent_lines_are_told(void **state)
{
    struct header_list l = read_block(*state);
    struct str out;
    assert_false(header_list_text(*state, &l, STR_LIT("e2"), HEADER_VIEW_RAW, NULL, 0, &out));
    assert_int_equal(out.n, 0);
    assert_int_equal(header_list_remove(&l, STR_LIT("To"), 2), 1);
    assert_true(header_list_text(*state, &l, STR_LIT("to"), HEADER_VIEW_RAW, NULL, 0, &out));
    assert_str(out, " x@y\n");
    assert_int_equal(header_list_remove(&l, STR_LIT("X-L"), 0), 4);
    assert_int_equal(header_list_find(&l, STR_LIT("X-L"), 0), STR_NPOS);
}

static void
all_lines(void **state)
{
    struct header_list l = {0};
    assert_true(header_list_add(*state, &l, STR_LIT("A: =?u?Q?x?=  "), HEADER_AT_END));
    assert_true(header_list_add(*state, &l, STR_LIT("B:\n c\n"), HEADER_AT_TOP));
    assert_str(header_list_all(*state, &l, HEADER_VIEW_RAW, 0), "B:\n c\nA: =?u?Q?x?=  \n");
    assert_str(header_list_all(*state, &l, HEADER_VIEW_BYTES, 0), "B:\n c\nA: x");
    assert_str(header_name(&l.v[1]), "A");
    assert_str(header_body(&l.v[0]), "\n c\n");
    assert_str(header_unfold(*state, header_body(&l.v[0])), "c");
    assert_str(header_unfold(*state, STR_LIT(" a\n b\r\n\tc\n")), "a b\tc");
}

static void
constructor_refuses_what_breaks_a_line(void **state)
{
    static const struct str bad[] = {
        STR_INIT("A: b\nC: d"), STR_INIT("A: b\rc"), STR_INIT("A: b\0c"), STR_INIT("no colon"),
        STR_INIT(": x"),        STR_INIT(""),        STR_INIT("A b: c"),  STR_INIT("A: b\n\n"),
    };
    struct header_list l = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(header_list_add(*state, &l, bad[i], HEADER_AT_END));
    assert_int_equal(l.n, 0);
}

static void
types(void **state)
{
    (void)state;
    assert_int_equal(header_type(STR_LIT("FROM")), 'F');
    assert_int_equal(header_type(STR_LIT("Resent-To")), 'T');
    assert_int_equal(header_type(STR_LIT("Resent-Reply-To")), ' ');
    assert_int_equal(header_type(STR_LIT("Received")), 'P');
    assert_int_equal(header_type(STR_LIT("Message-ID")), 'I');
    assert_int_equal(header_type(STR_LIT("Subject")), ' ');
}

static void
texts_are_cut_at_the_cap(void **state)
{
    static const int sizes[] = {HEADER_TEXT_MAX - 2, HEADER_TEXT_MAX - 1, HEADER_TEXT_MAX};
    for (size_t i = 0; i < 3; i++) {
        struct header_list l = {0};
        struct buf b = buf_in(*state, 0);
        struct str out;
        buf_addz(&b, "A:");
        for (int k = 0; k < sizes[i]; k++)
            buf_addc(&b, 'x');
        assert_true(header_list_add(*state, &l, buf_str(&b), HEADER_AT_END));
        header_list_text(*state, &l, STR_LIT("a"), HEADER_VIEW_RAW, NULL, 0, &out);
        assert_int_equal(out.n,
                         sizes[i] + 1 < HEADER_TEXT_MAX ? sizes[i] + 1 : HEADER_TEXT_MAX);
    }
}

static void
number_of_lines_is_capped(void **state)
{
    struct header_list l = {0};
    for (int i = 0; i < HEADER_LINES_MAX; i++)
        assert_true(header_list_add(*state, &l, STR_LIT("A:\n"), HEADER_AT_END));
    assert_false(header_list_add(*state, &l, STR_LIT("A:\n"), HEADER_AT_END));
    assert_int_equal(l.n, HEADER_LINES_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_exims),
        cmocka_unit_test(absent_lines_are_told),
        cmocka_unit_test(all_lines),
        cmocka_unit_test(constructor_refuses_what_breaks_a_line),
        cmocka_unit_test(types),
        cmocka_unit_test(texts_are_cut_at_the_cap),
        cmocka_unit_test(number_of_lines_is_capped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
