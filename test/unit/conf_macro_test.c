/* Unit tests of conf/macro.c: order, substrings, places, caps. */
#include "conf/macro.h"
#include "conf_fixture.h"

static struct macro_table *
table_with(struct reading *r, const char *const *pairs)
{
    struct macro_table *t = macro_table_new(r->arena, &r->rq);
    struct str other;
    for (; *pairs != NULL; pairs += 2)
        assert_int_equal(macro_define(t, str_from_cstr(pairs[0]), str_from_cstr(pairs[1]),
                                      (struct span){.line = 1}, false, &other),
                         MACRO_OK);
    return t;
}

static const char *
replaced(struct reading *r, struct macro_table *t, const char *text)
{
    struct macro_line line = {.text = str_from_cstr(text)};
    assert_int_equal(macro_replace(t, r->arena, &line, 0, 3, 5), MACRO_FITS);
    return str_cstr(r->arena, line.text);
}

static void
test_anywhere_in_order(void **state)
{
    struct reading *r = *state;
    struct macro_table *t = table_with(
        r, (const char *const[]){"LONG_NAME", "<A>", "AbX", "1", "Ab", "2", "A", "3", "Q", "LO",
                                 "LOW", "low", "TwelveLetter", "12", "Tw", "t", NULL});
    assert_string_equal(replaced(r, t, "A Ab AbX AbXAb AAb"), "3 2 1 12 32");
    assert_string_equal(replaced(r, t, "xLONG_NAMEy"), "x<3>y");
    assert_string_equal(replaced(r, t, "QW"), "low"); /* LOW comes after */
    assert_string_equal(replaced(r, t, "TwelveLetters Twelve"), "12s telve");
    assert_string_equal(replaced(r, t, "nothing here, B_ C"), "nothing here, B_ C");
    assert_string_equal(replaced(r, t, ""), "");
}

static void
test_not_read_again_for_itself(void **state)
{
    struct reading *r = *state;
    struct macro_table *t =
        table_with(r, (const char *const[]){"X", "aXb", "Y", "X", "E", "", NULL});
    assert_string_equal(replaced(r, t, "X"), "aXb");
    assert_string_equal(replaced(r, t, "Y"), "X");
    assert_string_equal(replaced(r, t, "EE-E"), "-");
}

static void
test_define(void **state)
{
    struct reading *r = *state;
    r->rq.macros = &(struct macro){.name = STR_INIT("CMD"), .text = STR_INIT("c")};
    r->rq.macros_n = 1;
    struct macro_table *t = table_with(r, (const char *const[]){"AX", "1", "X", "2", NULL});
    struct span at = {.line = 1};
    struct str other;
    assert_int_equal(macro_define(t, STR_LIT("X"), STR_LIT("3"), at, false, &other),
                     MACRO_DUPLICATE);
    assert_int_equal(macro_define(t, STR_LIT("X"), STR_LIT("3"), at, true, &other), MACRO_OK);
    assert_int_equal(macro_define(t, STR_LIT("AX"), STR_LIT("4"), at, true, &other), MACRO_OK);
    assert_string_equal(replaced(r, t, "X AX"), "3 4");
    assert_int_equal(macro_define(t, STR_LIT("N"), STR_LIT("3"), at, true, &other),
                     MACRO_UNDEFINED);
    assert_int_equal(macro_define(t, STR_LIT("BX"), STR_LIT("3"), at, false, &other),
                     MACRO_CONTAINS);
    assert_true(str_eqz(other, "X"));
    assert_int_equal(macro_define(t, STR_LIT("Z_HAVE_TLS"), STR_LIT("3"), at, false, &other),
                     MACRO_CONTAINS);
    assert_true(str_eqz(other, "_HAVE_TLS"));
    /* what -D set stays */
    assert_int_equal(macro_define(t, STR_LIT("CMD"), STR_LIT("d"), at, false, &other),
                     MACRO_OK);
    assert_int_equal(macro_define(t, STR_LIT("CMD"), STR_LIT("d"), at, true, &other), MACRO_OK);
    assert_string_equal(replaced(r, t, "CMD"), "c");
    assert_int_equal(macro_count(t), 3);
    assert_true(macro_at(t, 0)->from_command_line);
}

static void
test_builtin_first(void **state)
{
    struct reading *r = *state;
    struct macro_table *t = table_with(r, (const char *const[]){"HAVE", "no", NULL});
    assert_string_equal(replaced(r, t, "_HAVE_TLS HAVE _HAVE_X"), "y no _no_X");
    assert_string_equal(replaced(r, t, "a _HAVE_TLS"), "a y");
    assert_string_equal(replaced(r, t, "A _HAVE_TLS"), "A _no_TLS"); /* as in Exim */
    assert_string_equal(replaced(r, t, "a_HAVE_TLS_RESUMEx_HAVE_TLS_"), "ayxy_");
}

static void
test_places(void **state)
{
    struct reading *r = *state;
    struct macro_table *t =
        table_with(r, (const char *const[]){"MID", "mIN", "IN", "inner", NULL});
    struct macro_line line = {.text = STR_LIT("ab MID cd")};
    assert_int_equal(macro_replace(t, r->arena, &line, 0, 3, 5), MACRO_FITS);
    assert_true(str_eqz(line.text, "ab minner cd"));
    struct textmap m = {.runs = line.runs.list.v, .n = (uint32_t)line.runs.list.n};
    assert_int_equal(textmap_span(&m, 1, 1).col, 6);
    assert_int_equal(textmap_span(&m, 6, 1).col, 8);
    assert_true(str_eqz(textmap_span(&m, 6, 1).macro, "MID")); /* the outermost */
    assert_int_equal(textmap_span(&m, 10, 1).col, 12);
    assert_null(textmap_span(&m, 10, 1).macro.p);
}

static enum macro_limit
replace_many(struct reading *r, size_t n)
{
    struct macro_table *t = table_with(r, (const char *const[]){"X", "yy", NULL});
    char *text = arena_alloc(r->arena, n);
    memset(text, 'X', n);
    struct macro_line line = {.text = str_from(text, n)};
    return macro_replace(t, r->arena, &line, 0, 1, 1);
}

static void
test_line_cap(void **state)
{
    assert_int_equal(replace_many(*state, MACRO_LINE_MAX / 2 - 1), MACRO_FITS);
    assert_int_equal(replace_many(*state, MACRO_LINE_MAX / 2), MACRO_FITS);
    assert_int_equal(replace_many(*state, MACRO_LINE_MAX / 2 + 1), MACRO_LINE_TOO_LONG);
}

static void
test_total_cap(void **state)
{
    struct reading *r = *state;
    struct macro_table *t = table_with(r, (const char *const[]){"X", "yy", NULL});
    char *text = arena_alloc(r->arena, 500000);
    memset(text, 'X', 500000);
    enum macro_limit limit = MACRO_FITS;
    int lines = 0;
    while (limit == MACRO_FITS) {
        struct macro_line line = {.text = str_from(text, 500000)};
        limit = macro_replace(t, r->arena, &line, 0, 1, 1);
        lines++;
    }
    assert_int_equal(limit, MACRO_TOO_MUCH);
    assert_int_equal(lines, MACRO_TOTAL_MAX / 1000000 + 1);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_anywhere_in_order),
        CASE(test_not_read_again_for_itself),
        CASE(test_define),
        CASE(test_builtin_first),
        CASE(test_places),
        CASE(test_line_cap),
        CASE(test_total_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
