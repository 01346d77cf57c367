/* Unit tests of mail/redirect_list.c; the expected answers are Exim's, save where a comment says otherwise. */
#include "mail/redirect_list.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static const char *const kinds[] = {
    [REDIRECT_ADDRESS] = "address", [REDIRECT_LOCAL] = "local",
    [REDIRECT_FILE] = "file",       [REDIRECT_PIPE] = "pipe",
    [REDIRECT_INCLUDE] = "include", [REDIRECT_BLACKHOLE] = "blackhole",
    [REDIRECT_DEFER] = "defer",     [REDIRECT_FAIL] = "fail",
    [REDIRECT_UNKNOWN] = "unknown", [REDIRECT_EMPTY] = "empty",
    [REDIRECT_BAD] = "bad",
};

struct row {
    const char *in;
    const char *out; /* "kind text|kind text" */
};

/* clang-format off */
static const struct row rows[] = {
    {"", ""},
    {"a@b", "address<a@b>"},
    {"a@b, c@d\ne", "address<a@b>address<c@d>address<e>"},
    {"a@b,,c@d", "address<a@b>address<c@d>"},
    {",,", ""},
    {" \n \n", ""},
    {"# a@b, c@d\nx", "address<x>"},
    {"a@b, # c@d\nx", "address<a@b>address<x>"},
    {"a@b #c\nx", "bad<malformed address: #c may not follow a@b >address<x>"},
    {"a@b\r\nc@d\r\n", "address<a@b>address<c@d>"},
    {"\\x", "local<x>"},
    {"\\x@y", "address<\\x@y>"},
    {"\\\"x y\"", "local<\"x y\">"},
    {"\"\\x\"", "local<x>"},
    {"|/bin/x a", "pipe<|/bin/x a>"},
    {"\"|/bin/x a,b\", c@d", "pipe<|/bin/x a,b>address<c@d>"},
    {"|\"/bin/x a,b\"", "pipe<|\"/bin/x a,b\">"},
    {"\"|foo \\\"b,c\\\" d\"", "pipe<|foo \"b,c\" d>"},
    {"\"|a\\tb\"", "pipe<|atb>"},
    {"|a\\tb", "pipe<|a\\tb>"},
    {"\"|a\nb\"", "bad<unmatched doublequote in local part>bad<unmatched doublequote in local part (expected word or \"<\")>"},
    {"\"|a\"  \n b@c", "pipe<|a>address<b@c>"},
    {"|", "pipe<|>"},
    {"|a@b.c", "address<|a@b.c>"},
    {"/s=molari/o=babylon/@x400gate.way", "address</s=molari/o=babylon/@x400gate.way>"},
    {"/file, /dir/", "file</file>file</dir/>"},
    {"\"/x y/z\"", "file</x y/z>"},
    {"/a b/c", "file</a b/c>"},
    {"/", "file</>"},
    {"./x", "address<./x>"},
    {"\"un, closed\nx", "bad<unmatched doublequote in local part>address<x>"},
    {"\"a\"b@c", "bad<missing or malformed local part (expected word or \"<\")>"},
    {"\"abc\"@d.e", "address<\"abc\"@d.e>"},
    {"\"a@b\"", "address<a@b>"},
    {"\"\" , a@b", "empty<>address<a@b>"},
    {"Foo Bar <a@b>, <c>", "address<a@b>address<c>"},
    {"a@b (comm, ent), c@d", "address<a@b>address<c@d>"},
    {"(only)\n a@b", "empty<>address<a@b>"},
    {"<@r:a@b>", "address<a@b>"},
    {"<>", "bad<missing or malformed local part>"},
    {"a@@b", "bad<domain missing or malformed>"},
    {"a@[1.2.3.4]", "address<a@[1.2.3.4]>"},
    {"<a@[1.2.3.4]>", "bad<domain literals not allowed>"},
    {":blackhole:", "blackhole<>"},
    {":blackhole: text, c@d", "blackhole<text>address<c@d>"},
    {":unknown:, a@b", "unknown<>address<a@b>"},
    {":unknown: a@b", "bad<missing or malformed local part (expected word or \"<\")>"},
    {":foo:", "bad<missing or malformed local part (expected word or \"<\")>"},
    {":FAIL: x", "bad<missing or malformed local part (expected word or \"<\")>"},
    {":fail: gone away, no, a@b", "fail<gone away, no, a@b>"},
    {":fail:", "fail<>"},
    /* as the specification says; Exim 4.96 goes on to the end of the list */
    {":defer: wait, \nx", "defer<wait,>address<x>"},
    {"\":fail: gone, here\", c@d", "fail<gone, here>address<c@d>"},
    {":include:/a/b, c", "include</a/b>address<c>"},
    {":include:  /a/b  ", "include</a/b>"},
    {"\":include:/a,b\"\nx", "include</a,b>address<x>"},
    {":include:", "include<>"},
    {"grp:a@b,c@d;", "bad<missing or malformed local part (expected word or \"<\")>bad<malformed address: ; may not follow c@d>"},
};
/* clang-format on */

static void
add(struct buf *b, const struct redirect_item *item)
{
    buf_addz(b, kinds[item->kind]);
    buf_addc(b, '<');
    buf_adds(b, item->text);
    buf_addc(b, '>');
}

static void
test_items(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct buf b = buf_in(a, 0);
        struct redirect_list l = redirect_list_start(str_from_cstr(rows[i].in), 0);
        struct redirect_item item;
        while (redirect_list_next(&l, a, &item))
            add(&b, &item);
        buf_addc(&b, '\0');
        assert_string_equal(buf_str(&b).p, rows[i].out);
        arena_free(a);
    }
}

static void
test_given(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct redirect_list l = redirect_list_start(STR_LIT("a@@b (c), :fail: no, way \nx"), 0);
    struct redirect_item item;
    assert_true(redirect_list_next(&l, a, &item));
    assert_true(str_eqz(item.given, "a@@b (c)"));
    assert_true(redirect_list_next(&l, a, &item));
    assert_true(str_eqz(item.given, ":fail: no, way"));
    arena_free(a);
}

/* One line of many items is read in one pass. */
static void
test_long_line(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    enum { MANY = 200000 };
    for (int i = 0; i < MANY; i++)
        buf_printf(&b, "u%d@example.com,", i);
    struct redirect_list l = redirect_list_start(buf_str(&b), 0);
    struct redirect_item item;
    size_t n = 0;
    struct arena_mark mark = arena_mark(a);
    while (redirect_list_next(&l, a, &item)) {
        assert_int_equal(item.kind, REDIRECT_ADDRESS);
        n++;
        arena_reset(a, mark);
    }
    assert_int_equal(n, MANY);
    arena_free(a);
}

static void
test_tainted(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct redirect_list l =
        redirect_list_start(str_tainted(STR_LIT("a@b, \"|x\\y\", /f, \\z, :include:/q")), 0);
    struct redirect_item item;
    while (redirect_list_next(&l, a, &item))
        assert_true(str_is_tainted(item.text));
    arena_free(a);
}

struct code_row {
    const char *in;
    int code; /* 0: none */
    const char *enhanced, *rest;
};

/* clang-format off */
static const struct code_row code_rows[] = {
    {"550 5.1.1 gone away", 550, "5.1.1", "gone away"},
    {"550 gone", 550, NULL, "gone"},
    {"550 5.1 gone", 550, NULL, "5.1 gone"},
    {"550 5.1.1234 gone", 550, NULL, "5.1.1234 gone"},
    {"550 55.1.1 gone", 550, NULL, "55.1.1 gone"},
    {"550 5.123.123 gone", 550, "5.123.123", "gone"},
    {"550 5.1.1", 550, NULL, "5.1.1"},
    {"550", 0, NULL, NULL},
    {"5500 x", 0, NULL, NULL},
    {"55 x", 0, NULL, NULL},
    {"gone", 0, NULL, NULL},
    {"", 0, NULL, NULL},
};
/* clang-format on */

static void
test_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(code_rows); i++) {
        const struct code_row *r = &code_rows[i];
        int code = 0;
        struct str enhanced = STR_NULL, rest = STR_NULL;
        bool has = redirect_text_code(str_from_cstr(r->in), &code, &enhanced, &rest);
        assert_int_equal(has, r->code != 0);
        if (!has)
            continue;
        assert_int_equal(code, r->code);
        assert_int_equal(str_is_set(enhanced), r->enhanced != NULL);
        if (r->enhanced != NULL)
            assert_true(str_eqz(enhanced, r->enhanced));
        assert_true(str_eqz(rest, r->rest));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),     cmocka_unit_test(test_given),
        cmocka_unit_test(test_long_line), cmocka_unit_test(test_tainted),
        cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
