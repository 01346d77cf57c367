/* Unit tests of conf/opt_number.c: numbers at their limits. */
#include "conf_fixture.h"

static void
test_integers(void **state)
{
    (void)state;
    static const struct {
        enum opt_type type;
        const char *text;
        enum opt_number result;
        int64_t value;
        size_t used;
    } cases[] = {
        {OPT_T_INT, "0", OPT_NUMBER_OK, 0, 1},
        {OPT_T_INT, "+5", OPT_NUMBER_OK, 5, 2},
        {OPT_T_INT, "08", OPT_NUMBER_OK, 0, 1},
        {OPT_T_INT, "0x", OPT_NUMBER_OK, 0, 1},
        {OPT_T_INT, "0x1fG", OPT_NUMBER_OVERFLOW, 0, 5},
        {OPT_T_INT, "1G", OPT_NUMBER_OK, 1073741824, 2},
        {OPT_T_INT, "2G", OPT_NUMBER_OVERFLOW, 0, 2},
        {OPT_T_INT, "0Z", OPT_NUMBER_OK, 0, 2},
        {OPT_T_INT, "", OPT_NUMBER_NONE, 0, 0},
        {OPT_T_INT, "-", OPT_NUMBER_NONE, 0, 0},
        {OPT_T_INT, "99999999999999999999", OPT_NUMBER_OVERFLOW, 0, 20},
        {OPT_T_KSIZE, "9223372036854775807", OPT_NUMBER_OK, INT64_MAX, 19},
        {OPT_T_KSIZE, "9223372036854775808", OPT_NUMBER_OVERFLOW, 0, 19},
        {OPT_T_KSIZE, "-9223372036854775808", OPT_NUMBER_OK, INT64_MIN, 20},
        {OPT_T_KSIZE, "7K", OPT_NUMBER_OK, 7, 2},
        {OPT_T_KSIZE, "1E", OPT_NUMBER_OK, INT64_C(1) << 50, 2},
        {OPT_T_KSIZE, "1Z", OPT_NUMBER_OK, INT64_C(1) << 60, 2},
        {OPT_T_OCTAL, "777", OPT_NUMBER_OK, 0777, 3},
        {OPT_T_OCTAL, "600K", OPT_NUMBER_OK, 0600 * 1024, 4},
        {OPT_T_OCTAL, "17777777777", OPT_NUMBER_OK, INT32_MAX, 11},
        {OPT_T_OCTAL, "20000000000", OPT_NUMBER_OVERFLOW, 0, 11},
        {OPT_T_FIXED, "1.2345", OPT_NUMBER_OK, 1234, 6},
        {OPT_T_FIXED, "1.", OPT_NUMBER_OK, 1000, 2},
        {OPT_T_FIXED, "2147483647", OPT_NUMBER_OK, INT64_C(2147483647000), 10},
        {OPT_T_FIXED, "2147483648", OPT_NUMBER_OVERFLOW, 0, 10},
        {OPT_T_FIXED, "-0", OPT_NUMBER_OVERFLOW, 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t v = 0;
        size_t used = 0;
        assert_int_equal(
            opt_read_number(cases[i].type, str_from_cstr(cases[i].text), &v, &used),
            cases[i].result);
        assert_int_equal(used, cases[i].used);
        if (cases[i].result == OPT_NUMBER_OK)
            assert_int_equal(v, cases[i].value);
    }
}

static void
test_time(void **state)
{
    (void)state;
    assert_int_equal(opt_read_time(STR_LIT("1w2d3h4m5s")), 604800 + 2 * 86400 + 3 * 3600 + 245);
    assert_int_equal(opt_read_time(STR_LIT("0s")), 0);
    assert_int_equal(opt_read_time(STR_LIT("2147483647s")), 2147483647);
    static const char *const bad[] = {"",
                                      "5",
                                      "s",
                                      "1h1",
                                      "1 h",
                                      "-1s",
                                      "1x",
                                      "1M",
                                      "1s500ms",
                                      "2147483648s",
                                      "99999999999999999999w"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(opt_read_time(str_from_cstr(bad[i])), -1);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_integers),
        CASE(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
