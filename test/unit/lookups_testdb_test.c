/* Unit tests of lookups/testdb.c, passwd.c and dnsdb.c: types without a file. */
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

static void
dnsdb_defers_until_there_is_a_resolver(void **state)
{
    struct lookups_fixture *f = *state;
    CHECK_QUERY(f, "dnsdb", "a=example.com", "~");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(testdb_answers),
        LOOKUP_TEST(users_of_the_system),
        LOOKUP_TEST(dnsdb_defers_until_there_is_a_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
