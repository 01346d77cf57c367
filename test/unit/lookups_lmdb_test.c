/* Unit tests of lookups/lmdb.c and lmdb_file.c: databases of the library, and files that are none. */
#include "lookups/lmdb_file.h"
#include "lookups_fixture.h"

#include <lmdb.h>

/* A database with n entries k<i> = v<i>. */
static const char *
make_database(struct lookups_fixture *f, const char *name, unsigned n)
{
    const char *path = fixture_path(f, name);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0644), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    for (unsigned i = 0; i < n; i++) {
        struct str k = str_printf(f->arena, "k%u", i), v = str_printf(f->arena, "v%u", i);
        MDB_val key = {k.n, k.n > 0 ? str_cstr(f->arena, k) : NULL};
        MDB_val value = {v.n, str_cstr(f->arena, v)};
        assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    return path;
}

static void
entries(void **state)
{
    struct lookups_fixture *f = *state;
    const char *path = make_database(f, "db", 500);
    CHECK(f, "lmdb", path, "k0", "=v0");
    CHECK(f, "lmdb", path, "k499", "=v499");
    CHECK(f, "lmdb", path, "k500", "-");
    CHECK(f, "lmdb", path, "k", "-");
    CHECK(f, "lmdb*", path, "x", "-");
    CHECK(f, "lmdb", make_database(f, "empty", 0), "k0", "-");
}

/* Another file in its place is opened. */
static void
replaced(void **state)
{
    struct lookups_fixture *f = *state;
    const char *path = make_database(f, "db", 1);
    CHECK(f, "lmdb", path, "k1", "-");
    const char *other = make_database(f, "new", 2);
    assert_int_equal(rename(other, path), 0);
    usleep(20000);
    CHECK(f, "lmdb", path, "k1", "=v1");
}

static void
files_that_are_none(void **state)
{
    struct lookups_fixture *f = *state;
    const char *text = fixture_file(f, "text", "k0: v0\n");
    assert_int_equal(fixture_find(f, "lmdb", text, "k0")[0], '!');
    assert_int_equal(fixture_find(f, "lmdb", fixture_path(f, "none"), "k0")[0], '!');
    assert_int_equal(fixture_find(f, "lmdb", fixture_file(f, "zero", ""), "k0")[0], '!');
    /* Cut short: its header claims more than there is. */
    const char *path = make_database(f, "db", 500);
    assert_int_equal(truncate(path, 8192), 0);
    assert_int_not_equal(fixture_find(f, "lmdb", path, "k400")[0], '=');
}

static void
recognised_by_its_first_bytes(void **state)
{
    struct lookups_fixture *f = *state;
    unsigned char head[64];
    FILE *in = fopen(make_database(f, "db", 1), "rb");
    assert_non_null(in);
    assert_int_equal(fread(head, 1, sizeof head, in), sizeof head);
    assert_int_equal(fclose(in), 0);
    assert_true(lmdb_file_recognise(head, 32));
    assert_false(lmdb_file_recognise(head, 16));
    head[16] ^= 1; /* the magic number */
    assert_false(lmdb_file_recognise(head, 32));
    assert_false(lmdb_file_recognise((const unsigned char *)"", 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(entries),
        LOOKUP_TEST(replaced),
        LOOKUP_TEST(files_that_are_none),
        LOOKUP_TEST(recognised_by_its_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
