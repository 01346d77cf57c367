/* Unit tests of lookups/testdb.c and passwd.c: types without a file. */
#include "lookups_fixture.h"

static void
testdb_answers(void **state)
{
    struct lookups_fixture *f = *state;
    const char *const types[] = {"testdb", "testdb2", "testdb_nq"};
    for (size_t i = 0; i < 3; i++) {
        CHECK_QUERY(f, types[i], "something", "=something");
        CHECK_QUERY(f, types[i], "nocache", "=nocache");
        CHECK_QUERY(f, types[i], "fail", "-");
        assert_int_equal(fixture_find(f, types[i], "", "defer")[0], '~');
        CHECK_QUERY(f, types[i], "", "-"); /* an empty key is never looked up */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(testdb_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
