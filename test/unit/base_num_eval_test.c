/* Unit tests of base/num_eval.c; the expected answers are Exim's. */
#include "base/num.h"

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

struct eval_row {
    const char *text;
    enum num_eval_base base;
    int64_t value;
    const char *error;
    size_t at;
};

/* clang-format off */
static const struct eval_row eval_rows[] = {
    {"", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 0},
    {" ", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 1},
    {"1+", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 2},
    {"1 2", NUM_EVAL_ANY, 0, "expecting operator", 2},
    {"(1", NUM_EVAL_ANY, 0, "expecting closing parenthesis", 2},
    {"1)", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"1/0", NUM_EVAL_ANY, 0, "divide by zero", 3},
    {"1%0", NUM_EVAL_ANY, 0, "modulo by zero", 3},
    {"5/-2", NUM_EVAL_ANY, INT64_C(-2), NULL, 0},
    {"-5%3", NUM_EVAL_ANY, INT64_C(-2), NULL, 0},
    {"9223372036854775807", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"9223372036854775808", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"-9223372036854775808", NUM_EVAL_ANY, INT64_C(-9223372036854775807), NULL, 0},
    {"9223372036854775807+1", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"9223372036854775807*2", NUM_EVAL_ANY, INT64_C(-2), NULL, 0},
    {"-9223372036854775807-1", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"-9223372036854775807-2", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"(-9223372036854775807-1)/-1", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"(-9223372036854775807-1)%-1", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"-(-9223372036854775807-1)", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"1<<63", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"1<<64", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"1<<-1", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"1>>70", NUM_EVAL_ANY, INT64_C(0), NULL, 0},
    {"-8>>1", NUM_EVAL_ANY, INT64_C(-4), NULL, 0},
    {"0x", NUM_EVAL_ANY, INT64_C(0), NULL, 0},
    {"0xg", NUM_EVAL_ANY, INT64_C(0), NULL, 0},
    {"08", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"010", NUM_EVAL_ANY, INT64_C(8), NULL, 0},
    {"010", NUM_EVAL_DECIMAL, INT64_C(10), NULL, 0},
    {"0x10", NUM_EVAL_DECIMAL, 0, "expecting operator", 1},
    {"08", NUM_EVAL_DECIMAL, INT64_C(8), NULL, 0},
    {"1k", NUM_EVAL_ANY, INT64_C(1024), NULL, 0},
    {"1K", NUM_EVAL_ANY, INT64_C(1024), NULL, 0},
    {"1M", NUM_EVAL_ANY, INT64_C(1048576), NULL, 0},
    {"1G", NUM_EVAL_ANY, INT64_C(1073741824), NULL, 0},
    {"1T", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"1m", NUM_EVAL_ANY, INT64_C(1048576), NULL, 0},
    {"1KK", NUM_EVAL_ANY, 0, "expecting operator", 2},
    {"1K2", NUM_EVAL_ANY, 0, "expecting operator", 2},
    {"0x1G", NUM_EVAL_ANY, INT64_C(1073741824), NULL, 0},
    {"0x10K", NUM_EVAL_ANY, INT64_C(16384), NULL, 0},
    {"9007199254740992K", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"9007199254740991K", NUM_EVAL_ANY, INT64_C(9223372036854774784), NULL, 0},
    {"1&&1", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 2},
    {"1|2^3&4", NUM_EVAL_ANY, INT64_C(3), NULL, 0},
    {"1+2|4", NUM_EVAL_ANY, INT64_C(7), NULL, 0},
    {"1<<2+1", NUM_EVAL_ANY, INT64_C(8), NULL, 0},
    {"1|2<<1", NUM_EVAL_ANY, INT64_C(5), NULL, 0},
    {"~1", NUM_EVAL_ANY, INT64_C(-2), NULL, 0},
    {"~~1", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"--1", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"+1", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"+-1", NUM_EVAL_ANY, INT64_C(-1), NULL, 0},
    {"-+1", NUM_EVAL_ANY, INT64_C(-1), NULL, 0},
    {"!1", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 0},
    {"1 + 2", NUM_EVAL_ANY, INT64_C(3), NULL, 0},
    {" 1 + 2 ", NUM_EVAL_ANY, INT64_C(3), NULL, 0},
    {"1\t+2", NUM_EVAL_ANY, INT64_C(3), NULL, 0},
    {"(1+2)*3", NUM_EVAL_ANY, INT64_C(9), NULL, 0},
    {"((((1))))", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"()", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 1},
    {"2**3", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 2},
    {"2^3", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"1-1-1", NUM_EVAL_ANY, INT64_C(-1), NULL, 0},
    {"100/10/2", NUM_EVAL_ANY, INT64_C(5), NULL, 0},
    {"7%4%2", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"1<2", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"1>2", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"1>>", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 3},
    {"a", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 0},
    {"1a", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"- 1", NUM_EVAL_ANY, INT64_C(-1), NULL, 0},
    {"~ 1", NUM_EVAL_ANY, INT64_C(-2), NULL, 0},
    {"1.5", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"-2*3", NUM_EVAL_ANY, INT64_C(-6), NULL, 0},
    {"-2+3", NUM_EVAL_ANY, INT64_C(1), NULL, 0},
    {"~1+1", NUM_EVAL_ANY, INT64_C(-1), NULL, 0},
    {"~(1+1)*2", NUM_EVAL_ANY, INT64_C(-6), NULL, 0},
    {"18446744073709551615", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"0xffffffffffffffff", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"0x7fffffffffffffff", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"0x8000000000000000", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"99999999999999999999999", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"-9223372036854775808-1", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"9223372036854775807*-1", NUM_EVAL_ANY, INT64_C(-9223372036854775807), NULL, 0},
    {"3*3074457345618258603", NUM_EVAL_ANY, INT64_C(-9223372036854775807), NULL, 0},
    {"4611686018427387904*2", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"4611686018427387904*-2", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"1-(-9223372036854775807)", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"-9223372036854775807*-1", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"(-9223372036854775807-1)*-1", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"1*/2", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 2},
    {"1(2)", NUM_EVAL_ANY, 0, "expecting operator", 1},
    {"(1)2", NUM_EVAL_ANY, 0, "expecting operator", 3},
    {"(1 2)", NUM_EVAL_ANY, 0, "expecting closing parenthesis", 3},
    {"2+42%5", NUM_EVAL_ANY, INT64_C(4), NULL, 0},
    {"-(~255&0x1234)", NUM_EVAL_ANY, INT64_C(-4608), NULL, 0},
    {"0XC", NUM_EVAL_ANY, INT64_C(12), NULL, 0},
    {"0x1k", NUM_EVAL_ANY, INT64_C(1024), NULL, 0},
    {"1K", NUM_EVAL_DECIMAL, INT64_C(1024), NULL, 0},
    {"5-3+2", NUM_EVAL_ANY, INT64_C(4), NULL, 0},
    {"2-3*4/5%6", NUM_EVAL_ANY, INT64_C(0), NULL, 0},
    {"1 |", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 3},
    {"1 ^", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 3},
    {"1 &", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 3},
    {"-", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 1},
    {"~", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 1},
    {"(", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 1},
    {"((1)", NUM_EVAL_ANY, 0, "expecting closing parenthesis", 4},
    {"x+1", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 0},
    {"1+x", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 2},
    {"1*x", NUM_EVAL_ANY, 0, "expecting number or opening parenthesis", 2},
    {"1-9223372036854775807-3", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"6/3/0", NUM_EVAL_ANY, 0, "divide by zero", 5},
    {"1+6/0", NUM_EVAL_ANY, 0, "divide by zero", 5},
    {"4611686018427387904+0", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"4611686018427387903+0", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"4611686018427387903+1", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"4611686018427387902+4611686018427387904", NUM_EVAL_ANY, INT64_C(9223372036854775806), NULL, 0},
    {"4611686018427387902+4611686018427387906", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"4611686018427387904+1", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"4611686018427387904+2", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"4611686018427387904-1", NUM_EVAL_ANY, 0, "overflow in difference", 21},
    {"4611686018427387904+(-1)", NUM_EVAL_ANY, 0, "overflow in sum", 24},
    {"5000000000000000000+1", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"9223372036854775807+(-1)", NUM_EVAL_ANY, 0, "overflow in sum", 24},
    {"9223372036854775807-1", NUM_EVAL_ANY, 0, "overflow in difference", 21},
    {"9223372036854775806+0", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"9223372036854775805+1", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"9223372036854775804+1", NUM_EVAL_ANY, 0, "overflow in sum", 21},
    {"-9223372036854775807+1", NUM_EVAL_ANY, INT64_C(-9223372036854775806), NULL, 0},
    {"-9223372036854775807+0", NUM_EVAL_ANY, INT64_C(-9223372036854775807), NULL, 0},
    {"-9223372036854775807+-1", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"-9223372036854775807+-2", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"-4611686018427387904+-1", NUM_EVAL_ANY, INT64_C(-4611686018427387905), NULL, 0},
    {"-4611686018427387904+-4611686018427387904", NUM_EVAL_ANY, 0, "overflow in sum", 41},
    {"-4611686018427387905+-4611686018427387904", NUM_EVAL_ANY, 0, "overflow in sum", 41},
    {"-4611686018427387904+-4611686018427387905", NUM_EVAL_ANY, 0, "overflow in sum", 41},
    {"-4611686018427387903+-4611686018427387906", NUM_EVAL_ANY, 0, "overflow in sum", 41},
    {"-4611686018427387903+-4611686018427387903", NUM_EVAL_ANY, 0, "overflow in sum", 41},
    {"9223372036854775807-0", NUM_EVAL_ANY, 0, "overflow in difference", 21},
    {"9223372036854775806-(-1)", NUM_EVAL_ANY, 0, "overflow in difference", 24},
    {"9223372036854775806-(-2)", NUM_EVAL_ANY, 0, "overflow in difference", 24},
    {"4611686018427387904-(-4611686018427387903)", NUM_EVAL_ANY, 0, "overflow in difference", 42},
    {"4611686018427387904-(-4611686018427387904)", NUM_EVAL_ANY, 0, "overflow in difference", 42},
    {"4611686018427387903-(-4611686018427387905)", NUM_EVAL_ANY, 0, "overflow in difference", 42},
    {"4611686018427387905-(-4611686018427387903)", NUM_EVAL_ANY, 0, "overflow in difference", 42},
    {"-4611686018427387905-4611686018427387905", NUM_EVAL_ANY, INT64_C(9223372036854775806), NULL, 0},
    {"-9223372036854775807-9223372036854775807", NUM_EVAL_ANY, INT64_C(2), NULL, 0},
    {"-9223372036854775807-1-1", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"-1-9223372036854775807", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"-2-9223372036854775807", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"3000000000000000000+6223372036854775807", NUM_EVAL_ANY, INT64_C(9223372036854775807), NULL, 0},
    {"3000000000000000000+6223372036854775808", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"4000000000000000000+6223372036854775808", NUM_EVAL_ANY, INT64_C(-8223372036854775808), NULL, 0},
    {"2000000000000000000+8223372036854775808", NUM_EVAL_ANY, INT64_C(-8223372036854775808), NULL, 0},
    {"6223372036854775808+3000000000000000000", NUM_EVAL_ANY, 0, "overflow in sum", 39},
    {"7223372036854775808+2000000000000000000", NUM_EVAL_ANY, 0, "overflow in sum", 39},
    {"7223372036854775808+1000000000000000000", NUM_EVAL_ANY, 0, "overflow in sum", 39},
    {"7223372036854775808+1999999999999999999", NUM_EVAL_ANY, 0, "overflow in sum", 39},
    {"1+9223372036854775807", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"2+9223372036854775806", NUM_EVAL_ANY, INT64_MIN, NULL, 0},
    {"0+9223372036854775807+0", NUM_EVAL_ANY, 0, "overflow in sum", 23},
    {"9223372036854775807+-1+1", NUM_EVAL_ANY, 0, "overflow in sum", 22},
    {"9223372036854775807+-1+-9223372036854775807", NUM_EVAL_ANY, 0, "overflow in sum", 22},
    {"-5611686018427387904-(-5611686018427387904)", NUM_EVAL_ANY, 0, "overflow in difference", 43},
    {"-4611686018427387903-(-4611686018427387903)", NUM_EVAL_ANY, 0, "overflow in difference", 43},
    {"-4611686018427387903-(-4611686018427387902)", NUM_EVAL_ANY, INT64_C(-1), NULL, 0},
    {"-4611686018427387903-4611686018427387903", NUM_EVAL_ANY, INT64_C(-9223372036854775806), NULL, 0},
    {"4611686018427387902-(-4611686018427387903)", NUM_EVAL_ANY, INT64_C(9223372036854775805), NULL, 0},
    {"9223372036854775807-9223372036854775807", NUM_EVAL_ANY, 0, "overflow in difference", 39},
};
/* clang-format on */

static void
every_row_answers_as_exim(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof eval_rows / sizeof eval_rows[0]; i++) {
        const struct eval_row *r = &eval_rows[i];
        struct num_eval_error e;
        int64_t v;
        bool good = num_eval(str_from_cstr(r->text), r->base, &v, &e);
        assert_int_equal(good, r->error == NULL);
        if (good) {
            assert_true(v == r->value);
            continue;
        }
        assert_string_equal(e.text, r->error);
        assert_int_equal(e.at, r->at);
    }
}

static bool
nested(struct arena *a, char open, size_t depth)
{
    char *text = arena_alloc(a, 2 * depth + 1);
    struct num_eval_error e;
    int64_t v;
    memset(text, open, depth);
    text[depth] = '1';
    memset(text + depth + 1, ')', depth);
    size_t n = open == '(' ? 2 * depth + 1 : depth + 1;
    return num_eval(str_from(text, n), NUM_EVAL_ANY, &v, &e);
}

static void
nesting_is_capped(void **state)
{
    assert_true(nested(*state, '(', 198));
    assert_true(nested(*state, '(', 199));
    assert_false(nested(*state, '(', 200));
    assert_true(nested(*state, '-', 198));
    assert_true(nested(*state, '-', 199));
    assert_false(nested(*state, '-', 200));
    assert_false(nested(*state, '(', 1000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_answers_as_exim),
        cmocka_unit_test(nesting_is_capped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
