/* Regular expressions: captures, flags, faults with their place, and the limits of a match. */
#include "sys/regex.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
test_match(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct regex_ctx *ctx = regex_ctx_new(a);
    struct str why, caps[4];
    size_t at;
    struct regex *re = regex_compile(a, STR_LIT("^(a+)(x)?(b)"), 0, &why, &at);
    assert_non_null(re);
    assert_int_equal(regex_match(re, ctx, str_tainted(STR_LIT("aab!")), caps, 4), 4);
    assert_true(str_eqz(caps[0], "aab"));
    assert_true(str_eqz(caps[1], "aa"));
    assert_int_equal(caps[2].n, 0);
    assert_true(str_eqz(caps[3], "b"));
    assert_true(str_is_tainted(caps[1]));
    assert_int_equal(regex_match(re, ctx, STR_LIT("AAB"), caps, 4), 0);
    re = regex_compile(a, STR_LIT("a\\x00B"), REGEX_CASELESS, &why, &at);
    assert_int_equal(regex_match(re, ctx, str_from("xA\0b", 4), caps, 4), 1);
    assert_int_equal(caps[0].n, 3);
    arena_free(a);
}

static void
test_faults(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str why;
    size_t at = 0;
    assert_null(regex_compile(a, STR_LIT("ab(c"), 0, &why, &at));
    assert_int_equal(at, 4);
    assert_true(str_eqz(why, "missing closing parenthesis"));
    char *big = arena_alloc(a, 65537);
    memset(big, 'a', 65537);
    assert_null(regex_compile(a, str_from(big, 65537), 0, &why, &at));
    assert_true(why.n > 0);
    arena_free(a);
}

static void
test_limit(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct regex_ctx *ctx = regex_ctx_new(a);
    struct str why, caps[2];
    size_t at;
    struct regex *re = regex_compile(a, STR_LIT("^(a+)+$"), 0, &why, &at);
    struct str s = STR_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    assert_int_equal(regex_match(re, ctx, s, caps, 2), -1);
    assert_int_equal(regex_match(re, ctx, STR_LIT("aaa"), caps, 2), 2); /* and then again */
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
