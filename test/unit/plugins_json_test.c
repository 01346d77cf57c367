/* Unit tests of plugins/json.c, linked in. */
#include "lookups_fixture.h"
#include "sys/plugin.h"

extern const struct plugin remex_plugin;

static const char *
select_from(struct lookups_fixture *f, const char *file, const char *key)
{
    const struct lookup_driver *d = remex_plugin.objects[0];
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm};
    struct str data = STR_NULL;
    void *h = d->open(&c, file);
    if (h == NULL)
        return str_printf(f->arena, "!%.*s", STR_ARG(vm_error(f->vm))).p;
    enum outcome o = d->find(&c, h, file, str_from_cstr(key), &data);
    d->close(h);
    return o == OUT_OK ? str_printf(f->arena, "=%.*s", STR_ARG(data)).p : "-";
}

static void
elements(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p =
        fixture_file(f, "f",
                     "{\"a\": {\"b\": [10, \"x \\\"y\\u00e9\", {\"c\": null}]}, \"n\": 1.5,"
                     " \"t\": true, \"0\": \"zero\", \"a b\": {}, \"co:on\": 1}");
    assert_string_equal(select_from(f, p, "a:b:0"), "=10");
    assert_string_equal(select_from(f, p, "a:b:1"), "=x \"y\xc3\xa9");
    assert_string_equal(select_from(f, p, "a:b:2"), "={\"c\": null}");
    assert_string_equal(select_from(f, p, "a:b:2:c"), "=null");
    assert_string_equal(select_from(f, p, "<; a ; b"),
                        "=[10, \"x \\\"y\xc3\xa9\", {\"c\": null}]");
    assert_string_equal(select_from(f, p, "n"), "=1.5");
    assert_string_equal(select_from(f, p, "t"), "=true");
    assert_string_equal(select_from(f, p, "a b"), "={}");
    assert_string_equal(select_from(f, p, "co::on"), "=1");
    assert_string_equal(select_from(f, p, "0"), "-"); /* a number applies to arrays only */
    assert_string_equal(select_from(f, p, "a:b:x"), "-");
    assert_string_equal(select_from(f, p, "a:b:3"), "-");
    assert_string_equal(select_from(f, p, "a:b:99999999999999999999"), "-");
    assert_string_equal(select_from(f, p, "n:0"), "-");
    assert_string_equal(select_from(f, p, "A"), "-");
}

static void
bad_files(void **state)
{
    struct lookups_fixture *f = *state;
    assert_string_equal(select_from(f, "none", "a"),
                        "!failed to open none for json search: No such file or directory");
    const char *p = fixture_file(f, "f", "{\"a\": }");
    const char *got = select_from(f, p, "a");
    const char *want =
        str_printf(f->arena, "!failed to read %s for json search: line 1 column ", p).p;
    assert_memory_equal(got, want, strlen(want));
    struct buf b = buf_in(f->arena, 0);
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, '[');
    got = select_from(f, fixture_bytes(f, "deep", b.p, b.n), "0");
    assert_int_equal(got[0], '!');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {LOOKUP_TEST(elements), LOOKUP_TEST(bad_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
