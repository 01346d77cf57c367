/* Unit tests of mail/address.c; the expected answers are Exim's. */
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
static const struct pair parse_rows[] = {
    {"a@b", "a@b"},
    {"\"Name\" <a@b> (comment)", "a@b"},
    {"<a@b>", "a@b"},
    {"a", "a"},
    {"<a>", "a"},
    {"<>", ""},
    {"", ""},
    {"\"a b\"@c", "\"a b\"@c"},
    {"\"a.b\"@c", "\"a.b\"@c"},
    {"\"a\"b\"@c", ""},
    {"a b@c", ""},
    {"a.b@c", "a.b@c"},
    {"a..b@c", "a..b@c"},
    {".a@c", ".a@c"},
    {"a.@c", "a.@c"},
    {"a@b.", ""},
    {"a@b..c", ""},
    {"a@.b", ""},
    {"a@[1.2.3.4]", "a@[1.2.3.4]"},
    {"a@[IPv6:::1]", "a@[IPv6:::1]"},
    {"a@[x]", "a@[x]"},
    {"a@[1.2.3.4", ""},
    {"<@x,@y:a@b>", "a@b"},
    {"@x,@y:a@b", "a@b"},
    {"@x:a@b", "a@b"},
    {"Fred Bloggs <a@b>", "a@b"},
    {"Fred.Bloggs <a@b>", "a@b"},
    {"Fred. Bloggs <a@b>", "a@b"},
    {"F. B. <a@b>", "a@b"},
    {"Fred, Bloggs <a@b>", ""},
    {"\"Fred, Bloggs\" <a@b>", "a@b"},
    {"(x) a (y) @ (z) b (w)", "a@b"},
    {"a @ b", "a@b"},
    {"a@ b", "a@b"},
    {" a@b ", "a@b"},
    {"a@b, c@d", ""},
    {"group: a@b;", ""},
    {"group: a@b, c@d;", ""},
    {"group:;", ""},
    {"a@b <c@d>", ""},
    {"a@b (c", "a@b"},
    {"a@b (c))", ""},
    {"(a@b)", ""},
    {"a@@b", ""},
    {"a@b@c", ""},
    {"a<b>@c", ""},
    {"<a@b", ""},
    {"a@b>", ""},
    {"<a@b> x", ""},
    {"<a@b> <c@d>", ""},
    {"a@b c", ""},
    {"a@b;", ""},
    {"\"a@b", ""},
    {"\"a\"b@c", ""},
    {"\"a\".\"b\"@c", "\"a\".\"b\"@c"},
    {"a.\"b\"@c", "a.\"b\"@c"},
    {"a b@c", ""},
    {"a@b@c", ""},
    {"A@B.Example", "A@B.Example"},
    {"=?iso-8859-1?Q?x?= <a@b>", "a@b"},
    {"a@b_c", ""},
    {"a@b-c.d", "a@b-c.d"},
    {"a@-b", ""},
    {"a@b/c", ""},
    {"\303\251@b", "\303\251@b"},
    {"a@\303\251.com", ""},
    {"Jos303251 <a@b>", "a@b"},
    {"a@\"b\"", ""},
    {"a!b@c", "a!b@c"},
    {"a%b@c", "a%b@c"},
    {"a:b@c", ""},
    {":a@b", ""},
    {"a,b@c", ""},
    {"<<a@b>>", ""},
    {"<a@b>,", ""},
    {"<a@b>;", ""},
    {"a\012@b", "a@b"},
    {"a\001@b", ""},
    {"a@#123", ""},
    {"a@b (x(y)z)", "a@b"},
    {"a@b (x)y)", ""},
    {"\"\" <a@b>", "a@b"},
    {"\"\"@b", "\"\"@b"},
    {"Name<a@b>", "a@b"},
    {"\"N\"<a@b>", "a@b"},
    {"'a'@b", "'a'@b"},
    {"a@[1.2.3.4].x", ""},
    {"a@x.[1.2.3.4]", ""},
    {"<@x>", ""},
    {"<@x:>", ""},
    {"<@x:a>", ""},
    {"@x", ""},
    {"a@", ""},
    {"@", ""},
    {"<a@>", ""},
    {"a@(x)", ""},
    {"a(x)b@c", ""},
    {"a (x) b@c", ""},
    {"a.(x)b@c", "a.b@c"},
    {"\"a\"(x)@c", "\"a\"@c"},
    {"a@b(x).c", "a@b.c"},
    {"a@b .c", "a@b.c"},
    {"a@b. c", "a@b.c"},
    {"a .b@c", "a.b@c"},
    {"a. b@c", "a.b@c"},
    {"a@[ 1.2.3.4 ]", ""},
    {"a@[a]b]", ""},
    {"|pipe", "|pipe"},
    {"/file@b", "/file@b"},
    {"a@b:c", ""},
    {"Mr. J. O'Neill, jr. <x@y>", ""},
    {"*@b", "*@b"},
    {"<a b@c>", ""},
    {"a@b <", ""},
    {"x <a@b> (c) y", ""},
    {"x <a@b> (c)", "a@b"},
    {"x (d) <a@b> (c)", "a@b"},
    {"x@y <@z>", ""},
    {"\"x\" \"y\" <a@b>", "a@b"},
    {"x \"y\" z <a@b>", "a@b"},
    {"a@1.2.3.4", "a@1.2.3.4"},
    {"\"a\\\"b\"@c", "\"a\\\"b\"@c"},
    {"\"a\\b\"@c", "\"a\\b\"@c"},
    {"a\\ b@c", "a\\ b@c"},
    {"a\\@b@c", "a\\@b@c"},
    {"\\a@b", "\\a@b"},
    {"\"\\a\"@c", "\"\\a\"@c"},
    {"a@[a\\]b]", ""},
    {"a@b (x\\)y)", "a@b"},
    {"a@b (x\\)y", "a@b"},
    {"<a@b>>", ""},
    {"a@b \015\012", "a@b"},
    {"a\015\012@b", "a@b"},
    {"a@b\013c", ""},
};
/* clang-format on */

/* clang-format off */
static const struct pair error_rows[] = {
    {"a b@c", "missing or malformed local part (expected word or \"<\")"},
    {"a@b.", "domain missing or malformed"},
    {"a@b..c", "domain missing or malformed"},
    {"a@.b", "domain missing or malformed"},
    {"a@", "domain missing or malformed"},
    {"@", "domain missing or malformed"},
    {"@x", "no local part"},
    {"@x:", "missing or malformed local part"},
    {"@x:a", "domain missing in source-routed address"},
    {"<@x>", "no local part"},
    {"<@x:>", "missing or malformed local part"},
    {"<@x,@y:a>", "domain missing in source-routed address"},
    {"<@x @y:a@b>", "no local part"},
    {"<@x,y:a@b>", "colon expected after route list"},
    {"<>", "missing or malformed local part"},
    {"\"a@b", "unmatched doublequote in local part"},
    {"\"a\"b@c", "missing or malformed local part (expected word or \"<\")"},
    {"a@b_c", "malformed address: _c may not follow a@b"},
    {"a@-b", "domain missing or malformed"},
    {"a@b/c", "malformed address: /c may not follow a@b"},
    {"a@\303\251.com", "domain missing or malformed"},
    {"a@\"b\"", "domain missing or malformed"},
    {"a:b@c", "missing or malformed local part (expected word or \"<\")"},
    {":a@b", "missing or malformed local part (expected word or \"<\")"},
    {"<<a@b>>", "missing or malformed local part"},
    {"<a@b>;", "malformed address: ; may not follow <a@b>"},
    {"a@@b", "domain missing or malformed"},
    {"a@b@c", "malformed address: @c may not follow a@b"},
    {"a<b>@c", "malformed address: @c may not follow a<b>"},
    {"<a@b", "'>' missing at end of address"},
    {"a@b>", "malformed address: > may not follow a@b"},
    {"<a@b> x", "malformed address: x may not follow <a@b> "},
    {"<a@b> <c@d>", "malformed address: <c@d> may not follow <a@b> "},
    {"a@b c", "malformed address: c may not follow a@b "},
    {"a@b;", "malformed address: ; may not follow a@b"},
    {"a@b <c@d>", "malformed address: <c@d> may not follow a@b "},
    {"a@b (c))", "malformed address: ) may not follow a@b (c)"},
    {"(a@b)", "empty address"},
    {"(a@b", "empty address"},
    {"a@[1.2.3.4", "malformed domain literal"},
    {"a@[1.2.3.4].x", "malformed address: .x may not follow a@[1.2.3.4]"},
    {"a@x.[1.2.3.4]", "domain missing or malformed"},
    {"a@[a\\]b]", "malformed domain literal"},
    {"a@[1.2.3.4]x", "malformed address: x may not follow a@[1.2.3.4]"},
    {"group: a@b;", "missing or malformed local part (expected word or \"<\")"},
    {"group:;", "missing or malformed local part (expected word or \"<\")"},
    {"group: a@b", "missing or malformed local part (expected word or \"<\")"},
    {"Fred; Bloggs <a@b>", "malformed address: ; Bloggs <a@b> may not follow Fred"},
    {"Fred] <a@b>", "missing or malformed local part (expected word or \"<\")"},
    {"Fred[ <a@b>", "missing or malformed local part (expected word or \"<\")"},
    {"Fred) <a@b>", "missing or malformed local part (expected word or \"<\")"},
    {"Fred@x <a@b>", "malformed address: <a@b> may not follow Fred@x "},
    {"Fred> <a@b>", "missing or malformed local part (expected word or \"<\")"},
    {"Fred: <a@b>", "missing or malformed local part (expected word or \"<\")"},
    {"\"Fred <a@b>", "unmatched doublequote in local part"},
    {"\"Fred\" Bloggs", "missing or malformed local part (expected word or \"<\")"},
    {"Fred Bloggs", "missing or malformed local part (expected word or \"<\")"},
    {"Fred <a b@c>", "\"@\" or \".\" expected after \"a\""},
    {"Fred <a@b c>", "malformed address: c> may not follow Fred <a@b "},
    {"x <a@b> (c) y", "malformed address: y may not follow x <a@b> (c) "},
    {"x@y <@z>", "malformed address: <@z> may not follow x@y "},
    {"a@b <", "malformed address: < may not follow a@b "},
    {"a <", "missing or malformed local part"},
    {"<", "missing or malformed local part"},
    {">", "missing or malformed local part (expected word or \"<\")"},
    {"\"a\" \"b\"@c", "missing or malformed local part (expected word or \"<\")"},
    {"a@b.-c", "domain missing or malformed"},
    {"a@1.", "domain missing or malformed"},
    {"a@b.c.d.", "domain missing or malformed"},
    {"<a@b.>", "domain missing or malformed"},
    {"x <a@b.>", "domain missing or malformed"},
    {"a@b\\c", "malformed address: \\c may not follow a@b"},
    {"a[b@c", "missing or malformed local part (expected word or \"<\")"},
    {"a]b@c", "missing or malformed local part (expected word or \"<\")"},
    {"a)b@c", "missing or malformed local part (expected word or \"<\")"},
    {"a;b@c", "malformed address: ;b@c may not follow a"},
    {"\"a\"\\b@c", "missing or malformed local part (expected word or \"<\")"},
    {"a@b\\", "malformed address: \\ may not follow a@b"},
    {"a\011b@c", "missing or malformed local part (expected word or \"<\")"},
    {"a@#123", "domain missing or malformed"},
    {"a@b:c", "malformed address: :c may not follow a@b"},
    {"<a", "\"@\" or \".\" expected after \"a\""},
    {"<a b", "\"@\" or \".\" expected after \"a\""},
    {"<a b>", "\"@\" or \".\" expected after \"a\""},
    {"<a.", "\"@\" or \".\" expected after \"a.\""},
    {"<a@", "domain missing or malformed"},
    {"<a@b c", "malformed address: c may not follow <a@b "},
    {"<a@b c>", "malformed address: c> may not follow <a@b "},
    {"x <a", "\"@\" or \".\" expected after \"a\""},
    {"x <a b>", "\"@\" or \".\" expected after \"a\""},
    {"x <a(c)b>", "\"@\" or \".\" expected after \"a\""},
    {"x <a;>", "\"@\" or \".\" expected after \"a\""},
    {"x <a\"b\">", "\"@\" or \".\" expected after \"a\""},
    {"x <\"a\"b>", "\"@\" or \".\" expected after \"\"a\"\""},
    {"x <a,b>", "\"@\" or \".\" expected after \"a\""},
    {"x <\"ab>", "unmatched doublequote in local part"},
    {"<\"ab>", "unmatched doublequote in local part"},
    {"<@x:\"ab>", "unmatched doublequote in local part"},
    {"x <@x,@y a@b>", "colon expected after route list"},
    {"x <@x,@:a@b>", "domain missing or malformed"},
    {"x <@:a@b>", "domain missing or malformed"},
    {"x <@x::a@b>", "missing or malformed local part"},
    {"x <@x,@y:a@b@c>", "malformed address: @c> may not follow x <@x,@y:a@b"},
    {"@x,@y:a@b@c", "malformed address: @c may not follow @x,@y:a@b"},
    {"@x,@y a@b", "colon expected after route list"},
    {"@x,", "colon expected after route list"},
    {"@x,@", "domain missing or malformed"},
    {"@x:a@", "domain missing or malformed"},
    {"@[1.2.3.4]:a@b", "domain literals not allowed"},
    {"x <a@b>>", "malformed address: > may not follow x <a@b>"},
    {"x <a@b>)", "malformed address: ) may not follow x <a@b>"},
    {"x <a@b> \"y\"", "malformed address: \"y\" may not follow x <a@b> "},
    {"x <a@[1.2>", "domain literals not allowed"},
    {"x <a@[1.2.3.4]>", "domain literals not allowed"},
    {"a@[x y]", "malformed domain literal"},
    {"a@[1.2.3.4 ]", "malformed domain literal"},
    {"a@[\303\251]", "malformed domain literal"},
    {"a@[a.b", "malformed domain literal"},
    {"a@b (c) d", "malformed address: d may not follow a@b (c) "},
    {"x \"y", "unmatched doublequote in local part (expected word or \"<\")"},
    {"x \"y <a@b>", "unmatched doublequote in local part (expected word or \"<\")"},
    {"x \\<a@b>", "missing or malformed local part (expected word or \"<\")"},
    {"x;", "malformed address: ; may not follow x"},
    {"x; y", "malformed address: ; y may not follow x"},
    {"\"x\\", "unmatched doublequote in local part"},
    {"(", "empty address"},
    {"()", "empty address"},
    {")", "missing or malformed local part (expected word or \"<\")"},
    {" ", "empty address"},
    {"(x) ", "empty address"},
    {"( (x) ", "empty address"},
    {"\"", "unmatched doublequote in local part"},
    {"a\"", "unmatched doublequote in local part (expected word or \"<\")"},
    {"a\"b", "unmatched doublequote in local part (expected word or \"<\")"},
    {"a\"b\"@c", "missing or malformed local part (expected word or \"<\")"},
    {"a\"b\"c@d", "missing or malformed local part (expected word or \"<\")"},
    {"a@b.>", "domain missing or malformed"},
    {"<a@b.c.>", "domain missing or malformed"},
    {"a@.", "domain missing or malformed"},
    {"a@..", "domain missing or malformed"},
    {"a@(c", "domain missing or malformed"},
    {"a@b\303\251", "malformed address: \303\251 may not follow a@b"},
    {"x@\303\251.b", "domain missing or malformed"},
    {"a@b}", "malformed address: } may not follow a@b"},
    {"@x, a@b", "colon expected after route list"},
    {"@x,@y, a@b", "colon expected after route list"},
    {"<a@b, c@d", "malformed address: , c@d may not follow <a@b"},
    {"<a, b", "\"@\" or \".\" expected after \"a\""},
    {"<a@[1.2.3.4]>", "domain literals not allowed"},
    {"<a@[1.2>", "domain literals not allowed"},
    {"<a@[]>", "domain literals not allowed"},
    {"<a@[x y]>", "domain literals not allowed"},
    {"a@b cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", "malformed address: cccccccccccccccccccccccccccccccc may not follow a@b "},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b cccc", "malformed address: cccc may not follow aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b "},
};
/* clang-format on */

static void
parse_answers_as_exim(void **state)
{
    for (size_t i = 0; i < COUNT(parse_rows); i++) {
        struct address_parts p;
        struct str in = str_tainted(str_from_cstr(parse_rows[i].in));
        enum address_status st = address_parse(*state, in, 0, &p);
        assert_int_equal(st == ADDRESS_OK, parse_rows[i].out[0] != '\0');
        if (st != ADDRESS_OK) {
            assert_true(p.error.n > 0);
            continue;
        }
        assert_str(p.text, parse_rows[i].out);
        assert_true(str_is_tainted(p.text));
        assert_true(p.start < p.end && p.end <= in.n);
    }
}

static void
errors_are_in_exims_words(void **state)
{
    for (size_t i = 0; i < COUNT(error_rows); i++) {
        struct address_parts p;
        assert_int_not_equal(address_parse(*state, str_from_cstr(error_rows[i].in), 0, &p),
                             ADDRESS_OK);
        assert_str(p.error, error_rows[i].out);
    }
}

static void
place_of_the_address(void **state)
{
    static const struct {
        const char *in;
        const char *part;
        uint32_t domain;
    } rows[] = {
        {"a@b", "a@b", 2},
        {" (c) a @ b (d) ", "a @ b", 2},
        {"x <a@b> (c)", "a@b", 2},
        {"<@x,@y:a@b>", "a@b", 2},
        {"\"q (x)\"@b (y)", "\"q (x)\"@b", 8},
        {"local", "local", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address_parts p;
        struct str in = str_from_cstr(rows[i].in);
        assert_int_equal(address_parse(*state, in, 0, &p), ADDRESS_OK);
        assert_str(str_sub(in, p.start, p.end - p.start), rows[i].part);
        assert_int_equal(p.domain, rows[i].domain);
    }
}

static void
length_is_capped(void **state)
{
    static const size_t sizes[] = {
        ADDRESS_MAX - 1, ADDRESS_MAX, ADDRESS_MAX + 1, 1026, 1027, 1028, 5000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct buf b = buf_in(*state, 0);
        struct address_parts p;
        for (size_t k = 0; k + 3 < sizes[i]; k++)
            buf_addc(&b, 'a');
        buf_addz(&b, "@bc");
        enum address_status st = address_parse(*state, buf_str(&b), 0, &p);
        if (sizes[i] <= ADDRESS_MAX) {
            assert_int_equal(st, ADDRESS_OK);
            assert_int_equal(p.text.n, sizes[i]);
            continue;
        }
        assert_int_equal(st, ADDRESS_BAD);
        assert_true(str_starts(p.error, "address is ridiculously long: aaa"));
        assert_int_equal(p.error.n, 30 + 64 + 3);
    }
}

static void
flags_open_what_they_name(void **state)
{
    struct address_parts p;
    struct str literal = STR_LIT("<a@[1.2.3.4]>");
    assert_int_equal(address_parse(*state, literal, 0, &p), ADDRESS_BAD);
    assert_str(p.error, "domain literals not allowed");
    assert_int_equal(address_parse(*state, literal, ADDRESS_LITERAL, &p), ADDRESS_OK);
    assert_int_equal(address_parse(*state, STR_LIT("<>"), ADDRESS_NULL, &p), ADDRESS_OK);
    assert_int_equal(p.text.n, 0);
    assert_int_equal(address_parse(*state, STR_LIT("a@b."), ADDRESS_STRIP_DOT, &p), ADDRESS_OK);
    assert_str(p.text, "a@b");
    struct str doubled = STR_LIT("x <<a@b>>");
    assert_int_equal(address_parse(*state, doubled, 0, &p), ADDRESS_BAD);
    assert_int_equal(address_parse(*state, doubled, ADDRESS_STRIP_ANGLES, &p), ADDRESS_OK);
    assert_str(p.text, "a@b");
    assert_int_equal(
        address_parse(*state, STR_LIT("<<>>"), ADDRESS_STRIP_ANGLES | ADDRESS_NULL, &p),
        ADDRESS_OK);
    assert_int_equal(address_parse(*state, STR_LIT("<<a@b>"), ADDRESS_STRIP_ANGLES, &p),
                     ADDRESS_BAD);
    assert_str(p.error, "'>' missing at end of address");
    struct str utf8 = STR_LIT("a@\303\251.com");
    assert_int_equal(address_parse(*state, utf8, 0, &p), ADDRESS_BAD);
    assert_int_equal(address_parse(*state, utf8, ADDRESS_UTF8_DOMAIN, &p), ADDRESS_OK);
    assert_int_equal(address_parse(*state, STR_LIT("g: a@b;"), ADDRESS_GROUP, &p), ADDRESS_OK);
    assert_true(p.group_begin && p.group_end);
    assert_int_equal(address_parse(*state, STR_LIT("g:;"), ADDRESS_GROUP, &p), ADDRESS_EMPTY);
    assert_true(p.group_end);
}

static void
line_ends_and_nul_never_pass(void **state)
{
    static const struct str bad[] = {
        STR_INIT("\"a\nb\"@c"), STR_INIT("\"a\rb\"@c"), STR_INIT("\"a\0b\"@c"),
        STR_INIT("a\\\n@c"),    STR_INIT("a\0@c"),      STR_INIT("a@b\0"),
        STR_INIT("x\\"),
    };
    struct address_parts p;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(address_parse(*state, bad[i], 0, &p), ADDRESS_BAD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_answers_as_exim),
        cmocka_unit_test(errors_are_in_exims_words),
        cmocka_unit_test(place_of_the_address),
        cmocka_unit_test(length_is_capped),
        cmocka_unit_test(flags_open_what_they_name),
        cmocka_unit_test(line_ends_and_nul_never_pass),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
