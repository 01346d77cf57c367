/* Unit tests of sys/user.c: names, numbers, the cache. */
#include "sys/user.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

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
test_numbers(void **state)
{
    (void)state;
    int64_t id = -7;
    assert_true(user_find(NULL, STR_LIT("12345"), &id));
    assert_int_equal(id, 12345);
    assert_true(user_find_group(NULL, STR_LIT("-5"), &id));
    assert_int_equal(id, 4294967291);
    assert_true(user_find(NULL, STR_LIT("4294967296"), &id));
    assert_int_equal(id, 0);
    assert_true(user_find(NULL, STR_LIT("99999999999999999999"), &id));
    assert_int_equal(id, 4294967295);
    assert_false(user_find(NULL, STR_LIT("-"), &id));
    assert_false(user_find(NULL, STR_LIT("12x"), &id));
}

static void
test_names(void **state)
{
    struct user_cache *c = user_cache_new(*state);
    int64_t id = -7;
    for (int i = 0; i < 2; i++) { /* the second answer comes from the cache */
        assert_true(user_find(c, STR_LIT("root"), &id));
        assert_int_equal(id, 0);
        assert_true(user_find_group(c, STR_LIT("root"), &id));
        assert_int_equal(id, 0);
        assert_false(user_find(c, STR_LIT("no-such-user"), &id));
    }
    assert_false(user_find(c, STR_LIT(""), &id));
    assert_false(user_find(c, str_from("ro\0ot", 5), &id));
    assert_true(str_eqz(user_name(*state, 0), "root"));
    assert_true(str_eqz(user_group_name(*state, 0), "root"));
    assert_null(user_name(*state, 3999999999).p);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_numbers),
        CASE(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
