/* String lists: the rules of the reference, and that what is appended can be read again. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Items in brackets, joined with commas. */
static struct str
shown(struct arena *a, struct str list)
{
    struct buf b = buf_in(a, 0);
    struct strlist_split s = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&s, a, &item)) {
        buf_addc(&b, '[');
        buf_adds(&b, item);
        buf_addc(&b, ']');
    }
    return buf_str(&b);
}

static void
splitting(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" ", ""},
        {"a", "[a]"},
        {"a:b:c", "[a][b][c]"},
        {" a : b ", "[a][b]"},
        {"a::b:c", "[a:b][c]"},
        {"a:::b", "[a:][b]"},
        {"a::::b", "[a::b]"},
        {"a: :b", "[a][][b]"},
        {":", "[]"},
        {"::", "[:]"},
        {":::", "[:]"},
        {":a", "[][a]"},
        {"a:", "[a]"},
        {"a: ", "[a]"},
        {"a: :", "[a][]"},
        {"a: : :", "[a][][]"},
        {"a ::b", "[a :b]"},
        {"a:: :b", "[a:][b]"},
        {"<;a;;b;c", "[a;b][c]"},
        {"<; a ; b", "[a][b]"},
        {" \n<;a;b", "[a][b]"},
        {"<", ""},
        {"<;", ""},
        {"<;;", "[]"},
        {"<a bac", "[<a bac]"},
        {"<1a1b", "[<1a1b]"},
        {"< a b", "[< a b]"},
        {"<_a_b", "[a][b]"},
        {"<\\a\\b", "[a][b]"},
        {"<\x7f"
         "a\x7f"
         "b",
         "[a][b]"},
        {"<\xe9"
         "a\xe9"
         "b",
         "[<\xe9"
         "a\xe9"
         "b]"},
        {"<\n a\n\nb", "[a][][b]"},
        {"<\n a\n\n", "[a][]"},
        {"<\n \n", "[]"},
        {"<\ta\tb\t\tc", "[a][b][][c]"},
        {"<\x01"
         "a\x01"
         "b\x01\x01"
         "c",
         "[a][b][][c]"},
        {"\ta\t:\nb\n", "[a][b]"},
        {"<,<;,b", "[<;][b]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = shown(*state, str_from_cstr(cases[i][0]));
        if (!str_eqz(got, cases[i][1]))
            fail_msg("list \"%s\": %.*s, wanted %s", cases[i][0], STR_ARG(got), cases[i][1]);
    }
    assert_int_equal(strlist_count(STR_LIT("a::b: :c"), ':'), 3);
    assert_int_equal(strlist_count(STR_LIT("a,b"), ','), 2);
    assert_int_equal(strlist_count(STR_NULL, ':'), 0);
}

static void
in_place(void **state)
{
    struct str list = {"ab:c::d", 7, STR_TAINTED};
    struct strlist_split s = strlist_split_start(list, ':');
    struct str item;
    assert_true(strlist_split_next(&s, *state, &item));
    assert_ptr_equal(item.p, list.p);
    assert_true(str_is_tainted(item));
    assert_true(strlist_split_next(&s, *state, &item));
    assert_true(str_eqz(item, "c:d") && str_is_tainted(item));
    assert_false(strlist_split_next(&s, *state, &item));
    assert_false(strlist_split_next(&s, *state, &item));
    /* NUL is a byte like any other */
    s = strlist_split_start(str_from("a\0b:c", 5), ':');
    assert_true(strlist_split_next(&s, *state, &item));
    assert_int_equal(item.n, 3);
}

static void
appending(void **state)
{
    static const struct {
        const char *items[4];
        char sep;
        const char *list;
    } cases[] = {
        {{"a", "b"}, ':', "a:b"},
        {{"", ""}, ':', ": "},
        {{"x", "", "x"}, ':', "x: :x"},
        {{"", "x", "x"}, ':', ":x:x"},
        {{":a", ":b"}, ':', "::a: ::b"},
        {{"a:", "b:"}, ':', "a:::b::"},
        {{" x", " x"}, ':', " x: x"},
        {{":a;", ":b;"}, ';', ":a;;;:b;;"},
        {{"x\nya", "b"}, '\n', "x\n\nya\nb"},
        {{"", "", ""}, '\n', "\n \n "},
        {{"::", "::"}, ':', "::::: ::::"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = buf_in(*state, 0);
        for (size_t k = 0; k < 4 && cases[i].items[k] != NULL; k++)
            strlist_append(&b, str_from_cstr(cases[i].items[k]), cases[i].sep, k == 0);
        if (!str_eqz(buf_str(&b), cases[i].list))
            fail_msg("made \"%.*s\", wanted \"%s\"", STR_ARG(buf_str(&b)), cases[i].list);
    }
    struct buf b = buf_in(*state, 0);
    strlist_append(&b, (struct str){"x", 1, STR_TAINTED}, ':', true);
    assert_true(str_is_tainted(buf_str(&b)));
}

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitting),
        cmocka_unit_test(in_place),
        cmocka_unit_test(appending),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
