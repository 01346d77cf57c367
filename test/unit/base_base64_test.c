/* Unit tests of base/base64.c. */
#include "base/base64.h"

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
encodes_every_remainder(void **state)
{
    assert_str(base64_encode(*state, STR_LIT("")), "");
    assert_str(base64_encode(*state, STR_LIT("a")), "YQ==");
    assert_str(base64_encode(*state, STR_LIT("ab")), "YWI=");
    assert_str(base64_encode(*state, STR_LIT("abc")), "YWJj");
    assert_str(base64_encode(*state, STR_LIT("\377\376\375\0")), "//79AA==");
    assert_true(str_is_tainted(base64_encode(*state, str_tainted(STR_LIT("a")))));
}

static void
decodes_what_exim_decodes(void **state)
{
    static const char *const good[][2] = {
        {"YWJj", "abc"}, {"", ""},       {"YQ==", "a"}, {"YWI=", "ab"},      {" YWJj", "abc"},
        {"YQ = =", "a"}, {"YQ== ", "a"}, {"YR==", "a"}, {"YW\tJj\n", "abc"},
    };
    struct str out;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(base64_decode(*state, str_from_cstr(good[i][0]), &out, NULL));
        assert_str(out, good[i][1]);
    }
    assert_true(base64_decode(*state, str_tainted(STR_LIT("YQ==")), &out, NULL));
    assert_true(str_is_tainted(out));
}

static void
refuses_with_the_place(void **state)
{
    static const struct {
        const char *text;
        size_t at;
    } bad[] = {
        {"YQ", 2},    {"YQ=", 3},  {"YQ===", 4}, {"YWI==", 4}, {"Y", 1},       {"YQ==x", 4},
        {"YWJj!", 4}, {"====", 0}, {"Y===", 1},  {"YQ=x", 3},  {"YWJjYWI", 7},
    };
    struct str out;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t at = 99;
        assert_false(base64_decode(*state, str_from_cstr(bad[i].text), &out, &at));
        assert_int_equal(at, bad[i].at);
    }
}

static void
hexadecimal(void **state)
{
    struct str out;
    size_t at = 0;
    assert_str(hex_encode(*state, STR_LIT("a\377")), "61ff");
    assert_true(hex_decode(*state, STR_LIT("61Ff"), &out, NULL));
    assert_str(out, "a\377");
    assert_false(hex_decode(*state, STR_LIT("6"), &out, &at));
    assert_int_equal(at, 1);
    assert_false(hex_decode(*state, STR_LIT("6z"), &out, &at));
    assert_int_equal(at, 1);
}

static void
round_trip_of_every_byte(void **state)
{
    char all[256];
    struct str out;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (size_t n = 0; n <= sizeof all; n++) {
        assert_true(base64_decode(*state, base64_encode(*state, str_from(all, n)), &out, NULL));
        assert_true(str_eq(out, str_from(all, n)));
        assert_true(hex_decode(*state, hex_encode(*state, str_from(all, n)), &out, NULL));
        assert_true(str_eq(out, str_from(all, n)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_every_remainder),  cmocka_unit_test(decodes_what_exim_decodes),
        cmocka_unit_test(refuses_with_the_place),   cmocka_unit_test(hexadecimal),
        cmocka_unit_test(round_trip_of_every_byte),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
