/* Unit tests of plugins/mysql.c as far as they need no server; test/servers has the rest. */
#include "lookups_fixture.h"
#include "sys/plugin.h"

extern const struct plugin remex_plugin;

/* "=data", "-", or "~why". */
static const char *
query(struct lookups_fixture *f, const char *servers, const char *text)
{
    const struct lookup_driver *d = remex_plugin.objects[0];
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm, .options = STR_EMPTY};
    struct str data = STR_NULL;
    f->main.mysql_servers.text = str_from_cstr(servers);
    void *h = d->open(&c, "");
    assert_non_null(h);
    enum outcome o = d->find(&c, h, "", str_from_cstr(text), &data);
    d->close(h);
    if (o == OUT_DEFER)
        return str_printf(f->arena, "~%.*s", STR_ARG(vm_error(f->vm))).p;
    return o == OUT_OK ? str_printf(f->arena, "=%.*s", STR_ARG(data)).p : "-";
}

static void
servers_that_are_not_there(void **state)
{
    struct lookups_fixture *f = *state;
    const char *socket = str_printf(f->arena, "(%s/.s.PGSQL.1)/d/u/p", f->dir).p;
    assert_string_equal(query(f, socket, ""), "-");
    assert_memory_equal(query(f, socket, "q"), "~MYSQL connection failed", 24);
    assert_memory_equal(query(f, "127.0.0.1::1/d/u/p", "q"), "~MYSQL connection failed", 24);
}

static void
the_plugin_is_what_the_table_says(void **state)
{
    (void)state;
    const struct lookup_driver *row = lookup_type_driver(STR_LIT("mysql")),
                               *d = remex_plugin.objects[0];
    assert_int_equal(remex_plugin.abi, PLUGIN_ABI);
    assert_int_equal(remex_plugin.kind, PLUGIN_KIND_LOOKUP);
    assert_string_equal(remex_plugin.name, row->plugin);
    assert_true(str_eq(d->name, row->name));
    assert_int_equal(d->flags, row->flags);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(servers_that_are_not_there),
        LOOKUP_TEST(the_plugin_is_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
