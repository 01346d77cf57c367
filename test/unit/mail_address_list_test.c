/* Unit tests of mail/address_list.c; the expected answers are Exim's. */
#include "mail/address.h"

#include "base/arena.h"
#include "base/buf.h"

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

static void
assert_str(struct str s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

struct pair {
    const char *in;
    const char *out;
};

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

/* clang-format off */
static const struct pair list_rows[] = {
    {"a@b", "a@b"},
    {"a@b, c@d", "a@b:c@d"},
    {">& Chief <ceo@up.stairs>, sec@base.ment (dogsbody)", "ceo@up.stairs&sec@base.ment"},
    {">:a@b,c@d", "a@b:c@d"},
    {"> a@b,c@d", "a@b c@d"},
    {"From: \"Last, First\" <user@example.com>", "user@example.com"},
    {"From: Last, First <user@example.com>", "Last:user@example.com"},
    {"From: =?iso-8859-2?Q?Last=2C_First?= <user@example.com>", "user@example.com"},
    {"a@b c@d, e@f", "e@f"},
    {"group: a@b, c@d;", "a@b:c@d"},
    {"group: a@b, c@d;, e@f", "a@b:c@d:e@f"},
    {"group:;", ""},
    {"group:;, a@b", "a@b"},
    {"x@y, group: a@b, c@d; e@f", "x@y:a@b:c@d"},
    {"a, b, c", "a:b:c"},
    {"a@[IPv6:::1], b@c", "a@[IPv6::::::1]:b@c"},
    {">,a@b, \"c,d\"@e", "a@b,\"c,,d\"@e"},
    {"", ""},
    {",", ""},
    {"a@b,,c@d", "a@b:c@d"},
    {"a@b,", "a@b"},
    {"a@b;c@d", ""},
    {"a@b\012 c@d", ""},
    {"a@b,\012 c@d", "a@b:c@d"},
    {"<a@b", ""},
    {"<a@b, c@d", ""},
    {"\"a@b, c@d", ""},
    {"(a@b, c@d", ""},
    {"(a, b) c@d", "c@d"},
    {"<@x,@y:a@b>, c@d", "a@b:c@d"},
    {"@x,@y:a@b, c@d", "a@b:c@d"},
    {":a@b", "a@b"},
    {"a:b@c", "b@c"},
    {"group: Fred <a@b>, \"x, y\" <c@d>; , (c) e@f", "a@b:c@d:e@f"},
    {"g1: a@b; g2: c@d;", "a@b"},
    {"g1: a@b;, g2: c@d;", "a@b:c@d"},
    {"a@b (x, c@d) , e@f", "a@b:e@f"},
    {">>a@b,c@d", "a@b>c@d"},
    {"undisclosed-recipients:;", ""},
    {"undisclosed recipients: ;", ""},
    {"\"quoted group\": a@b;", "a@b"},
    {"a@b ; c@d, e@f", "e@f"},
    {"g: a@b; ; c@d", "a@b"},
    {"g: a@b, h: c@d; ; e@f", "a@b"},
    {"a@[1:2], c@d", "a@[1::2]:c@d"},
    {"\"x:y\"@z, c@d", "\"x::y\"@z:c@d"},
    {"a\\,b@c, d@e", "a\\,b@c:d@e"},
    {"<>, a@b", "a@b"},
    {"g: a@b; (x, y@z) c@d, e@f", "a@b:e@f"},
    {"g: \"a\"@b; \"x, y@z\", e@f", "\"a\"@b:e@f"},
    {"g: a@b; <x, y@z>, e@f", "a@b:e@f"},
    {"x <a@b, c@d>, e@f", "e@f"},
    {"x [a@b, c@d], e@f", "e@f"},
    {"a@[1,2], e@f", "e@f"},
    {"\"a, b\"@c (x, y), e@f", "\"a, b\"@c:e@f"},
    {"@x, @y: a@b, c@d", "a@b:c@d"},
    {"a@x, @y: a@b, c@d", "a@x:a@b:c@d"},
    {"(x) @x, @y: a@b, c@d", "a@b:c@d"},
    {"<a@b, @c: d@e>, c@d", "c@d"},
    {"fred <a@b>, @c: d@e, c@d", "a@b:d@e:c@d"},
    {"g1: a@b; g2: c@d, e@f;, h@i", "a@b:h@i"},
    {"g1: a@b; @x,@y:c@d, e@f;, h@i", "a@b:c@d:h@i"},
    {"a@b, g1:c@d, g2:e@f; g@h, i@j; k@l", "a@b:c@d:i@j"},
    {"g (x): a@b;", "a@b"},
    {"g \"h\" i.j : a@b;", "a@b"},
    {"g@h: a@b;", ""},
    {"g<h: a@b;", ""},
    {"(c) g: a@b;", "a@b"},
    {"g: a@b (x); (y)", "a@b"},
    {"g: <a@b>;", "a@b"},
    {"g: n <a@b> ;", "a@b"},
    {"g: @x:a@b ;, c@d", "a@b:c@d"},
    {"g:h:a@b;", ""},
    {"g:;;", ""},
    {";", ""},
    {";a@b", ""},
    {"; , a@b", "a@b"},
    {"a@b c", ""},
    {":;", ""},
    {"g: n <a@b>, m <c@d>; o <e@f>", "a@b:c@d"},
    {"g: , a@b", "a@b"},
    {"g: ; , a@b;", ""},
    {"g: bad bad, a@b; , c@d", "a@b:c@d"},
    {"g: <>, a@b", "a@b"},
    {"<>", ""},
    {"fred <>, a@b", "a@b"},
    {"a", "a"},
    {"g: a", "a"},
    {">-a--b@c,d-e@f", "a----b@c-d--e@f"},
    {">  a@b,c@d", "a@b c@d"},
    {" >;a@b", "a@b"},
    {">;;a@b;", ""},
    {"g: @x,@y:a@b, c@d", "a@b:c@d"},
    {"a\"b, c@d", ""},
    {"a>b, c@d", "c@d"},
    {"a<b>, c@d", "b:c@d"},
    {"<a>b, c@d", "c@d"},
    {"<\"a,b\"@c>, d@e", "\"a,b\"@c:d@e"},
    {"<a(x,y)@c>, d@e", "a@c:d@e"},
    {"<a(>x,y)@c>, d@e", "a@c:d@e"},
    {"<a\">,\"@c>, d@e", "d@e"},
    {"a\\\"b,c\"@d, e@f", "a\\\"b"},
    {"a(\\),b@c)@d, e@f", "a@d:e@f"},
    {"\"a\\\",b\"@c, d@e", "\"a\\\",b\"@c:d@e"},
    {"\"a\\\\\",b@c", "\"a\\\\\":b@c"},
    {"g: a@b, c@d", "a@b:c@d"},
    {"g: a@b, c@d, h: e@f", "a@b:c@d"},
};
/* clang-format on */

/* clang-format off */
static const struct pair quote_rows[] = {
    {"a", "a"},
    {"", "\"\""},
    {"a b", "\"a b\""},
    {"a.b", "a.b"},
    {"a..b", "a..b"},
    {".a", "\".a\""},
    {"a.", "\"a.\""},
    {"a\"b", "\"a\\\"b\""},
    {"a\\b", "\"a\\\\b\""},
    {"a@b", "\"a@b\""},
    {"a,b", "\"a,b\""},
    {"a\012b", "\"a\\nb\""},
    {"a\015b", "\"a\\rb\""},
    {"a\011b", "\"a\011b\""},
    {"\303\251", "\"\303\251\""},
    {"(a)", "\"(a)\""},
    {"a:b", "\"a:b\""},
    {"a[b", "\"a[b\""},
    {"a\177b", "\"a\177b\""},
    {"a|b", "a|b"},
};
/* clang-format on */

/* Reads the ">x" that chooses the separator, as the expansion operator does. */
static void
lists_answer_as_exim(void **state)
{
    for (size_t i = 0; i < COUNT(list_rows); i++) {
        struct buf b = buf_in(*state, 0);
        struct str in = str_trim_left(str_tainted(str_from_cstr(list_rows[i].in)));
        char sep = ':';
        if (str_starts(in, ">")) {
            sep = in.p[1];
            in = str_sub(in, 2, in.n);
        }
        address_add_all(&b, in, sep);
        assert_str(buf_str(&b), list_rows[i].out);
        assert_int_equal(b.taint, STR_TAINTED);
    }
}

static void
items_are_cut_and_placed(void **state)
{
    static const char *const want[] = {"a@b", "c@d", "", "g@h"};
    struct str list = STR_LIT("a@b, \"x, y\" <c@d>,, (e, f) g@h");
    struct address_list l = address_list_start(list, 0);
    enum address_status st;
    struct address_parts p;
    struct str item;
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_true(address_list_next(&l, *state, &st, &p, &item));
        assert_int_equal(st, want[i][0] != '\0' ? ADDRESS_OK : ADDRESS_EMPTY);
        if (st == ADDRESS_OK)
            assert_str(str_sub(list, p.start, p.end - p.start), want[i]);
    }
    assert_str(item, " (e, f) g@h");
    assert_false(address_list_next(&l, *state, &st, &p, &item));
    assert_int_equal(address_item_length(STR_LIT("<a,b>,c")), 5);
    assert_int_equal(address_item_length(STR_LIT("@a,@b:c,d")), 7);
    assert_int_equal(address_item_length(STR_LIT("a\\,b")), 4);
}

static void
quotes_as_exim(void **state)
{
    for (size_t i = 0; i < COUNT(quote_rows); i++) {
        struct str in = str_from_cstr(quote_rows[i].in);
        assert_str(address_quote_local_part(*state, in), quote_rows[i].out);
    }
    assert_str(address_unquote_local_part(*state, STR_LIT("\"a\\\"b c\"")), "a\"b c");
    assert_str(address_unquote_local_part(*state, STR_LIT("a.b")), "a.b");
}

static void
splits_and_qualifies(void **state)
{
    struct str lp;
    struct str dom;
    address_split(STR_LIT("a@b"), &lp, &dom);
    assert_str(lp, "a");
    assert_str(dom, "b");
    address_split(STR_LIT("\"x@y\"@z"), &lp, &dom);
    assert_str(lp, "\"x@y\"");
    assert_str(dom, "z");
    address_split(STR_LIT("a\\@b"), &lp, &dom);
    assert_str(lp, "a\\@b");
    assert_false(str_is_set(dom));
    assert_str(address_qualify(*state, STR_LIT("a"), STR_LIT("h.example")), "a@h.example");
    assert_str(address_qualify(*state, STR_LIT("a@b"), STR_LIT("h")), "a@b");
    assert_str(address_qualify(*state, STR_EMPTY, STR_LIT("h")), "");
}

static void
test_percent(void **state)
{
    static const struct {
        const char *address, *meant; /* NULL: nothing else */
    } rows[] = {
        {"a%b@c", "a@b"}, {"a%b%c@d", "a%b@c"}, {"A%B.example@c", "A@B.example"},
        {"a@b", NULL},    {"%b@c", NULL},       {"a%@c", NULL},
        {"a%b", "a@b"},   {"\"a%b\"@c", NULL},  {"@c", NULL},
        {"", NULL},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str out;
        assert_int_equal(address_percent(a, str_from_cstr(rows[i].address), &out),
                         rows[i].meant != NULL);
        if (rows[i].meant != NULL)
            assert_true(str_eqz(out, rows[i].meant) && str_is_tainted(out));
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_answer_as_exim), cmocka_unit_test(items_are_cut_and_placed),
        cmocka_unit_test(quotes_as_exim),       cmocka_unit_test(splits_and_qualifies),
        cmocka_unit_test(test_percent),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
