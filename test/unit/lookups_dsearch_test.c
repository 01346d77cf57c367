/* Unit tests of lookups/dsearch.c. */
#include "lookups_fixture.h"

static void
entries_and_filters(void **state)
{
    struct lookups_fixture *f = *state;
    fixture_file(f, "file", "");
    assert_int_equal(mkdir(fixture_path(f, "dir"), 0755), 0);
    assert_int_equal(mkdir(fixture_path(f, "..sub"), 0755), 0);
    assert_int_equal(symlink("file", fixture_path(f, "link")), 0);
    CHECK(f, "dsearch", f->dir, "file", "=file");
    CHECK(f, "dsearch", f->dir, "FILE", "-");
    CHECK(f, "dsearch", f->dir, "link", "=link");
    CHECK(f, "dsearch,filter=file", f->dir, "file", "=file");
    CHECK(f, "dsearch,filter=file", f->dir, "dir", "-");
    CHECK(f, "dsearch,filter=file", f->dir, "link", "-");
    CHECK(f, "dsearch,filter=dir", f->dir, "..", "=..");
    CHECK(f, "dsearch,filter=subdir", f->dir, "..", "-");
    CHECK(f, "dsearch,filter=subdir", f->dir, ".", "-");
    CHECK(f, "dsearch,filter=subdir", f->dir, "..sub", "=..sub");
    CHECK(f, "dsearch,filter=subdir", f->dir, "file", "-");
    CHECK(f, "dsearch,ret=full", f->dir, "file", str_printf(f->arena, "=%s/file", f->dir).p);
    CHECK(f, "dsearch,ret=key", f->dir, "file", "=file");
}

static void
the_result_is_clean(void **state)
{
    struct lookups_fixture *f = *state;
    fixture_file(f, "file", "");
    const char *got =
        fixture_find_str(f, "dsearch", str_from_cstr(f->dir), str_tainted(STR_LIT("file")));
    assert_string_equal(got, "=file"); /* the fixture asserts the mark */
}

static void
keys_with_slashes(void **state)
{
    struct lookups_fixture *f = *state;
    assert_int_equal(mkdir(fixture_path(f, "dir"), 0755), 0);
    fixture_file(f, "dir/x", "");
    CHECK(f, "dsearch", f->dir, "dir/x", "~key for dsearch lookup contains a slash: dir/x");
    CHECK(f, "dsearch,key=path", f->dir, "dir/x", "=dir/x");
    CHECK(f, "dsearch,key=path", f->dir, "dir", "=dir");
    CHECK(f, "dsearch,key=path", f->dir, "dir/../dir/x", "-");
    CHECK(f, "dsearch,key=path", f->dir, "../etc", "-");
    CHECK(f, "dsearch,key=path", f->dir, "dir/..", "-");
    CHECK(f, "dsearch,key=path", f->dir, "/etc/passwd", "-");
}

static void
long_keys_and_bad_directories(void **state)
{
    struct lookups_fixture *f = *state;
    char key[5000];
    memset(key, 'a', sizeof key);
    for (size_t n = 254; n <= 255; n++)
        assert_string_equal(
            fixture_find_str(f, "dsearch", str_from_cstr(f->dir), str_from(key, n)), "-");
    assert_string_equal(
        fixture_find_str(f, "dsearch", str_from_cstr(f->dir), str_from(key, 256)),
        str_printf(f->arena, "~%s/%.256s: lstat: File name too long", f->dir, key).p);
    assert_string_equal(
        fixture_find_str(f, "dsearch", str_from_cstr(f->dir), str_from(key, 5000)), "-");
    assert_string_equal(
        fixture_find_str(f, "dsearch", str_from_cstr(f->dir), str_from("a\0b", 3)), "-");
    CHECK(f, "dsearch", ".", "x", "!dirname '.' for dsearch is not absolute");
    CHECK(f, "dsearch", "/nonexistent-dir", "x",
          "!failed to open /nonexistent-dir for directory search: No such file or directory");
    const char *p = fixture_file(f, "file", "");
    assert_string_equal(
        fixture_find(f, "dsearch", p, "x"),
        str_printf(f->arena, "!failed to open %s for directory search: Not a directory", p).p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(entries_and_filters),
        LOOKUP_TEST(the_result_is_clean),
        LOOKUP_TEST(keys_with_slashes),
        LOOKUP_TEST(long_keys_and_bad_directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
