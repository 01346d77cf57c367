/* Unit tests of conf/opt_parse.c: every value type, its errors, and the forms of a setting. */
#include "conf_fixture.h"

struct line_case {
    const char *line;
    const char *option;
    const char *want; /* printed option or text of the error */
};

static void
check_cases(void **state, const struct line_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_string_equal(try_line(*state, c[i].line, c[i].option), c[i].want);
}
#define CHECK(cases) check_cases(state, cases, sizeof cases / sizeof cases[0])

static void
test_bool(void **state)
{
    static const struct line_case cases[] = {
        {"a_bool", "a_bool", "a_bool"},
        {"no_a_bool", "a_bool", "no_a_bool"},
        {"not_a_bool", "a_bool", "no_a_bool"},
        {"a_bool = YES", "a_bool", "a_bool"},
        {"a_bool =", "a_bool", "a_bool"},
        {"a_bool = false", "a_bool", "no_a_bool"},
        {"a_bool = maybe", "a_bool",
         "\"maybe\" is not a valid value for the \"a_bool\" option"},
        {"a_bool = \"yes\"", "a_bool", "\"\" is not a valid value for the \"a_bool\" option"},
        {"a_bool = yes x", "a_bool",
         "extra characters follow \"yes\" for boolean option a_bool"},
        {"a_bool x", "a_bool", "extra characters follow boolean option a_bool"},
        {"no_a_bool = true", "a_bool", "extra characters follow boolean option no_a_bool"},
        {"no_an_int = 1", "an_int", "negation prefix applied to a non-boolean option"},
        {"an_xbool = ${if x}", "an_xbool", "an_xbool = ${if x}"},
        {"an_xbool = \"a$b\" c", "an_xbool",
         "extra characters follow string value for an_xbool"},
        {"no_an_xbool", "an_xbool", "no_an_xbool"},
    };
    CHECK(cases);
}

static void
test_pair_sets_both(void **state)
{
    struct reading *r = *state;
    assert_null(read_text(r, "pair\nno_pair\n"));
    assert_non_null(strstr(first_error(r), "\"no_pair\" option set for the second time"));
    assert_non_null(read_text(r, "pair\n"));
    const struct sample *s = r->conf->main_set.fields;
    assert_true(s->pair[0] && s->pair[1]);
    assert_non_null(read_text(r, "no_pair\n"));
    s = r->conf->main_set.fields;
    assert_false(s->pair[0] || s->pair[1]);
}

static void
test_numbers(void **state)
{
    static const struct line_case cases[] = {
        {"an_int = 0x10", "an_int", "an_int = 16"},
        {"an_int = 3k", "an_int", "an_int = 3072"},
        {"an_int = 2147483647", "an_int", "an_int = 2147483647"},
        {"an_int = 2147483648", "an_int",
         "absolute value of integer \"2147483648\" is too large (overflow)"},
        {"an_int = -2147483648", "an_int", "an_int = -2147483648"},
        {"an_int = -2147483649", "an_int",
         "absolute value of integer \"-2147483649\" is too large (overflow)"},
        {"an_int = abc", "an_int", "integer expected for an_int"},
        {"an_int =", "an_int", "integer expected for an_int"},
        {"an_int", "an_int", "unexpected end of line (data missing) after an_int"},
        {"an_int 5", "an_int", "missing \"=\" after an_int"},
        {"an_int = 5 x", "an_int", "extra characters follow integer value for an_int"},
        {"an_octal = 22", "an_octal", "an_octal = 022"},
        {"an_octal = 8", "an_octal", "octal integer expected for an_octal"},
        {"an_octal = 0x1", "an_octal",
         "extra characters follow octal integer value for an_octal"},
        {"a_fixed = 1.5", "a_fixed", "a_fixed = 1.5"},
        {"a_fixed = .5", "a_fixed", "fixed-point number expected for a_fixed"},
        {"a_fixed = 1x", "a_fixed", "extra characters follow fixed-point value for a_fixed"},
        {"a_fixed = -1", "a_fixed", "integer \"-1\" is too large (overflow)"},
        {"a_ksize = 4000Z", "a_ksize",
         "absolute value of integer \"4000Z\" is too large (overflow)"},
        {"a_ksize = 4000G", "a_ksize", "a_ksize = 4000G"},
    };
    CHECK(cases);
}

static void
test_times(void **state)
{
    static const struct line_case cases[] = {
        {"a_time = 90m", "a_time", "a_time = 1h30m"},
        {"a_time = 5", "a_time", "invalid time value for a_time"},
        {"a_time = $x", "a_time", "invalid time value for a_time"},
        {"an_xtime = $x", "an_xtime", "an_xtime = $x"},
        {"an_xtime = 2m", "an_xtime", "an_xtime = 2m"},
        {"times = 1h : 2h", "times", "times = 1h:2h"},
        {"times =", "times", "times = "},
        {"times = 2h:1h", "times", "time value out of order for times"},
        {"times = 1h:", "times", "invalid time value for times"},
        {"times = 1h::2h", "times", "invalid time value for times"},
    };
    CHECK(cases);
}

static void
test_texts(void **state)
{
    static const struct line_case cases[] = {
        {"a_str = \"a b\"", "a_str", "a_str = a b"},
        {"a_str =", "a_str", "a_str = "},
        {"a_str = \"a", "a_str", "missing quote at end of string value for a_str"},
        {"a_str = \"a\" b", "a_str", "extra characters follow string value for a_str"},
        {"a_str = a\na_str = b", "a_str", "\"a_str\" option set for the second time"},
        {"repeated = a\nrepeated = b:c", "repeated", "repeated = a:b:c"},
        {"headers_add = a\nheaders_add = b", "headers_add", "headers_add = a\\nb"},
        {"condition = a\ncondition = b", "condition",
         "condition = ${if and{{bool_lax{a}}{bool_lax{b}}}}"},
        {"by_function = abc", "by_function", "by_function = ABC"},
        {"by_function = !abc", "by_function", "no exclamation for by_function"},
        {"hide a_str = x", "a_str", "a_str = x"},
        {"hide", "a_str", "main option \"\" unknown"},
        {"hide hide a_str = x", "a_str", "main option \"hide\" unknown"},
    };
    CHECK(cases);
}

static void
test_users(void **state)
{
    static const struct line_case cases[] = {
        {"a_uid = root", "a_uid", "a_uid = root"},
        {"a_uid = 0", "a_uid", "a_uid = root"},
        {"a_uid = no-such-user", "a_uid", "user no-such-user was not found"},
        {"a_uid = $x", "a_uid", "user $x was not found"},
        {"an_xgid = $x", "an_xgid", "an_xgid = $x"},
        {"an_xgid =", "an_xgid", "group  was not found"},
        {"uids = root : 0", "uids", "uids = root:root"},
        {"uids =", "uids", "uids ="},
        {"uids = root : no-such-user", "uids", "user no-such-user was not found"},
    };
    CHECK(cases);
}

static void
test_place_of_a_list_item(void **state)
{
    struct reading *r = *state;
    assert_null(read_text(r, "uids = root : \\\n  no-such-user"));
    const struct diag *d = diags_at(r->diags, 0);
    assert_int_equal(d->at.line, 2);
    assert_int_equal(d->at.col, 3);
    assert_int_equal(d->at.n, 12);
}

static void
test_fault_leaves_the_field(void **state)
{
    struct reading *r = *state;
    struct opt_ctx ctx = {.arena = r->arena, .diags = r->diags};
    struct opt_set s = opt_new(r->arena, &sample_table);
    struct opt_line l = opt_line_scan(STR_LIT("an_int = x"), NULL);
    assert_int_equal(opt_parse(&ctx, &s, &l), OPT_FAULT);
    assert_int_equal(((struct sample *)s.fields)->an_int, 20);
    assert_false(opt_is_set(&s, opt_find(&sample_table, STR_LIT("an_int"))));
    l = opt_line_scan(STR_LIT("nothing = x"), NULL);
    assert_int_equal(opt_parse(&ctx, &s, &l), OPT_UNKNOWN);
}

static void
test_scan(void **state)
{
    (void)state;
    struct opt_line l = opt_line_scan(STR_LIT("hide  no_x =  y"), NULL);
    assert_true(l.hide);
    assert_true(str_eqz(l.name, "no_x"));
    assert_int_equal(l.name_at, 6);
    assert_int_equal(l.rest, 11);
    l = opt_line_scan(STR_LIT("9x = y"), NULL);
    assert_int_equal(l.name.n, 0);
    l = opt_line_scan(
        STR_LIT("a2345678901234567890123456789012345678901234567890123456789012345"), NULL);
    assert_int_equal(l.name.n, OPT_NAME_MAX);
}

static void
test_obsolete_warns(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, "old = x"));
    assert_int_equal(diags_count(r->diags, DIAG_WARNING), 1);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_bool),
        CASE(test_pair_sets_both),
        CASE(test_numbers),
        CASE(test_times),
        CASE(test_texts),
        CASE(test_users),
        CASE(test_place_of_a_list_item),
        CASE(test_fault_leaves_the_field),
        CASE(test_scan),
        CASE(test_obsolete_warns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
