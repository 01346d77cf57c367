/* Unit tests of lookups/passwd.c. */
#include "lookups_fixture.h"

static void
users_of_the_system(void **state)
{
    struct lookups_fixture *f = *state;
    const char *got = fixture_find(f, "passwd", "", "root");
    assert_memory_equal(got, "=*:0:0:", 7);
    CHECK_QUERY(f, "passwd", "no-such-user-here", "-");
    CHECK_QUERY(f, "passwd", "", "-");
    CHECK_QUERY(f, "passwd", " root ", "-");
    assert_string_equal(fixture_find_str(f, "passwd", STR_EMPTY, str_from("root\0x", 6)), "-");
    got = fixture_find_str(f, "passwd", STR_EMPTY, str_tainted(STR_LIT("root")));
    assert_memory_equal(got, "=*:0:0:", 7);
    assert_int_equal(f->log.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {LOOKUP_TEST(users_of_the_system)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
