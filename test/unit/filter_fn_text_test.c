/* Text functions. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case letter_case_cases[] = {
    {FN_OPER, "lc", {"ABC"}, VM_OK, "abc"},
    {FN_OPER, "lc", {"abc"}, VM_OK, "abc"},
    {FN_OPER, "lc", {""}, VM_OK, ""},
    {FN_OPER, "lc", {"A\303\204b"}, VM_OK, "a\303\204b"},
    {FN_OPER, "lc", {"x", "foo"}, VM_OK, "x"},
    {FN_OPER, "uc", {"aBc"}, VM_OK, "ABC"},
    {FN_OPER, "uc", {"ABC"}, VM_OK, "ABC"},
    {FN_OPER, "uc", {""}, VM_OK, ""},
    {FN_OPER, "uc", {"a\303\244B"}, VM_OK, "A\303\244B"},
    {FN_OPER, "strlen", {""}, VM_OK, "0"},
    {FN_OPER, "strlen", {"abc"}, VM_OK, "3"},
    {FN_OPER, "strlen", {"a\303\244"}, VM_OK, "3"},
};

static const struct fn_case parts_cases[] = {
    {FN_OPER, "length", {"abcdef", "3"}, VM_OK, "abc"},
    {FN_OPER, "length", {"ab", "3"}, VM_OK, "ab"},
    {FN_OPER, "length", {"abc", "0"}, VM_OK, ""},
    {FN_OPER, "l", {"abc", "2"}, VM_OK, "ab"},
    {FN_OPER, "length", {"abc", "x"}, VM_ERROR, "non-digit after underscore in \"length_x\""},
    {FN_OPER, "length", {"abc", "2", "1"}, VM_ERROR, "non-digit after underscore in \"length_2_1\""},
    {FN_OPER, "length", {"abc"}, VM_ERROR, "Not enough arguments for 'length' (min is 2)"},
    {FN_OPER, "l", {"abc"}, VM_ERROR, "missing values after l"},
    {FN_OPER, "l", {"abc", ""}, VM_OK, ""},
    {FN_OPER, "length", {"abc", "1K"}, VM_ERROR, "non-digit after underscore in \"length_1K\""},
    {FN_ITEM, "length", {"2", "abc"}, VM_OK, "ab"},
    {FN_ITEM, "length", {"", "abc"}, VM_OK, ""},
    {FN_ITEM, "length", {"x", "abc"}, VM_ERROR, "\"x\" is not a positive number (in \"length\" expansion)"},
    {FN_ITEM, "length", {"-1", "abc"}, VM_ERROR, "\"-1\" is not a positive number (in \"length\" expansion)"},
    {FN_ITEM, "length", {" 1", "abc"}, VM_OK, "a"},
    {FN_ITEM, "length", {"1 ", "abc"}, VM_ERROR, "\"1 \" is not a positive number (in \"length\" expansion)"},
    {FN_ITEM, "length", {"+2", "abc"}, VM_OK, "ab"},
    {FN_ITEM, "length", {"99999999999", "abc"}, VM_OK, "abc"},
    {FN_ITEM, "length", {"-", "abc"}, VM_ERROR, "\"-\" is not a positive number (in \"length\" expansion)"},
    {FN_OPER, "substr", {"abcdef", "1"}, VM_OK, "bcdef"},
    {FN_OPER, "substr", {"abcdef", "1", "2"}, VM_OK, "bc"},
    {FN_OPER, "s", {"abc", "-1", "1"}, VM_OK, "c"},
    {FN_OPER, "s", {"abc", "-5"}, VM_OK, ""},
    {FN_OPER, "s", {"abc", "-5", "3"}, VM_OK, "a"},
    {FN_OPER, "s", {"abc", "-5", "4"}, VM_OK, "ab"},
    {FN_OPER, "s", {"abc", "-1"}, VM_OK, "ab"},
    {FN_OPER, "s", {"abc", "5"}, VM_OK, ""},
    {FN_OPER, "s", {"abc", "0", "0"}, VM_OK, ""},
    {FN_OPER, "s", {"abc", "1", "1", "1"}, VM_ERROR, "non-digit after underscore in \"s_1_1_1\""},
    {FN_OPER, "s", {"abc", "", "1"}, VM_ERROR, "non-digit after underscore in \"s__1\""},
    {FN_OPER, "s", {"abc", "1", ""}, VM_ERROR, "non-digit after underscore in \"s_1_\""},
    {FN_OPER, "s", {"abc", "1", "-1"}, VM_ERROR, "non-digit after underscore in \"s_1_-1\""},
    {FN_OPER, "s", {"abc", "-"}, VM_OK, "abc"},
    {FN_OPER, "s", {"abc", "-", "1"}, VM_ERROR, "non-digit after underscore in \"s_-_1\""},
    {FN_OPER, "s", {"abc", ""}, VM_OK, "abc"},
    {FN_OPER, "s", {"abc"}, VM_ERROR, "missing values after s"},
    {FN_OPER, "substr", {"abc"}, VM_ERROR, "Not enough arguments for 'substr' (min is 2)"},
    {FN_ITEM, "substr", {"1", "2", "abcdef"}, VM_OK, "bc"},
    {FN_ITEM, "substr", {"1", "abcdef"}, VM_OK, "bcdef"},
    {FN_ITEM, "substr", {"-2", "abcdef"}, VM_OK, "abcd"},
    {FN_ITEM, "substr", {"-2", "-1", "abcdef"}, VM_ERROR, "\"-1\" is not a positive number (in \"substr\" expansion)"},
    {FN_ITEM, "substr", {"x", "abcdef"}, VM_ERROR, "\"x\" is not a number (in \"substr\" expansion)"},
    {FN_ITEM, "substr", {"", "", "abc"}, VM_OK, ""},
    {FN_ITEM, "substr", {"", "2", "abc"}, VM_OK, "ab"},
    {FN_ITEM, "substr", {"1", "", "abc"}, VM_OK, ""},
    {FN_ITEM, "substr", {"99999999999", "1", "abc"}, VM_OK, ""},
    {FN_ITEM, "substr", {"-5", "4", "abc"}, VM_OK, "ab"},
    {FN_ITEM, "substr", {"-5", "1", "abc"}, VM_OK, ""},
    {FN_ITEM, "substr", {"-1", "5", "abc"}, VM_OK, "c"},
    {FN_ITEM, "substr", {"-3", "abc"}, VM_OK, ""},
    {FN_ITEM, "substr", {"010", "abcdefghijklmnop"}, VM_OK, "klmnop"},
    {FN_ITEM, "substr", {"0x1", "abc"}, VM_ERROR, "\"0x1\" is not a number (in \"substr\" expansion)"},
};

static const struct fn_case translation_cases[] = {
    {FN_ITEM, "tr", {"abcd", "abc", "xy"}, VM_OK, "xyyd"},
    {FN_ITEM, "tr", {"abc", "abc", ""}, VM_OK, "abc"},
    {FN_ITEM, "tr", {"abc", "", "x"}, VM_OK, "abc"},
    {FN_ITEM, "tr", {"", "ab", "x"}, VM_OK, ""},
    {FN_ITEM, "tr", {"aab", "aa", "xy"}, VM_OK, "yyb"},
    {FN_ITEM, "tr", {"aab", "ab", "xyz"}, VM_OK, "xxy"},
    {FN_ITEM, "tr", {"a/b/c", "/", "_"}, VM_OK, "a_b_c"},
};

static const struct fn_case quoting_cases[] = {
    {FN_OPER, "quote", {""}, VM_OK, "\"\""},
    {FN_OPER, "quote", {"a b"}, VM_OK, "\"a b\""},
    {FN_OPER, "quote", {"a\"b\\c\n\015\t"}, VM_OK, "\"a\\\"b\\\\c\\n\\r\t\""},
    {FN_OPER, "quote", {"a_b.c-d1"}, VM_OK, "a_b.c-d1"},
    {FN_OPER, "quote", {"joe@x"}, VM_OK, "\"joe@x\""},
    {FN_OPER, "quote", {"\351"}, VM_OK, "\"\351\""},
    {FN_OPER, "quote", {"a", "foo"}, VM_ERROR, "unknown lookup type \"foo\""},
    {FN_OPER, "quote", {"a", ""}, VM_ERROR, "unknown lookup type \"\""},
    {FN_OPER, "quote_local_part", {""}, VM_OK, "\"\""},
    {FN_OPER, "quote_local_part", {"a.b"}, VM_OK, "a.b"},
    {FN_OPER, "quote_local_part", {".a"}, VM_OK, "\".a\""},
    {FN_OPER, "quote_local_part", {"a."}, VM_OK, "\"a.\""},
    {FN_OPER, "quote_local_part", {"a..b"}, VM_OK, "a..b"},
    {FN_OPER, "quote_local_part", {"a b\"\\"}, VM_OK, "\"a b\\\"\\\\\""},
    {FN_OPER, "quote_local_part", {"!#$%&'*+-/=?^_`{|}~"}, VM_OK, "!#$%&'*+-/=?^_`{|}~"},
    {FN_OPER, "rxquote", {"a.b c_1"}, VM_OK, "a\\.b\\ c\\_1"},
    {FN_OPER, "rxquote", {"abc1"}, VM_OK, "abc1"},
    {FN_OPER, "rxquote", {""}, VM_OK, ""},
    {FN_OPER, "hexquote", {"a b\n\177!~"}, VM_OK, "a\\x20b\\x0a\\x7f!~"},
    {FN_OPER, "hexquote", {""}, VM_OK, ""},
};

static const struct fn_case escapes_cases[] = {
    {FN_OPER, "escape", {"a b\n\015\t\\\001\177\351\010\013\014\033"}, VM_OK, "a b\\n\\r\t\\\\001\\177\\351\\b\\v\\f\\033"},
    {FN_OPER, "escape", {"plain"}, VM_OK, "plain"},
    {FN_OPER, "escape", {""}, VM_OK, ""},
    {FN_OPER, "escape8bit", {"a\177\351\\b\n\001"}, VM_OK, "a\\177\\351\\134b\n\001"},
    {FN_OPER, "escape8bit", {"plain"}, VM_OK, "plain"},
};

static const struct fn_case encodings_cases[] = {
    {FN_OPER, "base64d", {"YWJj"}, VM_OK, "abc"},
    {FN_OPER, "base64d", {"YWJ"}, VM_ERROR, "string \"YWJ\" is not well-formed for \"base64d\" operator"},
    {FN_OPER, "base64d", {"!!"}, VM_ERROR, "string \"!!\" is not well-formed for \"base64d\" operator"},
    {FN_OPER, "base64d", {""}, VM_OK, ""},
    {FN_OPER, "base64d", {"YQ=="}, VM_OK, "a"},
    {FN_OPER, "base64d", {"YW Jj\nYQ=="}, VM_OK, "abca"},
    {FN_OPER, "hex2b64", {"616263"}, VM_OK, "YWJj"},
    {FN_OPER, "hex2b64", {"61626"}, VM_ERROR, "\"61626\" contains an odd number of characters"},
    {FN_OPER, "hex2b64", {"6162x"}, VM_ERROR, "\"6162x\" is not a hex string"},
    {FN_OPER, "hex2b64", {"x"}, VM_ERROR, "\"x\" is not a hex string"},
    {FN_OPER, "hex2b64", {""}, VM_OK, ""},
    {FN_OPER, "hex2b64", {"fF00"}, VM_OK, "/wA="},
    {FN_OPER, "from_utf8", {"a\303\251\342\202\254"}, VM_OK, "a\351_"},
    {FN_OPER, "from_utf8", {"abc"}, VM_OK, "abc"},
    {FN_OPER, "utf8clean", {"a\377\303\251"}, VM_OK, "a?\303\251"},
    {FN_OPER, "utf8clean", {"abc"}, VM_OK, "abc"},
    {FN_ITEM, "imapfolder", {"abc"}, VM_OK, "abc"},
    {FN_ITEM, "imapfolder", {""}, VM_OK, ""},
    {FN_ITEM, "imapfolder", {"a/b"}, VM_OK, "a.b"},
    {FN_ITEM, "imapfolder", {"a&b\303\251"}, VM_OK, "a&-b&AOk-"},
    {FN_ITEM, "imapfolder", {"a.b"}, VM_ERROR, "imapfolder: illegal character '.'"},
    {FN_ITEM, "imapfolder", {"\377"}, VM_ERROR, "imapfolder: iconv() failed to convert from UTF-8: Invalid or incomplete multibyte or wide character"},
    {FN_ITEM, "imapfolder", {"a/b.c", "/", "."}, VM_OK, "a.b&AC4-c"},
    {FN_ITEM, "imapfolder", {"a", "//"}, VM_ERROR, "IMAP folder separator must be one character, found \"//\""},
    {FN_ITEM, "imapfolder", {"a", ""}, VM_ERROR, "IMAP folder separator must be one character, found \"\""},
    {FN_ITEM, "imapfolder", {"a:b", ":"}, VM_OK, "a.b"},
};

/* clang-format on */

static void
letter_case(void **state)
{
    fn_case_run(*state, letter_case_cases,
                sizeof letter_case_cases / sizeof *letter_case_cases);
}

static void
parts(void **state)
{
    fn_case_run(*state, parts_cases, sizeof parts_cases / sizeof *parts_cases);
}

static void
translation(void **state)
{
    fn_case_run(*state, translation_cases,
                sizeof translation_cases / sizeof *translation_cases);
}

static void
quoting(void **state)
{
    fn_case_run(*state, quoting_cases, sizeof quoting_cases / sizeof *quoting_cases);
}

static void
escapes(void **state)
{
    fn_case_run(*state, escapes_cases, sizeof escapes_cases / sizeof *escapes_cases);
}

static void
encodings(void **state)
{
    fn_case_run(*state, encodings_cases, sizeof encodings_cases / sizeof *encodings_cases);
}

/* what the reference cannot do: NUL bytes are bytes; functions of later versions */
static void
beyond(void **state)
{
    struct str out;
    struct str nul[] = {{"a\0B", 3, STR_TAINTED}, {"\0", 1, STR_CLEAN}, {"x", 1, STR_CLEAN}};
    assert_int_equal(fn_oper_strlen(*state, nul, 1, &out), VM_OK);
    assert_true(str_eqz(out, "3") && !str_is_tainted(out));
    assert_int_equal(fn_oper_lc(*state, nul, 1, &out), VM_OK);
    assert_true(str_eq(out, str_from("a\0b", 3)) && str_is_tainted(out));
    assert_int_equal(fn_item_tr(*state, nul, 3, &out), VM_OK);
    assert_true(str_eqz(out, "axB"));
    assert_int_equal(fn_oper_rxquote(*state, nul, 1, &out), VM_OK);
    assert_true(str_eq(out, str_from("a\\\0B", 4)));
    assert_int_equal(fn_oper_hexquote(*state, nul, 1, &out), VM_OK);
    assert_true(str_eqz(out, "a\\x00B"));
    struct str xtext = STR_INIT("a+2Bb+3d");
    assert_int_equal(fn_oper_xtextd(*state, &xtext, 1, &out), VM_OK);
    assert_true(str_eqz(out, "a+b="));
    xtext = STR_LIT("a+2");
    assert_int_equal(fn_oper_xtextd(*state, &xtext, 1, &out), VM_ERROR);
}

/* a result that is a part of the argument is that part */
static void
no_copies(void **state)
{
    struct str out;
    struct str s = STR_INIT("abc");
    assert_int_equal(fn_oper_lc(*state, &s, 1, &out), VM_OK);
    assert_ptr_equal(out.p, s.p);
    struct str part[] = {STR_INIT("abcdef"), STR_INIT("2"), STR_INIT("3")};
    assert_int_equal(fn_oper_substr(*state, part, 3, &out), VM_OK);
    assert_ptr_equal(out.p, part[0].p + 2);
    assert_int_equal(out.n, 3);
    assert_int_equal(fn_oper_quote(*state, &s, 1, &out), VM_OK);
    assert_ptr_equal(out.p, s.p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letter_case), cmocka_unit_test(parts),
        cmocka_unit_test(translation), cmocka_unit_test(quoting),
        cmocka_unit_test(escapes),     cmocka_unit_test(encodings),
        cmocka_unit_test(beyond),      cmocka_unit_test(no_copies),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
