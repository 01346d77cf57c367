/* Unit tests of lookups/linefile.c: entries, keys and data of alias files. */
#include "lookups/linefile.h"
#include "lookups_fixture.h"

static struct linefile
load(struct lookups_fixture *f, const char *text)
{
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm};
    struct linefile out;
    assert_true(linefile_load(&c, fixture_file(f, "file", text), &out));
    return out;
}

/* "key=data;key=data;", with the whole entry in place of the data if full. */
static const char *
entries(struct lookups_fixture *f, const char *text, bool full)
{
    struct linefile file = load(f, text);
    struct buf b = buf_in(f->arena, 0);
    struct line_entry e;
    for (size_t at = 0; linefile_next(&file, &at, &e);) {
        buf_adds(&b, linefile_key(f->arena, &e));
        buf_addc(&b, '=');
        buf_adds(&b, linefile_data(f->arena, &file, &e, full));
        buf_addc(&b, ';');
    }
    const char *out = b.n > 0 ? str_dup(f->arena, buf_str(&b)).p : "";
    linefile_free(&file);
    return out;
}

static void
keys_and_data(void **state)
{
    struct lookups_fixture *f = *state;
    assert_string_equal(entries(f, "", false), "");
    assert_string_equal(entries(f, "a: b\nc:d\ne f\ng\n", false), "a=b;c=d;e=f;g=;");
    assert_string_equal(entries(f, "a : b\nc  :  d  \n", false), "a=b;c=d;");
    assert_string_equal(entries(f, "no end", false), "no=end;");
    assert_string_equal(entries(f, "a::b\n:c\n", false), "a=:b;=c;");
}

static void
comments_and_continuation(void **state)
{
    struct lookups_fixture *f = *state;
    assert_string_equal(entries(f, "# x\n\na: b\n c\n\td\n# y\n\n  e\nf: g\n", false),
                        "a=b c d e;f=g;");
    assert_string_equal(entries(f, "  lost\na: b\n", false), "a=b;");
    assert_string_equal(entries(f, "a:\n b", false), "a= b;");
}

static void
keys_in_quotes(void **state)
{
    struct lookups_fixture *f = *state;
    assert_string_equal(entries(f, "\"a b:c\": d\n", false), "a b:c=d;");
    assert_string_equal(entries(f, "\"a\\\"b\\x41\\n\" d\n", false), "a\"bA\n=d;");
    assert_string_equal(entries(f, "\"open: d\n", false), "open: d=;");
}

static void
whole_entries(void **state)
{
    struct lookups_fixture *f = *state;
    assert_string_equal(entries(f, "a: b\n c\n\"x y\" z\n", true), "a=a: b c;x y=x y z;");
}

static void
files_that_do_not_open(void **state)
{
    struct lookups_fixture *f = *state;
    struct lookup_ctx c = {.eval = &f->eval, .vm = f->vm};
    struct linefile out;
    assert_false(linefile_load(&c, fixture_path(f, "none"), &out));
    assert_string_equal(str_cstr(f->arena, vm_error(f->vm)),
                        str_printf(f->arena,
                                   "failed to open %s for linear search: No such file or "
                                   "directory",
                                   fixture_path(f, "none"))
                            .p);
    assert_false(linefile_load(&c, f->dir, &out));
    assert_string_equal(
        str_cstr(f->arena, vm_error(f->vm)),
        str_printf(f->arena, "%s is not a regular file (lsearch lookup)", f->dir).p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(keys_and_data),          LOOKUP_TEST(comments_and_continuation),
        LOOKUP_TEST(keys_in_quotes),         LOOKUP_TEST(whole_entries),
        LOOKUP_TEST(files_that_do_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
