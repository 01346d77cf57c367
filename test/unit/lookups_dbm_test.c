/* Unit tests of lookups/dbm.c, lmdb.c and lmdb_file.c over files that the LMDB library writes. */
#include "lookups_fixture.h"

#include <lmdb.h>

struct pair {
    struct str key, data;
};

static MDB_val
value_of(struct lookups_fixture *f, struct str s)
{
    MDB_val v = {.mv_size = s.n, .mv_data = NULL};
    v.mv_data = memcpy(arena_alloc(f->arena, s.n + 1), s.p, s.n);
    return v;
}

static const char *
make_file(struct lookups_fixture *f, const char *name, const struct pair *pairs, size_t n)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    const char *path = fixture_path(f, name);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0644), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    for (size_t i = 0; i < n; i++) {
        MDB_val k = value_of(f, pairs[i].key), v = value_of(f, pairs[i].data);
        assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    return path;
}

#define S(lit) STR_INIT(lit)

static const struct pair pairs[] = {
    {S("one\0"), S("first\0")},
    {S("two"), S("second")},
    {S("a\0b"), S("joined")},
    {S("empty\0"), S("\0")},
};

static void
keys_with_and_without_a_zero_byte(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = make_file(f, "db", pairs, sizeof pairs / sizeof pairs[0]);
    CHECK(f, "dbm", p, "one", "=first");
    CHECK(f, "dbm", p, "two", "-");
    CHECK(f, "dbm", p, "empty", "=");
    CHECK(f, "dbmnz", p, "two", "=second");
    CHECK(f, "dbmnz", p, "one", "-");
    CHECK(f, "dbmjz", p, "a:b", "=joined");
    CHECK(f, "dbmjz", p, "<; a ; b", "=joined");
    CHECK(f, "dbmjz", p, "a", "-");
    CHECK(f, "lmdb", p, "two", "=second");
    CHECK(f, "lmdb", p, "one", "-");
    char key[600];
    memset(key, 'k', sizeof key);
    for (size_t n = 510; n <= 513; n++)
        assert_string_equal(fixture_find_str(f, "dbm", str_from_cstr(p), str_from(key, n)),
                            "-");
}

static void
files_that_are_none(void **state)
{
    struct lookups_fixture *f = *state;
    CHECK(f, "dbm", "none", "k",
          "!failed to open none as a db (v4.1+) file: No such file or directory");
    CHECK(f, "lmdb", "none", "k",
          "!failed to open none as an LMDB file: No such file or directory");
    const char *p = fixture_file(f, "text", "key: value\n");
    assert_string_equal(fixture_find(f, "dbm", p, "key"),
                        str_printf(f->arena,
                                   "!failed to open %s as a db (v4.1+) file: unexpected file "
                                   "type or format",
                                   p)
                            .p);
    assert_string_equal(fixture_find(f, "lmdb", p, "key"),
                        str_printf(f->arena,
                                   "!failed to open %s as an LMDB file: unexpected file type "
                                   "or format",
                                   p)
                            .p);
}

static void
a_file_cut_short_is_refused(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = make_file(f, "db", pairs, sizeof pairs / sizeof pairs[0]);
    struct stat st;
    CHECK(f, "dbm", p, "one", "=first");
    assert_int_equal(stat(p, &st), 0);
    for (off_t n = st.st_size - 1; n > 0; n -= 997) {
        assert_int_equal(truncate(p, n), 0);
        const char *got = fixture_find(f, "dbm", p, "one");
        assert_int_equal(got[0], '!');
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(keys_with_and_without_a_zero_byte),
        LOOKUP_TEST(files_that_are_none),
        LOOKUP_TEST(a_file_cut_short_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
