/* JSON spans. What ${extract does with them is tested in filter_fn_extract_test.c. */
#include "filter/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
opening(void **state)
{
    (void)state;
    struct str in;
    assert_int_equal(json_open(STR_LIT(" [1,\"]\",{\"a\":[]}] x"), '[', &in), JSON_OK);
    assert_true(str_eqz(in, "1,\"]\",{\"a\":[]}"));
    assert_int_equal(json_open(STR_LIT("{}"), '{', &in), JSON_OK);
    assert_int_equal(in.n, 0);
    assert_int_equal(json_open(STR_LIT("{}"), '[', &in), JSON_NO_OPEN);
    assert_int_equal(json_open(STR_LIT(""), '[', &in), JSON_NO_OPEN);
    assert_int_equal(json_open(STR_LIT("["), '[', &in), JSON_NO_CLOSE);
    assert_int_equal(json_open(STR_LIT("[}"), '[', &in), JSON_NO_CLOSE);
    assert_int_equal(json_open(STR_LIT("[[1]"), '[', &in), JSON_NO_CLOSE);
    assert_int_equal(json_open(STR_LIT("[\"]"), '[', &in), JSON_NO_CLOSE);
    assert_int_equal(json_open(STR_LIT("[\"\\\"]"), '[', &in), JSON_NO_CLOSE);
    assert_int_equal(json_open(STR_LIT("[\"\\"), '[', &in), JSON_NO_CLOSE);
}

static void
elements(void **state)
{
    (void)state;
    struct str in = STR_INIT(" 1 , \"a,b\",[2,3], {\"x\":\"}\"},5 ");
    static const char *const want[] = {"1 ", "\"a,b\"", "[2,3]", "{\"x\":\"}\"}", "5 "};
    struct str one;
    for (size_t i = 0; i < 5; i++) {
        assert_true(json_next(&in, &one));
        assert_true(str_eqz(one, want[i]));
    }
    assert_false(json_next(&in, &one));
    assert_false(json_next(&in, &one));
    in = STR_LIT("1,,2");
    assert_true(json_next(&in, &one));
    assert_false(json_next(&in, &one)); /* an empty element ends it, as in the reference */
    in = STR_EMPTY;
    assert_false(json_next(&in, &one));
}

static void
members(void **state)
{
    (void)state;
    struct str key;
    struct str value;
    assert_int_equal(json_member(STR_LIT(" \"a\\\"b\" : [1] "), &key, &value), JSON_OK);
    assert_true(str_eqz(key, "a\\\"b") && str_eqz(value, "[1] "));
    assert_int_equal(json_member(STR_LIT("a:1"), &key, &value), JSON_NO_KEY);
    assert_int_equal(json_member(STR_LIT("\"a:1"), &key, &value), JSON_NO_KEY);
    assert_int_equal(json_member(STR_LIT("\"a\""), &key, &value), JSON_NO_COLON);
    assert_int_equal(json_member(STR_LIT("\"a\":"), &key, &value), JSON_OK);
    assert_int_equal(value.n, 0);
    assert_int_equal(json_member(STR_EMPTY, &key, &value), JSON_NO_KEY);
    assert_int_equal(json_unquote(STR_LIT(" \"x\" y"), &value), JSON_OK);
    assert_true(str_eqz(value, "x"));
    assert_int_equal(json_unquote(STR_LIT("\"\""), &value), JSON_OK);
    assert_int_equal(value.n, 0);
    assert_int_equal(json_unquote(STR_LIT("5"), &value), JSON_NO_STRING);
}

static void
finding(void **state)
{
    (void)state;
    struct str v;
    struct str text = {"{\"a\":1,\"b\":{\"a\":2}}", 19, STR_TAINTED};
    assert_int_equal(json_find_member(text, STR_LIT("b"), &v), JSON_OK);
    assert_true(str_eqz(v, "{\"a\":2}") && str_is_tainted(v));
    assert_int_equal(json_find_member(text, STR_LIT("c"), &v), JSON_OK);
    assert_false(str_is_set(v));
    assert_int_equal(json_find_element(STR_LIT("[1, 2 ]"), 2, &v), JSON_OK);
    assert_true(str_eqz(v, "2"));
    assert_int_equal(json_find_element(STR_LIT("[1, 2 ]"), 3, &v), JSON_OK);
    assert_false(str_is_set(v));
    assert_int_equal(json_find_element(STR_LIT("[1"), 1, &v), JSON_NO_CLOSE);
}

/* depth costs nothing */
static void
deep(void **state)
{
    (void)state;
    static char text[200000];
    struct str in;
    memset(text, '[', sizeof text / 2);
    memset(text + sizeof text / 2, ']', sizeof text / 2);
    assert_int_equal(json_open(str_from(text, sizeof text), '[', &in), JSON_OK);
    assert_int_equal(in.n, sizeof text - 2);
    assert_int_equal(json_open(str_from(text, sizeof text - 1), '[', &in), JSON_NO_CLOSE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening), cmocka_unit_test(elements), cmocka_unit_test(members),
        cmocka_unit_test(finding), cmocka_unit_test(deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
