/* Unit tests: users and groups of the system database. */
#include "sys/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_root(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct passwd *pw = account_user(a, "root");
    const struct passwd *same = account_user_of_id(a, 0);
    assert_non_null(pw);
    assert_non_null(same);
    assert_int_equal(pw->pw_uid, 0);
    assert_string_equal(same->pw_name, "root");
    assert_string_equal(pw->pw_dir, same->pw_dir);
    assert_int_equal(account_group(a, "root")->gr_gid, 0);
    assert_string_equal(account_group_of_id(a, 0)->gr_name, "root");
    arena_free(a);
}

static void
test_nobody_of_that_name(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_null(account_user(a, "no such user"));
    assert_null(account_user_of_id(a, 4294900000U));
    assert_null(account_group(a, "no such group"));
    assert_null(account_group_of_id(a, 4294900000U));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_root),
                                       cmocka_unit_test(test_nobody_of_that_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
