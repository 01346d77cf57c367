/* Regular expressions. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case substitution_cases[] = {
    {FN_ITEM, "sg", {"abcabc", "b", "[$0]"}, VM_OK, "a[b]ca[b]c"},
    {FN_ITEM, "sg", {"abc", "(b)", "<$1$2>"}, VM_OK, "a<b>c"},
    {FN_ITEM, "sg", {"abc", "b*", "-"}, VM_OK, "-a--c-"},
    {FN_ITEM, "sg", {"", "x*", "-"}, VM_OK, "-"},
    {FN_ITEM, "sg", {"", "", ""}, VM_OK, ""},
    {FN_ITEM, "sg", {"abc", "", "-"}, VM_OK, "-a-b-c-"},
    {FN_ITEM, "sg", {"aabbcc", "b?", "[$0]"}, VM_OK, "[]a[]a[b][b][]c[]c[]"},
    {FN_ITEM, "sg", {"abc", "(?=b)", "-"}, VM_OK, "a-bc"},
    {FN_ITEM, "sg", {"abc", "\\b", "|"}, VM_OK, "|abc|"},
    {FN_ITEM, "sg", {"ab\ncd", "$", "|"}, VM_OK, "ab\ncd|"},
    {FN_ITEM, "sg", {"ab\ncd", "(?m)$", "|"}, VM_OK, "ab|\ncd|"},
    {FN_ITEM, "sg", {"ab\ncd", "(?m)^", "|"}, VM_OK, "|ab\n|cd"},
    {FN_ITEM, "sg", {"abcabc", "(b)(c)", "$2$1"}, VM_OK, "acbacb"},
    {FN_ITEM, "sg", {"abc", "(b)", "${1}${1}x"}, VM_OK, "abbxc"},
    {FN_ITEM, "sg", {"abc", "(b)(x)?", "[$2]"}, VM_OK, "a[]c"},
    {FN_ITEM, "sg", {"abc", "b", "${uc:$0}"}, VM_OK, "aBc"},
    {FN_ITEM, "sg", {"abc", "b", "\\t"}, VM_OK, "a\tc"},
    {FN_ITEM, "sg", {"abc", "b", "a$12"}, VM_OK, "aac"},
    {FN_ITEM, "sg", {"abc", "b", "$9"}, VM_OK, "ac"},
    {FN_ITEM, "sg", {"abc", "b", "${10}"}, VM_OK, "ac"},
    {FN_ITEM, "sg", {"foobar", "(o)(?=o)", "<$1>"}, VM_OK, "f<o>obar"},
    {FN_ITEM, "sg", {"aaa", "a", "b"}, VM_OK, "bbb"},
    {FN_ITEM, "sg", {"aaa", "A", "b"}, VM_OK, "aaa"},
    {FN_ITEM, "sg", {"a b  c", "\\s+", "_"}, VM_OK, "a_b_c"},
    {FN_ITEM, "sg", {"abc", "x", "$y"}, VM_OK, "abc"},
    {FN_ITEM, "sg", {"abc", "b\\Kc", "-"}, VM_OK, "ab-"},
    {FN_ITEM, "sg", {"abc", "(?<=b)c", "-"}, VM_OK, "ab-"},
    {FN_ITEM, "sg", {"\303\251a", "\\w", "_"}, VM_OK, "\303\251_"},
    {FN_ITEM, "sg", {"abc", "b", ""}, VM_OK, "ac"},
    {FN_ITEM, "sg", {"abc", "(b", "x"}, VM_ERROR, "regular expression error in \"(b\": missing closing parenthesis at offset 2"},
    {FN_ITEM, "sg", {"abc", "[", "x"}, VM_ERROR, "regular expression error in \"[\": missing terminating ] for character class at offset 1"},
    {FN_ITEM, "sg", {"abc", "a(?P<n>b)", "$1"}, VM_OK, "bc"},
};

static const struct fn_case matching_cases[] = {
    {FN_COND, "match", {"abc", "b(.)"}, VM_OK, ""},
    {FN_COND, "match", {"abc", "(b"}, VM_ERROR, "regular expression error in \"(b\": missing closing parenthesis at offset 2"},
    {FN_COND, "match", {"abc", "^ABC"}, VM_NO, ""},
    {FN_COND, "match", {"abc", "(?i)^ABC"}, VM_OK, ""},
    {FN_COND, "match", {"abc", ""}, VM_OK, ""},
    {FN_COND, "match", {"", "x"}, VM_NO, ""},
    {FN_COND, "match", {"a\nb", "^b"}, VM_NO, ""},
    {FN_COND, "match", {"a\nb", "a$"}, VM_NO, ""},
    {FN_COND, "match", {"a\nb", "a.b"}, VM_NO, ""},
};

/* clang-format on */

static void
substitution(void **state)
{
    fn_case_run(*state, substitution_cases,
                sizeof substitution_cases / sizeof *substitution_cases);
}

static void
matching(void **state)
{
    fn_case_run(*state, matching_cases, sizeof matching_cases / sizeof *matching_cases);
}

static void
captures(void **state)
{
    struct str out;
    const struct str *caps;
    struct str argv[] = {{"abc", 3, STR_TAINTED}, STR_INIT("(x)?(b)(c)")};
    assert_int_equal(fn_cond_match(*state, argv, 2, &out), VM_OK);
    assert_int_equal(vm_captures(*state, &caps), 4);
    assert_true(str_eqz(caps[0], "bc") && str_eqz(caps[2], "b") && caps[1].n == 0);
    assert_true(str_is_tainted(caps[2]));
    /* a substitution leaves them alone */
    struct str sg[] = {STR_INIT("xyz"), STR_INIT("(y)"), STR_INIT("${uc:$1}")};
    assert_int_equal(fn_item_sg(*state, sg, 3, &out), VM_OK);
    assert_true(str_eqz(out, "xYz"));
    vm_captures(*state, &caps);
    assert_true(str_eqz(caps[2], "b"));
}

/* a stranger's replacement is not expanded */
static void
tainted_replacement(void **state)
{
    struct str out;
    struct str sg[] = {STR_INIT("xyz"), STR_INIT("y"), {"$0", 2, STR_TAINTED}};
    assert_int_equal(fn_item_sg(*state, sg, 3, &out), VM_ERROR);
    sg[2] = (struct str){"q", 1, STR_TAINTED};
    assert_int_equal(fn_item_sg(*state, sg, 3, &out), VM_OK);
    assert_true(str_eqz(out, "xqz") && str_is_tainted(out));
}

/* the product of two long texts is refused, not made */
static void
too_long(void **state)
{
    static char many[20000];
    struct str out;
    memset(many, 'a', sizeof many);
    struct str sg[] = {str_from(many, sizeof many), STR_INIT("a"), str_from(many, sizeof many)};
    assert_int_equal(fn_item_sg(*state, sg, 3, &out), VM_ERROR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(substitution), cmocka_unit_test(matching),
        cmocka_unit_test(captures),     cmocka_unit_test(tainted_replacement),
        cmocka_unit_test(too_long),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
