/* Unit tests of base/diag.c: collecting, places of assembled texts, and the long form. */
#include "base/diag.h"

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

static const struct source outer = {
    .name = STR_INIT("/etc/main"),
    .text = STR_INIT("first = 1\nsecond = two words\n\tthird = x\nlast"),
};

static void
assert_renders(struct arena *a, const struct diag *d, const char *want)
{
    struct buf b = buf_in(a, 0);
    diag_render(&b, d);
    struct str s = buf_str(&b);
    assert_string_equal(s.p, want);
    assert_int_equal(s.n, strlen(want));
}

static void
place_line_and_caret(void **state)
{
    struct diag d = {.level = DIAG_ERROR,
                     .at = {.source = &outer, .line = 2, .col = 10, .n = 3},
                     .text = STR_LIT("not a number")};
    assert_renders(*state, &d,
                   "/etc/main:2:10: error: not a number\n"
                   "    second = two words\n"
                   "             ^~~\n");
}

static void
one_caret_when_no_length_is_known(void **state)
{
    struct diag d = {.level = DIAG_WARNING,
                     .at = {.source = &outer, .line = 1, .col = 1},
                     .text = STR_LIT("odd")};
    assert_renders(*state, &d,
                   "/etc/main:1:1: warning: odd\n"
                   "    first = 1\n"
                   "    ^\n");
}

static void
whole_line_without_caret(void **state)
{
    struct diag d = {.level = DIAG_NOTE,
                     .at = {.source = &outer, .line = 1, .col = 0},
                     .text = STR_LIT("here")};
    assert_renders(*state, &d,
                   "/etc/main:1: note: here\n"
                   "    first = 1\n");
}

static void
tabs_before_the_caret_stay_tabs(void **state)
{
    struct diag d = {.level = DIAG_ERROR,
                     .at = {.source = &outer, .line = 3, .col = 2, .n = 5},
                     .text = STR_LIT("t")};
    assert_renders(*state, &d,
                   "/etc/main:3:2: error: t\n"
                   "    \tthird = x\n"
                   "    \t^~~~~\n");
}

static void
last_line_without_newline_and_line_beyond_the_end(void **state)
{
    struct diag d = {.level = DIAG_ERROR,
                     .at = {.source = &outer, .line = 4, .col = 5, .n = 9},
                     .text = STR_LIT("ends")};
    assert_renders(*state, &d,
                   "/etc/main:4:5: error: ends\n"
                   "    last\n"
                   "        ^\n");
    d.at.line = 9;
    assert_renders(*state, &d, "/etc/main:9:5: error: ends\n");
}

static void
hint_macro_and_include_notes(void **state)
{
    const struct source inner = {
        .name = STR_INIT("/etc/part"),
        .text = STR_INIT("x = MACRO"),
        .included_from = &outer,
        .included_line = 3,
    };
    struct diag d = {
        .level = DIAG_ERROR,
        .at = {.source = &inner, .line = 1, .col = 5, .macro = STR_INIT("MACRO")},
        .text = STR_LIT("unknown option"),
        .hint = STR_LIT("exact"),
    };
    assert_renders(*state, &d,
                   "/etc/part:1:5: error: unknown option (did you mean \"exact\"?)\n"
                   "    x = MACRO\n"
                   "        ^\n"
                   "/etc/part:1: note: in the text of macro MACRO, expanded here\n"
                   "/etc/main:3: note: included from here\n");
}

static void
no_source_only_code(void **state)
{
    struct diag d = {
        .level = DIAG_ERROR,
        .at = {.line = 1, .col = 3, .n = 2},
        .text = STR_LIT("bad"),
        .code = STR_LIT("${if"),
    };
    assert_renders(*state, &d,
                   "error: bad\n"
                   "    ${if\n"
                   "      ^~\n");
}

static void
control_bytes_are_not_shown(void **state)
{
    struct diag d = {
        .level = DIAG_ERROR,
        .at = {.line = 1, .col = 1},
        .text = STR_LIT("bad"),
        .code = STR_LIT("a\033[2J\0b"),
    };
    assert_renders(*state, &d,
                   "error: bad\n"
                   "    a?[2J?b\n"
                   "    ^\n");
}

static void
a_long_line_is_cut_round_the_caret(void **state)
{
    char text[5000];
    memset(text, 'x', sizeof text);
    text[4000] = 'Y';
    struct diag d = {
        .level = DIAG_ERROR,
        .at = {.line = 1, .col = 4001},
        .text = STR_LIT("bad"),
        .code = str_from(text, sizeof text),
    };
    struct buf b = buf_in(*state, 0);
    diag_render(&b, &d);
    struct str s = buf_str(&b);
    assert_true(s.n < 400);
    size_t y = str_chr(s, 'Y', 0);
    size_t caret = str_chr(s, '^', 0);
    size_t second = str_chr(s, '\n', str_chr(s, '\n', 0) + 1);
    size_t first = str_chr(s, '\n', 0);
    assert_int_equal(y - first, caret - second);
}

static void
a_map_leads_back_to_line_and_column(void **state)
{
    (void)state;
    /* "ab" from line 3, "MM" the text of a macro, "cd" after it, "ef" from the next line. */
    static const struct textmap_run runs[] = {
        {0, 3, 8, false, {NULL, 0, 0}},
        {2, 3, 10, true, STR_INIT("M")},
        {4, 3, 11, false, {NULL, 0, 0}},
        {6, 4, 5, false, {NULL, 0, 0}},
    };
    const struct textmap m = {.source = &outer, .runs = runs, .n = 4};
    struct span s = textmap_span(&m, 1, 1);
    assert_int_equal(s.line, 3);
    assert_int_equal(s.col, 9);
    assert_int_equal(s.n, 1);
    assert_false(str_is_set(s.macro));
    s = textmap_span(&m, 3, 2);
    assert_int_equal(s.col, 10);
    assert_true(str_eqz(s.macro, "M"));
    s = textmap_span(&m, 4, 1);
    assert_int_equal(s.col, 11);
    s = textmap_span(&m, 7, 1);
    assert_int_equal(s.line, 4);
    assert_int_equal(s.col, 6);
    assert_ptr_equal(s.source, &outer);
    assert_null(textmap_span(NULL, 3, 1).source);
    assert_null(textmap_span(&(struct textmap){.source = &outer}, 3, 1).source);
}

static void
errors_are_kept_to_the_limit_in_order(void **state)
{
    struct diags *d = diags_new(*state, 3);
    struct span at = {.source = &outer, .line = 1, .col = 1};
    diags_error(d, at, "fault %d", 1);
    diags_warn(d, at, "odd %s", "thing");
    assert_false(diags_full(d));
    diags_error(d, at, "fault %d", 2);
    assert_false(diags_full(d));
    diags_error(d, at, "fault %d", 3);
    assert_true(diags_full(d));
    assert_int_equal(diags_total(d), 3);
    assert_int_equal(diags_count(d, DIAG_ERROR), 2);
    assert_int_equal(diags_count(d, DIAG_WARNING), 1);
    assert_int_equal(diags_count(d, DIAG_NOTE), 0);
    assert_true(str_eqz(diags_at(d, 0)->text, "fault 1"));
    assert_true(str_eqz(diags_at(d, 0)->exim, "fault 1"));
    assert_true(str_eqz(diags_at(d, 1)->text, "odd thing"));
}

static void
twenty_is_the_default_limit(void **state)
{
    struct diags *d = diags_new(*state, 0);
    for (int i = 0; i < 25; i++)
        diags_error(d, (struct span){.line = 0}, "fault %d", i);
    assert_int_equal(diags_total(d), 20);
    assert_true(diags_full(d));
}

static void
texts_are_copied(void **state)
{
    struct diags *d = diags_new(*state, 0);
    char text[] = "temporary";
    diags_add(d, &(struct diag){.level = DIAG_ERROR, .text = str_from_cstr(text)});
    text[0] = 'X';
    assert_true(str_eqz(diags_at(d, 0)->text, "temporary"));
    assert_false(str_is_set(diags_at(d, 0)->hint));
}

static void
a_long_text_is_cut(void **state)
{
    struct diags *d = diags_new(*state, 0);
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    diags_error(d, (struct span){.line = 0}, "%s", text);
    assert_int_equal(diags_at(d, 0)->text.n, 1023);
}

static void
nearest_name(void **state)
{
    (void)state;
    static const struct str names[] = {
        STR_INIT("accept_8bitmime"),
        STR_INIT("acl_smtp_rcpt"),
        STR_INIT("lc"),
        STR_INIT("uc"),
    };
    assert_true(str_eqz(diag_nearest(STR_LIT("acept_8bitmime"), names, 4), "accept_8bitmime"));
    assert_true(str_eqz(diag_nearest(STR_LIT("ACL_SMTP_RCPT"), names, 4), "acl_smtp_rcpt"));
    assert_true(str_eqz(diag_nearest(STR_LIT("acl_smpt_rcpt"), names, 4), "acl_smtp_rcpt"));
    assert_false(str_is_set(diag_nearest(STR_LIT("wholly_other"), names, 4)));
    assert_false(str_is_set(diag_nearest(STR_LIT("xy"), names, 4)));
    assert_false(str_is_set(diag_nearest(STR_LIT("x"), names, 0)));
    char big[100];
    memset(big, 'a', sizeof big);
    assert_false(str_is_set(diag_nearest(str_from(big, 65), names, 4)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(place_line_and_caret, setup, teardown),
        cmocka_unit_test_setup_teardown(one_caret_when_no_length_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_line_without_caret, setup, teardown),
        cmocka_unit_test_setup_teardown(tabs_before_the_caret_stay_tabs, setup, teardown),
        cmocka_unit_test_setup_teardown(last_line_without_newline_and_line_beyond_the_end,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(hint_macro_and_include_notes, setup, teardown),
        cmocka_unit_test_setup_teardown(no_source_only_code, setup, teardown),
        cmocka_unit_test_setup_teardown(control_bytes_are_not_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_round_the_caret, setup, teardown),
        cmocka_unit_test(a_map_leads_back_to_line_and_column),
        cmocka_unit_test_setup_teardown(errors_are_kept_to_the_limit_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(twenty_is_the_default_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_text_is_cut, setup, teardown),
        cmocka_unit_test(nearest_name),
    };
    return cmocka_run_group_tests_name("base_diag", tests, NULL, NULL);
}
