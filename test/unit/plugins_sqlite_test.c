/* Unit tests of plugins/sqlite.c, linked in. The engine round it is tested with testdb. */
#include "lookups_fixture.h"
#include "sys/plugin.h"

#include <sqlite3.h>

extern const struct plugin remex_plugin;

static const struct lookup_driver *
driver(void)
{
    return remex_plugin.objects[0];
}

static const char *
make_database(struct lookups_fixture *f)
{
    sqlite3 *db;
    const char *p = fixture_path(f, "db");
    assert_int_equal(sqlite3_open(p, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "create table t(id text, name text, n int);"
                                  "insert into t values('a','Name A',1);"
                                  "insert into t values('q','a\"b\\c',3);"
                                  "insert into t values('e','',NULL);"
                                  "insert into t values('s','\"x y',5);",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    return p;
}

static const char *
query(struct lookups_fixture *f, const char *file, const char *sql)
{
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm};
    struct str data = STR_NULL;
    const char *out;
    void *h = driver()->open(&c, file);
    if (h == NULL)
        return str_printf(f->arena, "!%.*s", STR_ARG(vm_error(f->vm))).p;
    assert_true(driver()->check(&c, h, file));
    switch (driver()->find(&c, h, file, str_from_cstr(sql), &data)) {
    case OUT_OK:
        out = str_printf(f->arena, "=%.*s", STR_ARG(data)).p;
        break;
    case OUT_FAIL:
        out = "-";
        break;
    case OUT_DEFER:
    case OUT_ERROR:
    case OUT_DECLINE:
    case OUT_PASS:
    default:
        out = "~";
        break;
    }
    driver()->close(h);
    return out;
}

static void
rows_and_columns(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = make_database(f);
    assert_string_equal(query(f, p, "select name from t where id='a'"), "=Name A");
    assert_string_equal(query(f, p, "select name from t where id='q';"), "=a\"b\\c");
    assert_string_equal(query(f, p, "select * from t where id='a'"),
                        "=id=a name=\"Name A\" n=1 ");
    assert_string_equal(query(f, p, "select * from t where id='q'"), "=id=q name=a\"b\\c n=3 ");
    assert_string_equal(query(f, p, "select * from t where id='e'"),
                        "=id=e name=\"\" n=<NULL> ");
    assert_string_equal(query(f, p, "select id,name from t where id='s'"),
                        "=id=s name=\"\\\"x y\" ");
    assert_string_equal(query(f, p, "select id from t"), "=a\nq\ne\ns");
    assert_string_equal(query(f, p, "select 1; select 2"), "=1\n2");
    assert_string_equal(query(f, p, "select id from t where id='none'"), "-");
    assert_string_equal(query(f, p, "select name from t where id='e'"), "=");
}

static void
errors_mean_not_found(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = make_database(f);
    assert_string_equal(query(f, p, "selectx"), "-");
    assert_string_equal(query(f, p, ""), "-");
    assert_string_equal(query(f, p, "insert into t values('x','y',1)"), "-");
    assert_string_equal(query(f, p, "select n from t where id='x'"), "=1");
    assert_string_equal(query(f, "/nonexistent/db", "select 1"),
                        "!unable to open database file");
}

static void
the_plugin_is_what_the_table_says(void **state)
{
    (void)state;
    const struct lookup_driver *row = lookup_type_driver(STR_LIT("sqlite"));
    assert_int_equal(remex_plugin.abi, PLUGIN_ABI);
    assert_int_equal(remex_plugin.kind, PLUGIN_KIND_LOOKUP);
    assert_string_equal(remex_plugin.name, row->plugin);
    assert_int_equal(driver()->flags, row->flags);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(rows_and_columns),
        LOOKUP_TEST(errors_mean_not_found),
        LOOKUP_TEST(the_plugin_is_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
