/* Functions on numbers. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case arithmetic_cases[] = {
    {FN_OPER, "eval", {"1+2*3"}, VM_OK, "7"},
    {FN_OPER, "eval", {""}, VM_ERROR, "error in expression evaluation: expecting number or opening parenthesis (after processing \"\")"},
    {FN_OPER, "eval", {"x"}, VM_ERROR, "error in expression evaluation: expecting number or opening parenthesis (after processing \"\")"},
    {FN_OPER, "eval", {"1/0"}, VM_ERROR, "error in expression evaluation: divide by zero (after processing \"1/0\")"},
    {FN_OPER, "eval", {"0x10|1"}, VM_OK, "17"},
    {FN_OPER, "eval", {"010"}, VM_OK, "8"},
    {FN_OPER, "eval10", {"010"}, VM_OK, "10"},
    {FN_OPER, "eval", {"1K"}, VM_OK, "1024"},
    {FN_OPER, "eval", {"-5/2"}, VM_OK, "-2"},
    {FN_OPER, "eval", {"(1+2"}, VM_ERROR, "error in expression evaluation: expecting closing parenthesis (after processing \"(1+2\")"},
    {FN_OPER, "eval", {"1 2"}, VM_ERROR, "error in expression evaluation: expecting operator (after processing \"1 \")"},
    {FN_OPER, "randint", {"0"}, VM_OK, "0"},
    {FN_OPER, "randint", {"1"}, VM_OK, "0"},
    {FN_OPER, "randint", {"x"}, VM_ERROR, "integer expected but \"x\" found"},
    {FN_OPER, "randint", {"-1"}, VM_ERROR, "non-negative integer expected but \"-1\" found"},
    {FN_OPER, "randint", {""}, VM_ERROR, "integer expected but \"\" found"},
};

static const struct fn_case bases_cases[] = {
    {FN_OPER, "base32", {"31"}, VM_OK, "7"},
    {FN_OPER, "base32", {"x"}, VM_ERROR, "argument for base32 operator is \"x\", which is not a decimal number"},
    {FN_OPER, "base32", {""}, VM_OK, ""},
    {FN_OPER, "base32", {"0"}, VM_OK, ""},
    {FN_OPER, "base32", {"-1"}, VM_OK, "p777777777777"},
    {FN_OPER, "base32", {" 1"}, VM_OK, "b"},
    {FN_OPER, "base32", {"18446744073709551615"}, VM_OK, "p777777777777"},
    {FN_OPER, "base32d", {"7"}, VM_OK, "31"},
    {FN_OPER, "base32d", {"A"}, VM_ERROR, "argument for base32d operator is \"A\", which is not a base 32 number"},
    {FN_OPER, "base32d", {"0"}, VM_ERROR, "argument for base32d operator is \"0\", which is not a base 32 number"},
    {FN_OPER, "base32d", {"bcdefg"}, VM_OK, "35754150"},
    {FN_OPER, "base32d", {"zzzzzzzzzzzzzzzz"}, VM_OK, "-7140675125306923207"},
    {FN_OPER, "base62", {"100"}, VM_OK, "00001c"},
    {FN_OPER, "base62", {"x"}, VM_ERROR, "argument for base62 operator is \"x\", which is not a decimal number"},
    {FN_OPER, "base62", {"1 "}, VM_ERROR, "argument for base62 operator is \"1 \", which is not a decimal number"},
    {FN_OPER, "base62", {"-1"}, VM_OK, "16AHYF"},
    {FN_OPER, "base62", {"0"}, VM_OK, "000000"},
    {FN_OPER, "base62", {""}, VM_OK, "000000"},
    {FN_OPER, "base62", {"99999999999999"}, VM_OK, "YTZ0AR"},
    {FN_OPER, "base62d", {"0001"}, VM_OK, "1"},
    {FN_OPER, "base62d", {"a-"}, VM_ERROR, "argument for base62d operator is \"a-\", which is not a base 62 number"},
    {FN_OPER, "base62d", {""}, VM_OK, "0"},
    {FN_OPER, "base62d", {"zzzzzzzzzzz"}, VM_OK, "-3303671537291560961"},
};

static const struct fn_case intervals_cases[] = {
    {FN_OPER, "time_eval", {"2d4h5m"}, VM_OK, "187500"},
    {FN_OPER, "time_eval", {"x"}, VM_ERROR, "string \"x\" is not an Exim time interval in \"time_eval\" operator"},
    {FN_OPER, "time_eval", {""}, VM_ERROR, "string \"\" is not an Exim time interval in \"time_eval\" operator"},
    {FN_OPER, "time_interval", {"1000000"}, VM_OK, "1w4d13h46m40s"},
    {FN_OPER, "time_interval", {"x"}, VM_ERROR, "string \"x\" is not a positive number in \"time_interval\" operator"},
    {FN_OPER, "time_interval", {"-5"}, VM_ERROR, "string \"-5\" is not a positive number in \"time_interval\" operator"},
    {FN_OPER, "time_interval", {""}, VM_OK, "0s"},
    {FN_OPER, "time_interval", {"0"}, VM_OK, "0s"},
    {FN_OPER, "time_interval", {"604800"}, VM_OK, "1w"},
    {FN_OPER, "time_interval", {"99999999999999"}, VM_OK, "457w14h53m51s"},
};

static const struct fn_case comparisons_cases[] = {
    {FN_COND, "=", {"1", "1"}, VM_OK, ""},
    {FN_COND, "=", {"", "0"}, VM_OK, ""},
    {FN_COND, "=", {"1k", "1024"}, VM_OK, ""},
    {FN_COND, "=", {"1M", "1048576"}, VM_OK, ""},
    {FN_COND, "=", {"1G", "1073741824"}, VM_OK, ""},
    {FN_COND, "=", {"1x", "1"}, VM_ERROR, "invalid integer \"1x\""},
    {FN_COND, "=", {" 1 ", "1"}, VM_OK, ""},
    {FN_COND, "=", {"x", "1"}, VM_ERROR, "integer expected but \"x\" found"},
    {FN_COND, "=", {"1", "x"}, VM_ERROR, "integer expected but \"x\" found"},
    {FN_COND, "=", {"0x10", "16"}, VM_ERROR, "invalid integer \"0x10\""},
    {FN_COND, "=", {"010", "10"}, VM_OK, ""},
    {FN_COND, "=", {"99999999999999999999", "1"}, VM_ERROR, "absolute value of integer \"99999999999999999999\" is too large (overflow)"},
    {FN_COND, "==", {"-1", "-1"}, VM_OK, ""},
    {FN_COND, ">", {"-1", "1"}, VM_NO, ""},
    {FN_COND, ">", {"2", "1"}, VM_OK, ""},
    {FN_COND, "<", {"-1", "1"}, VM_OK, ""},
    {FN_COND, "<", {"1", "1"}, VM_NO, ""},
    {FN_COND, "<=", {"1", "1"}, VM_OK, ""},
    {FN_COND, "<=", {"2", "1"}, VM_NO, ""},
    {FN_COND, ">=", {"1", "1"}, VM_OK, ""},
    {FN_COND, ">=", {"-1", "1"}, VM_NO, ""},
    {FN_COND, "=", {"1 K", "1024"}, VM_ERROR, "invalid integer \"1 K\""},
    {FN_COND, "=", {"+1", "1"}, VM_OK, ""},
};

static const struct fn_case truth_cases[] = {
    {FN_COND, "bool", {"true"}, VM_OK, ""},
    {FN_COND, "bool", {""}, VM_NO, ""},
    {FN_COND, "bool", {" yes "}, VM_OK, ""},
    {FN_COND, "bool", {"No"}, VM_NO, ""},
    {FN_COND, "bool", {"0"}, VM_NO, ""},
    {FN_COND, "bool", {"00"}, VM_NO, ""},
    {FN_COND, "bool", {"2"}, VM_OK, ""},
    {FN_COND, "bool", {"-2"}, VM_OK, ""},
    {FN_COND, "bool", {"x"}, VM_ERROR, "unrecognised boolean value \"x\""},
    {FN_COND, "bool", {"2x"}, VM_ERROR, "unrecognised boolean value \"2x\""},
    {FN_COND, "bool", {"+5"}, VM_ERROR, "unrecognised boolean value \"+5\""},
    {FN_COND, "bool", {"0x5"}, VM_ERROR, "unrecognised boolean value \"0x5\""},
    {FN_COND, "bool", {"on"}, VM_ERROR, "unrecognised boolean value \"on\""},
    {FN_COND, "bool", {" x y "}, VM_ERROR, "unrecognised boolean value \"x y\""},
    {FN_COND, "bool", {"-0"}, VM_NO, ""},
    {FN_COND, "bool_lax", {""}, VM_NO, ""},
    {FN_COND, "bool_lax", {" "}, VM_NO, ""},
    {FN_COND, "bool_lax", {"0"}, VM_NO, ""},
    {FN_COND, "bool_lax", {" 0 "}, VM_NO, ""},
    {FN_COND, "bool_lax", {"00"}, VM_OK, ""},
    {FN_COND, "bool_lax", {"No"}, VM_NO, ""},
    {FN_COND, "bool_lax", {"false"}, VM_NO, ""},
    {FN_COND, "bool_lax", {"falsex"}, VM_OK, ""},
    {FN_COND, "bool_lax", {"-0"}, VM_OK, ""},
    {FN_COND, "bool_lax", {"x"}, VM_OK, ""},
};

/* clang-format on */

static void
arithmetic(void **state)
{
    fn_case_run(*state, arithmetic_cases, sizeof arithmetic_cases / sizeof *arithmetic_cases);
}

static void
bases(void **state)
{
    fn_case_run(*state, bases_cases, sizeof bases_cases / sizeof *bases_cases);
}

static void
intervals(void **state)
{
    fn_case_run(*state, intervals_cases, sizeof intervals_cases / sizeof *intervals_cases);
}

static void
comparisons(void **state)
{
    fn_case_run(*state, comparisons_cases,
                sizeof comparisons_cases / sizeof *comparisons_cases);
}

static void
truth(void **state)
{
    fn_case_run(*state, truth_cases, sizeof truth_cases / sizeof *truth_cases);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),  cmocka_unit_test(bases), cmocka_unit_test(intervals),
        cmocka_unit_test(comparisons), cmocka_unit_test(truth),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
