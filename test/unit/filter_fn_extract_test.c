/* Fields of texts. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case by_name_cases[] = {
    {FN_ITEM_YN, "extract", {"", "gid", "uid=1984 gid=2001"}, VM_OK, "2001"},
    {FN_ITEM_YN, "extract", {"", "GID", "uid=1984 gid=2001"}, VM_OK, "2001"},
    {FN_ITEM_YN, "extract", {"", " gid ", "uid=1984 gid=2001"}, VM_OK, "2001"},
    {FN_ITEM_YN, "extract", {"", "gid", "uid=1984,gid=2001"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "gid", "uid = 1984 gid = 2001"}, VM_OK, "2001"},
    {FN_ITEM_YN, "extract", {"", "gid", "uid = 1984 gid 2001"}, VM_OK, "2001"},
    {FN_ITEM_YN, "extract", {"", "gid", "uid=1984 gid="}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "gid", "uid=1984 gid= x=1"}, VM_OK, "x=1"},
    {FN_ITEM_YN, "extract", {"", "gid", "gid=\"a b\" x=1"}, VM_OK, "a b"},
    {FN_ITEM_YN, "extract", {"", "gid", "gid=\"a\\nb\\\"c\\\\d\" x=1"}, VM_OK, "a\nb\"c\\d"},
    {FN_ITEM_YN, "extract", {"", "gid", "gid=\"a b"}, VM_OK, "a b"},
    {FN_ITEM_YN, "extract", {"", "x", "gid=\"a b\"x=1"}, VM_OK, "1"},
    {FN_ITEM_YN, "extract", {"", "gid", "gid=a\"b\" x=1"}, VM_OK, "a\"b\""},
    {FN_ITEM_YN, "extract", {"", "1x", "1x=a"}, VM_OK, "a"},
    {FN_ITEM_YN, "extract", {"", "a b", "a b=c"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "a", "a==c"}, VM_OK, "=c"},
    {FN_ITEM_YN, "extract", {"", "a", "a= =c"}, VM_OK, "=c"},
    {FN_ITEM_YN, "extract", {"", "a", "  a=c"}, VM_OK, "c"},
    {FN_ITEM_YN, "extract", {"", "a", "x=1 =2 a=c"}, VM_OK, "c"},
    {FN_ITEM_YN, "extract", {"", "a", "\na=c\nb=d"}, VM_OK, "c"},
    {FN_ITEM_YN, "extract", {"", "a", "ab=1 a=c"}, VM_OK, "c"},
    {FN_ITEM_YN, "extract", {"", "c", "a=b c=d c=e"}, VM_OK, "d"},
    {FN_ITEM_YN, "extract", {"", "a", ""}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "\"a\"", "\"a\"=1"}, VM_OK, "1"},
    {FN_ITEM_YN, "extract", {"", "a", "a=x\\ny b=c"}, VM_OK, "x\\ny"},
    {FN_ITEM_YN, "extract", {"", "a", "a=\"\" b=c"}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "a", "a=\"x\\x41\\101\\t\\q\" b=c"}, VM_OK, "xAA\tq"},
    {FN_ITEM_YN, "extract", {"", "a", "a=\"\\x4\" b"}, VM_OK, "\004"},
    {FN_ITEM_YN, "extract", {"", "a", "a=\"\\"}, VM_OK, "\\"},
    {FN_ITEM_YN, "extract", {"", "b", "a=\"\\\" b=2\" b=3"}, VM_OK, "3"},
};

static const struct fn_case by_number_cases[] = {
    {FN_ITEM_YN, "extract", {"", "2", ":", "x:42:99"}, VM_OK, "42"},
    {FN_ITEM_YN, "extract", {"", "0", ":", "x:42:99"}, VM_OK, "x:42:99"},
    {FN_ITEM_YN, "extract", {"", "-4", ":", "x:42:99"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "-3", ":", "x:42:99"}, VM_OK, "x"},
    {FN_ITEM_YN, "extract", {"", "4", ":", "x:42:99"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "3", ":", "x::99:"}, VM_OK, "99"},
    {FN_ITEM_YN, "extract", {"", "4", ":", "x::99:"}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "5", ":", "x::99:"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "-1", ":", "x::99:"}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "-4", ":", "x::99:"}, VM_OK, "x"},
    {FN_ITEM_YN, "extract", {"", "-5", ":", "x::99:"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "1", ":", ""}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "2", ":", ""}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "-1", ":", ""}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "0", ":", ""}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "1", "", "abc"}, VM_OK, "abc"},
    {FN_ITEM_YN, "extract", {"", "2", ":,", "a:b,c"}, VM_OK, "b"},
    {FN_ITEM_YN, "extract", {"", "3", ":,", "a:b,c"}, VM_OK, "c"},
    {FN_ITEM_YN, "extract", {"", " 2 ", ":,", "a:b,c"}, VM_OK, "b"},
    {FN_ITEM_YN, "extract", {"", "2", ": ", "a: b,c"}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"", "99999999999", ":", "a: b"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"", "4294967297", ":", "a: b"}, VM_OK, "a"},
};

static const struct fn_case from_json_cases[] = {
    {FN_ITEM_YN, "extract", {"json", "a", "{\"a\":\"b\",\"c\":1}"}, VM_OK, "\"b\""},
    {FN_ITEM_YN, "extract", {"jsons", "a", " {\"a\":\"b\", \"c\":1} "}, VM_OK, "b"},
    {FN_ITEM_YN, "extract", {"jsons", "c", " {\"a\":\"b\", \"c\":1} "}, VM_ERROR, "missing '\"' wrapping string result for extract jsons"},
    {FN_ITEM_YN, "extract", {"json", "c", " {\"a\":\"b\" \"c\":1} "}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"json", "c", "{\"a\":\"b\", \"c\":1 "}, VM_ERROR, "missing '}' wrapping object for extract json"},
    {FN_ITEM_YN, "extract", {"json", "c", "{\"a\" : \"x\\\"y\" , \"c\" : [1,2 , 3] ,\"d\":{\"e\":[1,{}]}, \"n\" : null }"}, VM_OK, "[1,2 , 3] "},
    {FN_ITEM_YN, "extract", {"json", "d", "{\"a\" : \"x\\\"y\" , \"c\" : [1,2 , 3] ,\"d\":{\"e\":[1,{}]}, \"n\" : null }"}, VM_OK, "{\"e\":[1,{}]}"},
    {FN_ITEM_YN, "extract", {"json", "n", "{\"a\" : \"x\\\"y\" , \"c\" : [1,2 , 3] ,\"d\":{\"e\":[1,{}]}, \"n\" : null }"}, VM_OK, "null "},
    {FN_ITEM_YN, "extract", {"json", "a", "{\"a\" : \"x\\\"y\" , \"c\" : [1,2 , 3] ,\"d\":{\"e\":[1,{}]}, \"n\" : null }"}, VM_OK, "\"x\\\"y\" "},
    {FN_ITEM_YN, "extract", {"jsons", "a", "{\"a\" : \"x\\\"y\" , \"c\" : [1,2 , 3] ,\"d\":{\"e\":[1,{}]}, \"n\" : null }"}, VM_OK, "x\\\"y"},
    {FN_ITEM_YN, "extract", {"json", "A", "{\"a\" : \"x\\\"y\" , \"c\" : [1,2 , 3] ,\"d\":{\"e\":[1,{}]}, \"n\" : null }"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"json", " a ", "{\"a\":\"b\"}"}, VM_OK, "\"b\""},
    {FN_ITEM_YN, "extract", {"json", "1", "[1,2,3]"}, VM_OK, "1"},
    {FN_ITEM_YN, "extract", {"json", "0", "[1,2,3]"}, VM_ERROR, "first argument of \"extract\" must be greater than zero"},
    {FN_ITEM_YN, "extract", {"json", "3", " [1,2, 3 ] "}, VM_OK, "3"},
    {FN_ITEM_YN, "extract", {"json", "4", " [1,2, 3 ] "}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"json", "-1", "[1]"}, VM_ERROR, "first argument of \"extract\" must be greater than zero"},
    {FN_ITEM_YN, "extract", {"json", "1", "{\"a\":1}"}, VM_ERROR, "missing '[' wrapping array for extract json"},
    {FN_ITEM_YN, "extract", {"json", "a", "[1,2]"}, VM_ERROR, "missing '{' wrapping object for extract json"},
    {FN_ITEM_YN, "extract", {"json", "a", ""}, VM_ERROR, "missing '{' wrapping object for extract json"},
    {FN_ITEM_YN, "extract", {"json", "1", ""}, VM_ERROR, "missing '[' wrapping array for extract json"},
    {FN_ITEM_YN, "extract", {"json", "1", "[]"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"json", "a", "xyz"}, VM_ERROR, "missing '{' wrapping object for extract json"},
    {FN_ITEM_YN, "extract", {"json", "1", "xyz"}, VM_ERROR, "missing '[' wrapping array for extract json"},
    {FN_ITEM_YN, "extract", {"json", "1", "[\"a\",\"b\"]"}, VM_OK, "\"a\""},
    {FN_ITEM_YN, "extract", {"jsons", "2", "[\"a\", \"b\" ]"}, VM_OK, "b"},
    {FN_ITEM_YN, "extract", {"jsons", "2", "[\"a\", b ]"}, VM_ERROR, "missing '\"' wrapping string result for extract jsons"},
    {FN_ITEM_YN, "extract", {"json", "2", "[1,{\"x\":[1,2},[4,5],3]"}, VM_ERROR, "missing ']' wrapping array for extract json"},
    {FN_ITEM_YN, "extract", {"json", "3", "[1,{\"x\":[1,2]},[4,5],3]"}, VM_OK, "[4,5]"},
    {FN_ITEM_YN, "extract", {"json", "2", "[1,,3]"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"json", "3", "[1,,3]"}, VM_NO, ""},
    {FN_ITEM_YN, "extract", {"json", "a b", "{\"a b\":3}"}, VM_OK, "3"},
    {FN_ITEM_YN, "extract", {"json", "a", "{a:3}"}, VM_ERROR, "missing '\"' wrapping string key for extract json"},
    {FN_ITEM_YN, "extract", {"json", "a", "{\"a\" 3}"}, VM_ERROR, "missing object value-separator for extract json"},
    {FN_ITEM_YN, "extract", {"json", "b", "{\"a\":\"x\", \"b\":1} trailing"}, VM_OK, "1"},
    {FN_ITEM_YN, "extract", {"json", "b", "{\"a\":\"x\", \"b\":1,}"}, VM_OK, "1"},
    {FN_ITEM_YN, "extract", {"json", "b", "{\"a\":\"x\", \"b\":}"}, VM_OK, ""},
    {FN_ITEM_YN, "extract", {"jsons", "b", "{\"a\":\"x\", \"b\":}"}, VM_ERROR, "missing '\"' wrapping string result for extract jsons"},
};

/* clang-format on */

static void
by_name(void **state)
{
    fn_case_run(*state, by_name_cases, sizeof by_name_cases / sizeof *by_name_cases);
}

static void
by_number(void **state)
{
    fn_case_run(*state, by_number_cases, sizeof by_number_cases / sizeof *by_number_cases);
}

static void
from_json(void **state)
{
    fn_case_run(*state, from_json_cases, sizeof from_json_cases / sizeof *from_json_cases);
}

/* The reference of 4.96 does not respect strings when it splits. */
static void
strings_in_json(void **state)
{
    struct str out;
    struct str comma[] = {STR_INIT("json"), STR_INIT("a"),
                          STR_INIT("{\"a\":\"x,y]}\", \"b\":1}")};
    assert_int_equal(fn_item_extract(*state, comma, 3, &out), VM_OK);
    assert_true(str_eqz(out, "\"x,y]}\""));
    comma[1] = STR_LIT("b");
    assert_int_equal(fn_item_extract(*state, comma, 3, &out), VM_OK);
    assert_true(str_eqz(out, "1"));
}

/* the value keeps the mark of the text, and is a part of it */
static void
marks(void **state)
{
    struct str out;
    struct str argv[] = {STR_EMPTY, STR_INIT("2"), STR_INIT(":"), {"a:b", 3, STR_TAINTED}};
    assert_int_equal(fn_item_extract(*state, argv, 4, &out), VM_OK);
    assert_true(str_is_tainted(out));
    assert_ptr_equal(out.p, argv[3].p + 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_name),   cmocka_unit_test(by_number),
        cmocka_unit_test(from_json), cmocka_unit_test(strings_in_json),
        cmocka_unit_test(marks),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
