/* Unit tests of lookups/lsearch.c and linefile.c: the format of lsearch files. */
#include "lookups/linefile.h"
#include "lookups_fixture.h"

static const char text[] = "# comment\n"
                           "key1: data one\n"
                           "key2:data two\n  continued here\n\t and more  \n"
                           "key3   data three with space\n"
                           "key4 :  data four\nkey5\nkey6:\n\n"
                           "key7: line\n# comment in the middle\n   goes on\n\n   and on\n"
                           "\"quoted key\": qd\n\"esc\\x41\\n\\\"k\": ed\n\"unterminated: x\n"
                           "\"q\"trail: z\nkey8:   \n   leading\nKeyNine: Upper\nkey1: dup\n"
                           "key10::double\nkey11: trailing space   \r\nkey12 : : two colon\n"
                           "\"o\\101\\8\\q\": octal\n*: star\nkey14:a   b";

static void
forms_of_an_entry(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "f", text);
    const char *const expected[][2] = {
        {"key1", "=data one"},
        {"KEY2", "=data two continued here and more"},
        {"key3", "=data three with space"},
        {"key4", "=data four"},
        {"key5", "="},
        {"key6", "="},
        {"key7", "=line goes on and on"},
        {"quoted key", "=qd"},
        {"escA\n\"k", "=ed"},
        {"unterminated: x", "="},
        {"q", "=trail: z"},
        {"key8", "= leading"},
        {"keynine", "=Upper"},
        {"key10", "=:double"},
        {"key11", "=trailing space"},
        {"key12", "=: two colon"},
        {"oA8q", "=octal"},
        {"key14", "=a   b"},
        {"key", "-"},
        {"#", "-"},
        {"key1:", "-"},
    };
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
            CHECK(f, "lsearch", p, expected[i][0], expected[i][1]);
}

static void
whole_entries(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "f", text);
    CHECK(f, "lsearch,ret=full", p, "key1", "=key1: data one");
    CHECK(f, "lsearch,ret=full", p, "key2", "=key2:data two continued here and more");
    CHECK(f, "lsearch,ret=full", p, "key4", "=key4 :  data four");
    CHECK(f, "lsearch,ret=full", p, "quoted key", "=quoted key: qd");
    CHECK(f, "lsearch,ret=full", p, "key8", "=key8: leading");
    CHECK(f, "lsearch*,ret=full", p, "none", "=*: star");
}

static void
odd_files(void **state)
{
    struct lookups_fixture *f = *state;
    CHECK(f, "lsearch", fixture_file(f, "empty", ""), "k", "-");
    CHECK(f, "lsearch", fixture_file(f, "cont", " start: x\nk:v"), "start:", "-");
    CHECK(f, "lsearch", fixture_path(f, "cont"), "k", "=v");
    CHECK(f, "lsearch", fixture_file(f, "quote", "\"\n\"\"\n\"a"), "a", "=");
    CHECK(f, "lsearch", fixture_file(f, "esc", "\"a\\"), "a\\", "=");
    const char *p = fixture_bytes(f, "nul", "a\0b: c\0d\n", 9);
    assert_string_equal(fixture_find_str(f, "lsearch", str_from_cstr(p), str_from("a\0b", 3)),
                        "=c");
}

static void
files_that_cannot_be_read(void **state)
{
    struct lookups_fixture *f = *state;
    CHECK(f, "lsearch", "none", "k",
          "!failed to open none for linear search: No such file or directory");
    assert_string_equal(
        fixture_find(f, "lsearch", f->dir, "k"),
        str_printf(f->arena, "!%s is not a regular file (lsearch lookup)", f->dir).p);
    CHECK(f, "lsearch", "", "k",
          "!failed to open  for linear search: No such file or directory");
    if (geteuid() == 0)
        return;
    const char *p = fixture_file(f, "secret", "k: v\n");
    assert_int_equal(chmod(p, 0), 0);
    assert_string_equal(fixture_find(f, "lsearch", p, "k"),
                        str_printf(f->arena,
                                   "!failed to open %s for linear search: Permission denied "
                                   "(euid=%ld egid=%ld)",
                                   p, (long)geteuid(), (long)getegid())
                            .p);
}

/* The index against a plain search, over a file that makes it grow and has duplicates. */
static void
many_keys(void **state)
{
    struct lookups_fixture *f = *state;
    struct buf b = buf_in(f->arena, 0);
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "%s%d%s %d\n", i % 7 == 0 ? "\"K" : "k", i % 15000,
                   i % 7 == 0 ? "\"" : ":", i);
    const char *p = fixture_bytes(f, "many", b.p, b.n);
    for (int i = 14999; i >= 0; i -= 7) {
        char key[16], data[16];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(data, sizeof data, "=%d", i);
        CHECK(f, "lsearch", p, key, data);
    }
    CHECK(f, "lsearch", p, "k15000", "-");
    CHECK(f, "lsearch", p, "k14999", "=14999");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(forms_of_an_entry), LOOKUP_TEST(whole_entries),
        LOOKUP_TEST(odd_files),         LOOKUP_TEST(files_that_cannot_be_read),
        LOOKUP_TEST(many_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
