/* Unit tests of conf/opt_print.c: the forms of -bP. */
#include "conf_fixture.h"

static const char *
show(struct reading *r, const char *name, bool secrets, enum opt_show how)
{
    struct buf b = buf_in(r->arena, 0);
    opt_print(&b, &r->conf->main_set, opt_find(&sample_table, str_from_cstr(name)), secrets,
              how);
    return str_cstr(r->arena, buf_str(&b));
}

static void
test_numbers(void **state)
{
    static const struct {
        const char *line, *name, *want;
    } cases[] = {
        {"a_size = 3M", "a_size", "a_size = 3M"},
        {"a_size = 1G", "a_size", "a_size = 1024M"},
        {"a_size = 1000K", "a_size", "a_size = 1000K"},
        {"a_size = 0", "a_size", "a_size = 0"},
        {"a_size = -1024", "a_size", "a_size = -1K"},
        {"a_size = 1025", "a_size", "a_size = 1025"},
        {"a_ksize = 1", "a_ksize", "a_ksize = 1K"},
        {"a_ksize = 1536", "a_ksize", "a_ksize = 1536K"},
        {"a_ksize = 1E", "a_ksize", "a_ksize = 1048576T"},
        {"a_ksize = 0", "a_ksize", "a_ksize = 0"},
        {"an_octal = 0", "an_octal", "an_octal = 0"},
        {"an_octal = -1", "an_octal", "an_octal = 037777777777"},
        {"a_fixed = 1.050", "a_fixed", "a_fixed = 1.05"},
        {"a_fixed = 1.000", "a_fixed", "a_fixed = 1.0"},
        {"a_fixed = 2000000.123", "a_fixed", "a_fixed = 2000000.123"},
        {"a_bool", "a_fixed", "a_fixed ="},
        {"a_time = 0s", "a_time", "a_time = 0s"},
        {"a_time = 691200s", "a_time", "a_time = 1w1d"},
        {"a_bool", "uids", "uids ="},
        {"a_bool", "a_uid", "a_uid = "},
        {"a_bool", "a_str", "a_str = "},
        {"an_xgid = 4000000000", "an_xgid", "an_xgid = 4000000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(try_line(*state, cases[i].line, cases[i].name), cases[i].want);
}

static void
test_text_is_escaped(void **state)
{
    assert_string_equal(try_line(*state, "a_str = \"\\n\\t\\r\\001\\177\\xe9 \\\\\"", "a_str"),
                        "a_str = \\n\\t\\r\\001\\177\\351 \\");
}

static void
test_hidden_and_terse(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, "hide a_str = x\nhide a_bool\nan_xgid = root\n"));
    assert_string_equal(show(r, "a_str", false, OPT_SHOW_FULL),
                        "a_str = <value not displayable>\n");
    assert_string_equal(show(r, "a_str", true, OPT_SHOW_FULL), "a_str = x\n");
    assert_string_equal(show(r, "a_str", true, OPT_SHOW_VALUE), "x\n");
    assert_string_equal(show(r, "a_str", false, OPT_SHOW_VALUE), "<value not displayable>\n");
    assert_string_equal(show(r, "a_bool", false, OPT_SHOW_FULL),
                        "a_bool = <value not displayable>\n");
    assert_string_equal(show(r, "a_bool", true, OPT_SHOW_VALUE), "a_bool\n");
    assert_string_equal(show(r, "secret", false, OPT_SHOW_FULL),
                        "secret = <value not displayable>\n");
    assert_string_equal(show(r, "an_xgid", false, OPT_SHOW_VALUE), "root\n");
}

static void
test_all(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, "old = x\n"));
    struct buf b = buf_in(r->arena, 0);
    opt_print_all(&b, &r->conf->main_set, true, OPT_SHOW_FULL);
    struct str all = buf_str(&b);
    assert_true(str_starts(all, "no_a_bool\na_fixed =\na_ksize = 10M\na_list = x : y\n"));
    assert_int_equal(str_find(all, STR_LIT("old"), 0), STR_NPOS);  /* hidden */
    assert_int_equal(str_find(all, STR_LIT("pair"), 0), STR_NPOS); /* an alias */
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_numbers),
        CASE(test_text_is_escaped),
        CASE(test_hidden_and_terse),
        CASE(test_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
