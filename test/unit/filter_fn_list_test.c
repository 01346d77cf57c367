/* Functions on lists. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case counting_cases[] = {
    {FN_OPER, "listcount", {""}, VM_OK, "0"},
    {FN_OPER, "listcount", {" "}, VM_OK, "0"},
    {FN_OPER, "listcount", {":"}, VM_OK, "1"},
    {FN_OPER, "listcount", {"a:"}, VM_OK, "1"},
    {FN_OPER, "listcount", {"a: "}, VM_OK, "1"},
    {FN_OPER, "listcount", {":a"}, VM_OK, "2"},
    {FN_OPER, "listcount", {"a::b"}, VM_OK, "1"},
    {FN_OPER, "listcount", {"a: :b"}, VM_OK, "3"},
    {FN_OPER, "listcount", {"a::::b"}, VM_OK, "1"},
    {FN_OPER, "listcount", {"a:::b"}, VM_OK, "2"},
    {FN_OPER, "listcount", {"<;a;b;"}, VM_OK, "2"},
    {FN_OPER, "listcount", {"<; a;;b ; c"}, VM_OK, "2"},
    {FN_OPER, "listcount", {" <; a;b"}, VM_OK, "2"},
    {FN_OPER, "listcount", {"<"}, VM_OK, "0"},
    {FN_OPER, "listcount", {"<;"}, VM_OK, "0"},
    {FN_OPER, "listcount", {"<a bac"}, VM_OK, "1"},
    {FN_OPER, "listcount", {"<\n a\nb\n\nc"}, VM_OK, "4"},
    {FN_OPER, "listcount", {"< a b"}, VM_OK, "1"},
    {FN_OPER, "listcount", {"<,a,b,,"}, VM_OK, "2"},
};

static const struct fn_case picking_cases[] = {
    {FN_ITEM_YN, "listextract", {"2", "a:b:c"}, VM_OK, "b"},
    {FN_ITEM_YN, "listextract", {"0", "a:b:c"}, VM_NO, ""},
    {FN_ITEM_YN, "listextract", {"-1", "a:b:c"}, VM_OK, "c"},
    {FN_ITEM_YN, "listextract", {"4", "a:b:c"}, VM_NO, ""},
    {FN_ITEM_YN, "listextract", {"-4", "a:b:c"}, VM_NO, ""},
    {FN_ITEM_YN, "listextract", {" 1 ", "a:b:c"}, VM_OK, "a"},
    {FN_ITEM_YN, "listextract", {"x", "a:b:c"}, VM_ERROR, "first argument of \"listextract\" must be numeric"},
    {FN_ITEM_YN, "listextract", {"", "a:b:c"}, VM_ERROR, "first argument of \"listextract\" must not be empty"},
    {FN_ITEM_YN, "listextract", {"+1", "a:b"}, VM_ERROR, "first argument of \"listextract\" must be numeric"},
    {FN_ITEM_YN, "listextract", {"1x", "a"}, VM_ERROR, "first argument of \"listextract\" must be numeric"},
    {FN_ITEM_YN, "listextract", {"--1", "a"}, VM_ERROR, "first argument of \"listextract\" must be numeric"},
    {FN_ITEM_YN, "listextract", {"1", "a::b:c"}, VM_OK, "a:b"},
    {FN_ITEM_YN, "listextract", {"2", "a: :c"}, VM_OK, ""},
    {FN_ITEM_YN, "listextract", {"1", ""}, VM_NO, ""},
    {FN_ITEM_YN, "listextract", {"-1", "<;a;b;"}, VM_OK, "b"},
    {FN_ITEM_YN, "listextract", {"4294967297", "a:b"}, VM_OK, "a"},
    {FN_ITEM_YN, "listextract", {"3", "<\n a\n\nb"}, VM_OK, "b"},
    {FN_ITEM_YN, "listextract", {"-2", "<, a , b"}, VM_OK, "a"},
};

static const struct fn_case quoting_cases[] = {
    {FN_ITEM, "listquote", {":", ""}, VM_OK, " "},
    {FN_ITEM, "listquote", {":", "a:b"}, VM_OK, "a::b"},
    {FN_ITEM, "listquote", {"", "a:b"}, VM_OK, "a:b"},
    {FN_ITEM, "listquote", {",", "a:b,"}, VM_OK, "a:b,,"},
    {FN_ITEM, "listquote", {"::", "a:b"}, VM_OK, "a::b"},
    {FN_ITEM, "listquote", {":", "ab"}, VM_OK, "ab"},
};

static const struct fn_case named_cases[] = {
    {FN_OPER, "listnamed", {"x"}, VM_ERROR, "\"x\" is not a named list"},
    {FN_OPER, "listnamed", {"x", "d"}, VM_ERROR, "\"x\" is not a domain named list"},
    {FN_OPER, "listnamed", {"x", "h"}, VM_ERROR, "\"x\" is not a host named list"},
    {FN_OPER, "listnamed", {"x", "a"}, VM_ERROR, "\"x\" is not a address named list"},
    {FN_OPER, "listnamed", {"x", "l"}, VM_ERROR, "\"x\" is not a localpart named list"},
    {FN_OPER, "listnamed", {"x", "x"}, VM_ERROR, "bad suffix on \"list\" operator"},
    {FN_OPER, "listnamed", {"x", ""}, VM_ERROR, "bad suffix on \"list\" operator"},
    {FN_OPER, "listnamed", {"x", "dd"}, VM_ERROR, "\"x\" is not a domain named list"},
};

static const struct fn_case membership_cases[] = {
    {FN_COND, "inlist", {"a", "a:b"}, VM_OK, ""},
    {FN_COND, "inlist", {"A", "a:b"}, VM_NO, ""},
    {FN_COND, "inlisti", {"A", "a:b"}, VM_OK, ""},
    {FN_COND, "inlist", {"", "a: :b"}, VM_OK, ""},
    {FN_COND, "inlist", {"", ""}, VM_NO, ""},
    {FN_COND, "inlist", {"a:b", "<;a:b;c"}, VM_OK, ""},
    {FN_COND, "inlist", {"b", "<; a ; b"}, VM_OK, ""},
    {FN_COND, "match_ip", {"x", "*"}, VM_ERROR, "\"x\" is not an IP address"},
    {FN_COND, "match_ip", {"1.2.3", "*"}, VM_ERROR, "\"1.2.3\" is not an IP address"},
};

static const struct fn_case addresses_cases[] = {
    {FN_COND, "isip", {"1.2.3.4"}, VM_OK, ""},
    {FN_COND, "isip", {"1.2.3.256"}, VM_NO, ""},
    {FN_COND, "isip", {"1.2.3"}, VM_NO, ""},
    {FN_COND, "isip", {"::1"}, VM_OK, ""},
    {FN_COND, "isip4", {"::1"}, VM_NO, ""},
    {FN_COND, "isip4", {"1.2.3.4"}, VM_OK, ""},
    {FN_COND, "isip6", {"::1"}, VM_OK, ""},
    {FN_COND, "isip6", {"1.2.3.4"}, VM_NO, ""},
    {FN_COND, "isip6", {"::1%eth0"}, VM_OK, ""},
    {FN_COND, "isip", {""}, VM_NO, ""},
};

static const struct fn_case order_cases[] = {
    {FN_COND, "eq", {"a", "b"}, VM_NO, ""},
    {FN_COND, "eq", {"a", "A"}, VM_NO, ""},
    {FN_COND, "eq", {"b", "a"}, VM_NO, ""},
    {FN_COND, "eq", {"a", "a"}, VM_OK, ""},
    {FN_COND, "eq", {"_", "A"}, VM_NO, ""},
    {FN_COND, "eq", {"", ""}, VM_OK, ""},
    {FN_COND, "eq", {"a", ""}, VM_NO, ""},
    {FN_COND, "eq", {"\377", "a"}, VM_NO, ""},
    {FN_COND, "eqi", {"a", "b"}, VM_NO, ""},
    {FN_COND, "eqi", {"a", "A"}, VM_OK, ""},
    {FN_COND, "eqi", {"b", "a"}, VM_NO, ""},
    {FN_COND, "eqi", {"a", "a"}, VM_OK, ""},
    {FN_COND, "eqi", {"_", "A"}, VM_NO, ""},
    {FN_COND, "eqi", {"", ""}, VM_OK, ""},
    {FN_COND, "eqi", {"a", ""}, VM_NO, ""},
    {FN_COND, "eqi", {"\377", "a"}, VM_NO, ""},
    {FN_COND, "lt", {"a", "b"}, VM_OK, ""},
    {FN_COND, "lt", {"a", "A"}, VM_NO, ""},
    {FN_COND, "lt", {"b", "a"}, VM_NO, ""},
    {FN_COND, "lt", {"a", "a"}, VM_NO, ""},
    {FN_COND, "lt", {"_", "A"}, VM_NO, ""},
    {FN_COND, "lt", {"", ""}, VM_NO, ""},
    {FN_COND, "lt", {"a", ""}, VM_NO, ""},
    {FN_COND, "lt", {"\377", "a"}, VM_NO, ""},
    {FN_COND, "lti", {"a", "b"}, VM_OK, ""},
    {FN_COND, "lti", {"a", "A"}, VM_NO, ""},
    {FN_COND, "lti", {"b", "a"}, VM_NO, ""},
    {FN_COND, "lti", {"a", "a"}, VM_NO, ""},
    {FN_COND, "lti", {"_", "A"}, VM_OK, ""},
    {FN_COND, "lti", {"", ""}, VM_NO, ""},
    {FN_COND, "lti", {"a", ""}, VM_NO, ""},
    {FN_COND, "lti", {"\377", "a"}, VM_NO, ""},
    {FN_COND, "le", {"a", "b"}, VM_OK, ""},
    {FN_COND, "le", {"a", "A"}, VM_NO, ""},
    {FN_COND, "le", {"b", "a"}, VM_NO, ""},
    {FN_COND, "le", {"a", "a"}, VM_OK, ""},
    {FN_COND, "le", {"_", "A"}, VM_NO, ""},
    {FN_COND, "le", {"", ""}, VM_OK, ""},
    {FN_COND, "le", {"a", ""}, VM_NO, ""},
    {FN_COND, "le", {"\377", "a"}, VM_NO, ""},
    {FN_COND, "lei", {"a", "b"}, VM_OK, ""},
    {FN_COND, "lei", {"a", "A"}, VM_OK, ""},
    {FN_COND, "lei", {"b", "a"}, VM_NO, ""},
    {FN_COND, "lei", {"a", "a"}, VM_OK, ""},
    {FN_COND, "lei", {"_", "A"}, VM_OK, ""},
    {FN_COND, "lei", {"", ""}, VM_OK, ""},
    {FN_COND, "lei", {"a", ""}, VM_NO, ""},
    {FN_COND, "lei", {"\377", "a"}, VM_NO, ""},
    {FN_COND, "gt", {"a", "b"}, VM_NO, ""},
    {FN_COND, "gt", {"a", "A"}, VM_OK, ""},
    {FN_COND, "gt", {"b", "a"}, VM_OK, ""},
    {FN_COND, "gt", {"a", "a"}, VM_NO, ""},
    {FN_COND, "gt", {"_", "A"}, VM_OK, ""},
    {FN_COND, "gt", {"", ""}, VM_NO, ""},
    {FN_COND, "gt", {"a", ""}, VM_OK, ""},
    {FN_COND, "gt", {"\377", "a"}, VM_OK, ""},
    {FN_COND, "gti", {"a", "b"}, VM_NO, ""},
    {FN_COND, "gti", {"a", "A"}, VM_NO, ""},
    {FN_COND, "gti", {"b", "a"}, VM_OK, ""},
    {FN_COND, "gti", {"a", "a"}, VM_NO, ""},
    {FN_COND, "gti", {"_", "A"}, VM_NO, ""},
    {FN_COND, "gti", {"", ""}, VM_NO, ""},
    {FN_COND, "gti", {"a", ""}, VM_OK, ""},
    {FN_COND, "gti", {"\377", "a"}, VM_OK, ""},
    {FN_COND, "ge", {"a", "b"}, VM_NO, ""},
    {FN_COND, "ge", {"a", "A"}, VM_OK, ""},
    {FN_COND, "ge", {"b", "a"}, VM_OK, ""},
    {FN_COND, "ge", {"a", "a"}, VM_OK, ""},
    {FN_COND, "ge", {"_", "A"}, VM_OK, ""},
    {FN_COND, "ge", {"", ""}, VM_OK, ""},
    {FN_COND, "ge", {"a", ""}, VM_OK, ""},
    {FN_COND, "ge", {"\377", "a"}, VM_OK, ""},
    {FN_COND, "gei", {"a", "b"}, VM_NO, ""},
    {FN_COND, "gei", {"a", "A"}, VM_OK, ""},
    {FN_COND, "gei", {"b", "a"}, VM_OK, ""},
    {FN_COND, "gei", {"a", "a"}, VM_OK, ""},
    {FN_COND, "gei", {"_", "A"}, VM_NO, ""},
    {FN_COND, "gei", {"", ""}, VM_OK, ""},
    {FN_COND, "gei", {"a", ""}, VM_OK, ""},
    {FN_COND, "gei", {"\377", "a"}, VM_OK, ""},
};

/* clang-format on */

static void
counting(void **state)
{
    fn_case_run(*state, counting_cases, sizeof counting_cases / sizeof *counting_cases);
}

static void
picking(void **state)
{
    fn_case_run(*state, picking_cases, sizeof picking_cases / sizeof *picking_cases);
}

static void
quoting(void **state)
{
    fn_case_run(*state, quoting_cases, sizeof quoting_cases / sizeof *quoting_cases);
}

static void
named(void **state)
{
    fn_case_run(*state, named_cases, sizeof named_cases / sizeof *named_cases);
}

static void
membership(void **state)
{
    fn_case_run(*state, membership_cases, sizeof membership_cases / sizeof *membership_cases);
}

static void
addresses(void **state)
{
    fn_case_run(*state, addresses_cases, sizeof addresses_cases / sizeof *addresses_cases);
}

static void
order(void **state)
{
    fn_case_run(*state, order_cases, sizeof order_cases / sizeof *order_cases);
}

/* $value is the item, with the mark of the list and not of what was looked for */
static void
value_of_inlist(void **state)
{
    struct str out;
    struct str argv[] = {{"B", 1, STR_TAINTED}, STR_INIT("a : b : c")};
    assert_int_equal(fn_cond_inlisti(*state, argv, 2, &out), VM_OK);
    assert_true(str_eqz(vm_value(*state), "b") && !str_is_tainted(vm_value(*state)));
}

/* what the host does not offer is refused by name */
static void
refused(void **state)
{
    struct str out;
    struct str argv[] = {STR_INIT("a"), STR_INIT("a")};
    assert_int_equal(fn_cond_match_domain(*state, argv, 2, &out), VM_ERROR);
    assert_true(str_eqz(vm_error(*state), "the use of \"match_domain\" is not permitted here"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting),   cmocka_unit_test(picking),
        cmocka_unit_test(quoting),    cmocka_unit_test(named),
        cmocka_unit_test(membership), cmocka_unit_test(addresses),
        cmocka_unit_test(order),      cmocka_unit_test(value_of_inlist),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
