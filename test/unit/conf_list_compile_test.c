/* Unit tests of conf/list_compile.c: what the items of a text are taken for. */
#include "conf_list_fixture.h"

static const struct list *
compiled(struct fixture *f, enum list_kind kind, const char *text)
{
    return list_compile(f->arena, kind, str_from_cstr(text));
}

static void
check_kinds(struct fixture *f, enum list_kind kind, const char *text,
            const enum item_kind *want, size_t n)
{
    const struct list *l = compiled(f, kind, text);
    assert_int_equal(l->n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(l->items[i].kind, want[i]);
}

#define CHECK_KINDS(kind, text, ...)                                                           \
    do {                                                                                       \
        static const enum item_kind want_[] = {__VA_ARGS__};                                   \
        check_kinds(*state, (kind), (text), want_, sizeof want_ / sizeof *want_);              \
    } while (0)

static void
kinds_of_items(void **state)
{
    CHECK_KINDS(LIST_DOMAIN, "a : *b : ^c : @ : @[] : @mx_primary : x;y : +n : /f", ITEM_SUFFIX,
                ITEM_REGEX, ITEM_SELF, ITEM_LOCAL, ITEM_MX, ITEM_LOOKUP, ITEM_NAMED, ITEM_FILE);
    CHECK_KINDS(LIST_LOCALPART, "@ : *b : +caseful : ! +caseful", ITEM_SUFFIX, ITEM_CASEFUL,
                ITEM_NAMED);
    CHECK_KINDS(
        LIST_HOST,
        "10.0.0.1 : 10.0.0.0/40 : 10.0 : . : 3com.com : a_b : a b : ^a;b : * : *.a : : @ : "
        "+ignore_defer : net8-x;y",
        ITEM_NET, ITEM_NET, ITEM_MALFORMED, ITEM_MALFORMED, ITEM_FORWARD, ITEM_FORWARD,
        ITEM_NAME, ITEM_LOOKUP, ITEM_ANY, ITEM_SUFFIX, ITEM_EMPTY, ITEM_SELF, ITEM_DEFER_IGNORE,
        ITEM_LOOKUP);
    CHECK_KINDS(LIST_ADDRESS,
                "a@b : b : *@b : *a@b : a@*b : * : : ^a : @@x;y : x*@;y : *@x;y : x,o;y",
                ITEM_ADDRESS, ITEM_ADDRESS, ITEM_ADDRESS, ITEM_EMPTY, ITEM_REGEX, ITEM_CHAIN,
                ITEM_LOOKUP, ITEM_ADDRESS, ITEM_LOOKUP);
}

static void
parts_of_lookups(void **state)
{
    const struct list *l =
        compiled(*state, LIST_HOST, "net24-cdb;/a : net-cdb*; q : cdb,x=1;/c : netx-a;b");
    assert_int_equal(l->n, 4);
    assert_int_equal(l->items[0].mask, 24);
    assert_true(str_eqz(l->items[0].arg, "cdb") && str_eqz(l->items[0].data, "/a"));
    assert_true(l->items[1].net && l->items[1].mask == -1);
    assert_true(str_eqz(l->items[1].arg, "cdb*") && str_eqz(l->items[1].data, "q"));
    assert_false(l->items[2].net);
    assert_true(str_eqz(l->items[2].arg, "cdb,x=1"));
    assert_true(str_eqz(l->items[3].arg, "netx-a") && !l->items[3].net);
}

static void
separators_are_those_of_string_lists(void **state)
{
    const struct list *l = compiled(*state, LIST_DOMAIN, "<, a:b , c,,d , ");
    assert_int_equal(l->set.n, 2);
    assert_true(str_eqz(l->set.v[0].text, "a:b"));
    assert_true(str_eqz(l->set.v[1].text, "c,d"));
    assert_int_equal(compiled(*state, LIST_DOMAIN, "")->count, 0);
    assert_int_equal(compiled(*state, LIST_DOMAIN, ":")->count, 1);
}

static void
lines_of_files(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "# c\na.ex # x\n\n  ! *.b\r\n+n\n/f\nc#d\ne";
    const struct list *l =
        list_compile_lines(f->arena, LIST_DOMAIN, str_from(text, sizeof text - 1));
    assert_true(l->from_file);
    assert_int_equal(l->count, 6);
    assert_int_equal(l->n, 1);
    assert_true(l->items[0].negate && str_eqz(l->items[0].text, "*.b"));
    static const char *const want[] = {"a.ex", "+n", "/f", "c", "e"};
    assert_int_equal(l->set.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(str_eqz(l->set.v[i].text, want[i]));
    l = list_compile_lines(f->arena, LIST_LOCALPART, STR_LIT("a#b # c\n#d\n!e"));
    assert_int_equal(l->set.n, 2);
    assert_true(str_eqz(l->set.v[0].text, "a#b"));
    assert_true(l->ends_negated);
}

static void
patterns_of_a_chain(void **state)
{
    struct fixture *f = *state;
    struct str next;
    const struct list *l =
        list_compile_patterns(f->arena, LIST_LOCALPART, STR_LIT("a : >x : +n : > key "), &next);
    assert_true(str_eqz(next, "key"));
    assert_int_equal(l->set.n, 3);
    assert_true(str_eqz(l->set.v[1].text, ">x"));
    l = list_compile_patterns(f->arena, LIST_LOCALPART, STR_LIT(""), &next);
    assert_false(str_is_set(next));
    assert_int_equal(l->count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds_of_items, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_of_lookups, setup, teardown),
        cmocka_unit_test_setup_teardown(separators_are_those_of_string_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_of_files, setup, teardown),
        cmocka_unit_test_setup_teardown(patterns_of_a_chain, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
