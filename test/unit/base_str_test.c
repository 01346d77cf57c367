/* Unit tests of base/str.c. */
#include "base/str.h"

#include "base/arena.h"

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

static void
from_cstr_gives_length_and_clean_mark(void **state)
{
    (void)state;
    struct str s = str_from_cstr("abc");
    assert_int_equal(s.n, 3);
    assert_false(str_is_tainted(s));
    assert_false(str_is_set(str_from_cstr(NULL)));
    assert_true(str_is_set(STR_EMPTY));
    assert_int_equal(STR_LIT("a\0b").n, 3);
}

static void
taint_joins(void **state)
{
    (void)state;
    const uint32_t k = STR_QUOTED + 3;
    const uint32_t other = STR_QUOTED + 4;
    static const struct {
        uint32_t a, b, want;
    } rows[] = {
        {STR_CLEAN, STR_CLEAN, STR_CLEAN},
        {STR_CLEAN, STR_TAINTED, STR_TAINTED},
        {STR_TAINTED, STR_CLEAN, STR_TAINTED},
        {STR_TAINTED, STR_TAINTED, STR_TAINTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(str_taint_join(rows[i].a, rows[i].b), rows[i].want);
    assert_int_equal(str_taint_join(k, STR_CLEAN), k);
    assert_int_equal(str_taint_join(STR_CLEAN, k), k);
    assert_int_equal(str_taint_join(k, k), k);
    /* Quoted for one type is not quoted for another, and a plain tainted part spoils the whole. */
    assert_int_equal(str_taint_join(k, other), STR_TAINTED);
    assert_int_equal(str_taint_join(k, STR_TAINTED), STR_TAINTED);
    assert_int_equal(str_taint_join(STR_TAINTED, k), STR_TAINTED);
}

static void
taint_travels_and_ends_by_rule_only(void **state)
{
    struct arena *a = *state;
    struct str s = str_tainted(STR_LIT("Value"));
    assert_true(str_is_tainted(str_sub(s, 1, 2)));
    assert_true(str_is_tainted(str_trim(s)));
    assert_true(str_is_tainted(str_dup(a, s)));
    assert_true(str_is_tainted(str_lower(a, s)));
    assert_true(str_is_tainted(str_upper(a, s)));
    assert_true(str_is_tainted(str_cat(a, STR_LIT("x"), s)));
    assert_true(str_is_tainted(str_cat(a, s, STR_EMPTY)));
    assert_false(str_is_tainted(str_cat(a, STR_LIT("x"), STR_LIT("y"))));
    assert_false(str_is_tainted(str_untaint_by_rule(s, "lookup hit")));
    assert_true(str_is_tainted(s));
}

static void
equality_sees_nul_and_case(void **state)
{
    (void)state;
    assert_true(str_eq(STR_LIT("a\0b"), STR_LIT("a\0b")));
    assert_false(str_eq(STR_LIT("a\0b"), STR_LIT("a\0c")));
    assert_false(str_eq(STR_LIT("a"), STR_LIT("a\0")));
    assert_true(str_eq(STR_NULL, STR_EMPTY));
    assert_true(str_eqz(STR_LIT("abc"), "abc"));
    assert_false(str_eqz(STR_LIT("Abc"), "abc"));
    assert_true(str_ieq(STR_LIT("AbC"), STR_LIT("aBc")));
    assert_true(str_ieqz(STR_LIT("AbC"), "abc"));
    /* Only ASCII letters fold: neither '@' and '`' nor bytes above 127. */
    assert_false(str_ieq(STR_LIT("@"), STR_LIT("`")));
    assert_false(str_ieq(STR_LIT("\xc4"), STR_LIT("\xe4")));
}

static void
order_is_of_unsigned_bytes_then_length(void **state)
{
    (void)state;
    assert_true(str_cmp(STR_LIT("a"), STR_LIT("b")) < 0);
    assert_true(str_cmp(STR_LIT("b"), STR_LIT("a")) > 0);
    assert_true(str_cmp(STR_LIT("a"), STR_LIT("ab")) < 0);
    assert_true(str_cmp(STR_LIT("ab"), STR_LIT("a")) > 0);
    assert_int_equal(str_cmp(STR_LIT("ab"), STR_LIT("ab")), 0);
    assert_int_equal(str_cmp(STR_NULL, STR_EMPTY), 0);
    assert_true(str_cmp(STR_LIT("\xff"), STR_LIT("a")) > 0);
    assert_true(str_icmp(STR_LIT("B"), STR_LIT("a")) > 0);
    assert_true(str_icmp(STR_LIT("A"), STR_LIT("b")) < 0);
    assert_int_equal(str_icmp(STR_LIT("ABC"), STR_LIT("abc")), 0);
    assert_true(str_icmp(STR_LIT("abc"), STR_LIT("ABCD")) < 0);
    assert_true(str_icmp(STR_LIT("\xff"), STR_LIT("A")) > 0);
}

static void
prefixes_and_suffixes(void **state)
{
    (void)state;
    struct str s = STR_LIT("Message-ID");
    assert_true(str_starts(s, "Mess"));
    assert_true(str_starts(s, ""));
    assert_false(str_starts(s, "mess"));
    assert_true(str_istarts(s, "mESS"));
    assert_false(str_starts(s, "Message-IDs"));
    assert_true(str_ends(s, STR_LIT("-ID")));
    assert_false(str_ends(s, STR_LIT("-id")));
    assert_true(str_iends(s, STR_LIT("-id")));
    assert_false(str_ends(STR_LIT("D"), s));
    assert_true(str_ends(s, STR_EMPTY));
    assert_true(str_starts(STR_NULL, ""));
}

static void
sub_clips(void **state)
{
    (void)state;
    struct str s = STR_LIT("abcdef");
    assert_str(str_sub(s, 2, 3), "cde");
    assert_str(str_sub(s, 4, 100), "ef");
    assert_str(str_sub(s, 6, 1), "");
    assert_str(str_sub(s, 100, 1), "");
    assert_str(str_sub(s, 1, SIZE_MAX), "bcdef");
    assert_null(str_sub(STR_NULL, 3, 3).p);
}

static void
trim_takes_ascii_space_only(void **state)
{
    (void)state;
    assert_str(str_trim(STR_LIT(" \t\r\n\v\f x y \n")), "x y");
    assert_str(str_trim_left(STR_LIT("  x ")), "x ");
    assert_str(str_trim(STR_LIT(" \t ")), "");
    assert_str(str_trim(STR_LIT("\xa0x")), "\xa0x");
    assert_int_equal(str_trim(STR_LIT("\0 ")).n, 1);
}

static void
texts_are_joined(void **state)
{
    (void)state;
    struct arena *own = arena_new();
    struct str s = STR_JOIN(own, STR_LIT("a"), STR_NULL, STR_EMPTY, str_tainted(STR_LIT("bc")));
    assert_str(s, "abc");
    assert_int_equal(s.p[3], '\0');
    assert_int_equal(s.taint, STR_CLEAN);
    assert_str(str_join(own, NULL, 0), "");
    assert_int_equal(str_count(STR_LIT("a\nb\n\n"), '\n'), 3);
    assert_int_equal(str_count(STR_EMPTY, '\n'), 0);
    arena_free(own);
}

static void
parts_are_taken_off(void **state)
{
    (void)state;
    struct str rest = STR_LIT("a,,b");
    assert_str(str_take_until(&rest, ','), "a");
    assert_str(str_take_until(&rest, ','), "");
    assert_str(str_take_until(&rest, ','), "b");
    assert_int_equal(rest.n, 0);
    assert_str(str_take_until(&rest, ','), "");
    rest = STR_LIT(" one\ttwo  three ");
    assert_str(str_take_word(&rest), "one");
    assert_str(rest, "two  three ");
    assert_str(str_take_word(&rest), "two");
    assert_str(str_take_word(&rest), "three");
    assert_int_equal(rest.n, 0);
    assert_str(str_take_word(&rest), "");
}

static void
searches(void **state)
{
    (void)state;
    struct str s = STR_LIT("a:b\0c:d");
    assert_int_equal(str_chr(s, ':', 0), 1);
    assert_int_equal(str_chr(s, ':', 2), 5);
    assert_int_equal(str_chr(s, '\0', 0), 3);
    assert_int_equal(str_chr(s, 'x', 0), STR_NPOS);
    assert_int_equal(str_chr(s, 'a', 7), STR_NPOS);
    assert_int_equal(str_chr(STR_NULL, 'a', 0), STR_NPOS);
    assert_int_equal(str_rchr(s, ':'), 5);
    assert_int_equal(str_rchr(s, 'a'), 0);
    assert_int_equal(str_rchr(s, 'x'), STR_NPOS);
    assert_int_equal(str_find(s, STR_LIT("c:"), 0), 4);
    assert_int_equal(str_find(s, STR_LIT("c:"), 5), STR_NPOS);
    assert_int_equal(str_find(s, STR_EMPTY, 7), 7);
    assert_int_equal(str_find(s, STR_EMPTY, 8), STR_NPOS);
    assert_int_equal(str_ifind(STR_LIT("xxABc"), STR_LIT("abC"), 0), 2);
    assert_int_equal(str_ifind(STR_LIT("xxABc"), STR_LIT("abC"), 3), STR_NPOS);
    assert_true(str_has_word(STR_LIT("a json-b"), STR_LIT("json")));
    assert_true(str_has_word(STR_LIT("jsonx partial-json"), STR_LIT("json")));
    assert_false(str_has_word(STR_LIT("jsonx _json json_ 1json jso"), STR_LIT("json")));
    assert_false(str_has_word(STR_LIT(""), STR_LIT("json")));
    assert_true(str_has_nul(s));
    assert_false(str_has_nul(STR_LIT("abc")));
}

static void
hashes_agree_with_equality(void **state)
{
    (void)state;
    char other[] = "some longer key of 40 bytes or thereabout";
    struct str s = STR_LIT("some longer key of 40 bytes or thereabout");
    assert_true(str_hash(s) == str_hash(str_from_cstr(other)));
    assert_true(str_hash(STR_LIT("a")) != str_hash(STR_LIT("b")));
    assert_true(str_hash(STR_LIT("a")) != str_hash(STR_LIT("a\0")));
    assert_true(str_ihash(STR_LIT("ABC")) == str_ihash(STR_LIT("abc")));
    assert_true(str_hash(STR_LIT("ABC")) != str_hash(STR_LIT("abc")));
    assert_true(str_hash(STR_NULL) == str_hash(STR_EMPTY));
}

static void
copies(void **state)
{
    struct arena *a = *state;
    char bytes[] = "abc";
    struct str d = str_dup(a, str_from(bytes, 3));
    bytes[0] = 'x';
    assert_str(d, "abc");
    assert_int_equal(d.p[3], '\0');
    assert_null(str_dup(a, STR_NULL).p);
    assert_string_equal(str_cstr(a, STR_LIT("abc")), "abc");
    assert_string_equal(str_cstr(a, STR_NULL), "");
    assert_null(str_cstr(a, STR_LIT("a\0b")));
    assert_str(str_lower(a, STR_LIT("AbC\xc4z")), "abc\xc4z");
    assert_str(str_upper(a, STR_LIT("AbC\xe4z")), "ABC\xe4Z");
    assert_str(str_cat(a, STR_LIT("ab"), STR_NULL), "ab");
    assert_str(str_cat(a, STR_NULL, STR_LIT("cd")), "cd");
    assert_str(str_printf(a, "%s=%d", "n", 42), "n=42");
    assert_str(str_printf(a, "%.*s", STR_ARG(STR_NULL)), "");
}

static void
ascii_classes(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool digit = i >= '0' && i <= '9';
        bool letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
        assert_int_equal(ascii_digit(c), digit);
        assert_int_equal(ascii_alpha(c), letter);
        assert_int_equal(ascii_alnum(c), digit || letter);
        assert_int_equal(ascii_print(c), i >= 32 && i < 127);
        assert_int_equal(ascii_space(c), i == 32 || (i >= 9 && i <= 13));
    }
    assert_int_equal(ascii_hex('0'), 0);
    assert_int_equal(ascii_hex('a'), 10);
    assert_int_equal(ascii_hex('F'), 15);
    assert_int_equal(ascii_hex('g'), -1);
    assert_int_equal(ascii_hex('\xe1'), -1);
}

/* Every byte at every place of texts of every length that takes another way through the words. */
static void
words_do_what_bytes_do(void **state)
{
    enum { LONGEST = 40 };
    char text[LONGEST + 1], folded[LONGEST + 1];
    for (size_t n = 1; n <= LONGEST; n++)
        for (unsigned v = 0; v < 256 * n; v++) {
            struct arena_mark mark = arena_mark(*state);
            char c = (char)(unsigned char)(v % 256);
            memset(text, '.', n);
            text[v / 256] = c;
            memcpy(folded, text, n);
            folded[v / 256] = ascii_lower(c);
            struct str s = str_from(text, n), low = str_from(folded, n);
            assert_int_equal(str_has_upper(s), c >= 'A' && c <= 'Z');
            assert_int_equal(str_has_lower(s), c >= 'a' && c <= 'z');
            assert_true(str_eq(str_lower(*state, s), low));
            assert_int_equal(str_upper(*state, s).p[v / 256], ascii_upper(c));
            assert_true(str_ieq(s, low));
            assert_true(str_ihash(s) == str_ihash(low));
            folded[v / 256] = (char)(c + 1);
            assert_int_equal(str_ieq(s, low), ascii_lower((char)(c + 1)) == ascii_lower(c));
            assert_false(str_hash(s) == str_hash(low));
            arena_reset(*state, mark);
        }
    assert_false(str_has_upper(STR_EMPTY));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_cstr_gives_length_and_clean_mark),
        cmocka_unit_test(taint_joins),
        cmocka_unit_test_setup_teardown(taint_travels_and_ends_by_rule_only, setup, teardown),
        cmocka_unit_test(equality_sees_nul_and_case),
        cmocka_unit_test(order_is_of_unsigned_bytes_then_length),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(sub_clips),
        cmocka_unit_test(trim_takes_ascii_space_only),
        cmocka_unit_test(texts_are_joined),
        cmocka_unit_test(parts_are_taken_off),
        cmocka_unit_test(searches),
        cmocka_unit_test(hashes_agree_with_equality),
        cmocka_unit_test_setup_teardown(copies, setup, teardown),
        cmocka_unit_test(ascii_classes),
        cmocka_unit_test_setup_teardown(words_do_what_bytes_do, setup, teardown),
    };
    return cmocka_run_group_tests_name("base_str", tests, NULL, NULL);
}
