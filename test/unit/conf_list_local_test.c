/* Unit tests of conf/list_local.c. */
#include "conf_list_fixture.h"

static void
ports_are_passed_over(void **state)
{
    struct fixture *f = *state;
    static const char *const yes[] = {"127.0.0.1", "::1", "192.168.7.7", "10.77.0.1"};
    static const char *const no[] = {"127.0.0.2", "::2", "", "localhost", "127.0.0.1.25"};
    for (size_t i = 0; i < 4; i++)
        assert_true(list_is_local_address(&f->eval, f->vm, str_from_cstr(yes[i])));
    for (size_t i = 0; i < 5; i++)
        assert_false(list_is_local_address(&f->eval, f->vm, str_from_cstr(no[i])));
    list_cache_forget(f->eval.lists);
    assert_true(list_is_local_address(&f->eval, f->vm, STR_LIT("127.0.0.1")));
}

static void
without_settings_all_interfaces_count(void **state)
{
    struct fixture *f = *state;
    f->host.setting = NULL;
    assert_true(list_is_local_address(&f->eval, f->vm, STR_LIT("127.0.0.1")));
    assert_false(list_is_local_address(&f->eval, f->vm, STR_LIT("10.77.0.1")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ports_are_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(without_settings_all_interfaces_count, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
