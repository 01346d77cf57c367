/* Unit tests of base/num.c. */
#include "base/num.h"

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

struct int_row {
    const char *text;
    enum num_status status;
    int64_t value;
};

static void
parse_int_takes_suffixes_and_reports_each_fault(void **state)
{
    static const struct int_row rows[] = {
        {"", NUM_OK, 0},
        {" ", NUM_OK, 0},
        {" 1K ", NUM_OK, 1024},
        {"1g", NUM_OK, 1073741824},
        {"010", NUM_OK, 10},
        {"+1", NUM_OK, 1},
        {"-9223372036854775808", NUM_OK, INT64_MIN},
        {"9223372036854775807", NUM_OK, INT64_MAX},
        {"9223372036854775808", NUM_RANGE, 0},
        {"-9223372036854775809", NUM_RANGE, 0},
        {"9007199254740992K", NUM_RANGE, 0},
        {"9007199254740991K", NUM_OK, INT64_C(9223372036854774784)},
        {"1T", NUM_BAD, 0},
        {"0x10", NUM_BAD, 0},
        {"1 K", NUM_BAD, 0},
        {"1KK", NUM_BAD, 0},
        {"x", NUM_NONE, 0},
        {"--1", NUM_NONE, 0},
        {"- 1", NUM_NONE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t v = 0;
        assert_int_equal(num_parse_int(str_from_cstr(rows[i].text), &v), rows[i].status);
        if (rows[i].status == NUM_OK)
            assert_true(v == rows[i].value);
    }
}

static void
int_error_words_are_exims(void **state)
{
    assert_str(num_int_error(*state, NUM_NONE, STR_LIT("x")),
               "integer expected but \"x\" found");
    assert_str(num_int_error(*state, NUM_BAD, STR_LIT("1T")), "invalid integer \"1T\"");
    struct str range = num_int_error(*state, NUM_RANGE, str_tainted(STR_LIT("9")));
    assert_str(range, "absolute value of integer \"9\" is too large (overflow)");
    assert_true(str_is_tainted(range));
}

static void
scan_reads_octal_and_hexadecimal_when_asked(void **state)
{
    int64_t v;
    size_t pos = 0;
    (void)state;
    assert_int_equal(num_scan(STR_LIT("0x10K,"), &pos, NUM_OCTAL_HEX | NUM_SUFFIX, &v), NUM_OK);
    assert_int_equal(v, 16384);
    assert_int_equal(pos, 5);
    pos = 0;
    assert_int_equal(num_scan(STR_LIT("08"), &pos, NUM_OCTAL_HEX, &v), NUM_OK);
    assert_int_equal(v, 0);
    assert_int_equal(pos, 1);
    pos = 0;
    assert_int_equal(num_scan(STR_LIT("0x"), &pos, NUM_OCTAL_HEX, &v), NUM_OK);
    assert_int_equal(pos, 1);
    pos = 0;
    assert_int_equal(num_scan(STR_LIT("2T"), &pos, NUM_SUFFIX | NUM_SUFFIX_T, &v), NUM_OK);
    assert_true(v == INT64_C(2199023255552));
    pos = 1;
    assert_int_equal(num_scan(STR_LIT("1-"), &pos, 0, &v), NUM_NONE);
    assert_int_equal(pos, 1);
}

static void
unsigned_and_digits(void **state)
{
    uint64_t u;
    (void)state;
    assert_true(num_parse_unsigned(STR_LIT(""), &u) && u == 0);
    assert_true(num_parse_unsigned(STR_LIT(" -1"), &u) && u == UINT64_MAX);
    assert_true(num_parse_unsigned(STR_LIT("99999999999999999999"), &u) && u == UINT64_MAX);
    assert_false(num_parse_unsigned(STR_LIT("1 "), &u));
    assert_false(num_parse_digits(STR_LIT(""), &u));
    assert_false(num_parse_digits(STR_LIT("-1"), &u));
    assert_true(num_parse_digits(STR_LIT("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(num_parse_digits(STR_LIT("18446744073709551616"), &u));
}

static void
assert_interval(struct arena *a, int64_t seconds, const char *want)
{
    struct buf b = buf_in(a, 0);
    num_add_interval(&b, seconds);
    assert_str(buf_str(&b), want);
}

static void
intervals(void **state)
{
    int64_t v;
    (void)state;
    assert_true(num_parse_interval(STR_LIT("1w2d3h4m5s"), &v) && v == 788645);
    assert_true(num_parse_interval(STR_LIT("1h1h"), &v) && v == 7200);
    assert_true(num_parse_interval(STR_LIT("2147483647s"), &v) && v == INT32_MAX);
    assert_false(num_parse_interval(STR_LIT("2147483648s"), &v));
    assert_false(num_parse_interval(STR_LIT("3551w"), &v));
    assert_false(num_parse_interval(STR_LIT(""), &v));
    assert_false(num_parse_interval(STR_LIT("5"), &v));
    assert_false(num_parse_interval(STR_LIT("1H"), &v));
    assert_false(num_parse_interval(STR_LIT("1.5s"), &v));
    assert_true(num_parse_interval_ms(STR_LIT("1m2.25s"), &v) && v == 62250);
    assert_false(num_parse_interval_ms(STR_LIT("1.5m"), &v));
    assert_interval(*state, 0, "0s");
    assert_interval(*state, 788645, "1w2d3h4m5s");
    assert_interval(*state, -300, "-5m");
    assert_interval(*state, INT32_MAX, "3550w5d3h14m7s");
}

static void
thousandths(void **state)
{
    static const char *const texts[] = {"1.2", "5.0", "0.001", "-1.05"};
    static const int64_t values[] = {1200, 5000, 1, -1050};
    int64_t v;
    for (size_t i = 0; i < 4; i++) {
        struct buf b = buf_in(*state, 0);
        num_add_fixed(&b, values[i]);
        assert_str(buf_str(&b), texts[i]);
    }
    assert_true(num_parse_fixed(STR_LIT("1.2345"), &v) == NUM_OK && v == 1234);
    assert_true(num_parse_fixed(STR_LIT("1."), &v) == NUM_OK && v == 1000);
    assert_int_equal(num_parse_fixed(STR_LIT(".5"), &v), NUM_NONE);
    assert_int_equal(num_parse_fixed(STR_LIT("-1"), &v), NUM_RANGE);
    assert_int_equal(num_parse_fixed(STR_LIT("1.5x"), &v), NUM_BAD);
    assert_true(num_parse_fixed(STR_LIT("2147483"), &v) == NUM_OK && v == 2147483000);
    assert_int_equal(num_parse_fixed(STR_LIT("2147484"), &v), NUM_RANGE);
}

static void
bases(void **state)
{
    char six[NUM_BASE62_DIGITS];
    char many[NUM_BASE32_MAX];
    uint64_t u;
    (void)state;
    num_base62(61, six);
    assert_memory_equal(six, "00000z", 6);
    num_base62(UINT64_MAX, six);
    assert_memory_equal(six, "16AHYF", 6);
    assert_true(num_base62_parse(STR_LIT("zzzzzz"), &u) && u == UINT64_C(56800235583));
    assert_false(num_base62_parse(STR_LIT("ab_"), &u));
    assert_int_equal(num_base32(0, many), 0);
    assert_int_equal(num_base32(UINT64_MAX, many), 13);
    assert_memory_equal(many, "p777777777777", 13);
    assert_true(num_base32_parse(STR_LIT("abc"), &u) && u == 34);
    assert_false(num_base32_parse(STR_LIT("A"), &u));
}

static void
test_option(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
        int64_t n;
    } cases[] = {
        {"0", NULL, 0},
        {" 12 ", NULL, 12},
        {"3K", NULL, 3072},
        {"", "integer expected but \"\" found", 0},
        {"  ", "integer expected but \"\" found", 0},
        {"x", "integer expected but \"x\" found", 0},
        {"44litres", "invalid integer \"44litres\"", 0},
        {"-1", "non-negative integer expected but \"-1\" found", 0},
        {"99999999999999999999",
         "absolute value of integer \"99999999999999999999\" is too large (overflow)", 0},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t n = -7;
        struct str why = STR_NULL;
        bool ok = num_parse_option(a, str_from_cstr(cases[i].text), &n, &why);
        assert_int_equal(ok, cases[i].why == NULL);
        if (ok)
            assert_int_equal(n, cases[i].n);
        else
            assert_string_equal(str_cstr(a, why), cases[i].why);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_int_takes_suffixes_and_reports_each_fault),
        cmocka_unit_test(int_error_words_are_exims),
        cmocka_unit_test(scan_reads_octal_and_hexadecimal_when_asked),
        cmocka_unit_test(unsigned_and_digits),
        cmocka_unit_test(intervals),
        cmocka_unit_test(thousandths),
        cmocka_unit_test(test_option),
        cmocka_unit_test(bases),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
