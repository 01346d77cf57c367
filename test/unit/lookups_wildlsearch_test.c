/* Unit tests of lookups/wildlsearch.c. */
#include "lookups_fixture.h"

static void
forms_of_a_pattern(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p =
        fixture_file(f, "f",
                     "*.a.b.c: suffix\n*fish: fish\n^\\d+\\.x$: regex\n\"^q d\": quoted\n"
                     "^(?-i)ABC$: case\n@: at\n\"a:b\": colon\n+foo: plus\nliteral: lit\n"
                     "\"!^z\": notz\n");
    CHECK(f, "nwildlsearch", p, "x.A.b.c", "=suffix");
    CHECK(f, "nwildlsearch", p, "goldFISH", "=fish");
    CHECK(f, "nwildlsearch", p, "12.x", "=regex");
    assert_string_equal(fixture_captures(f), "");
    CHECK(f, "nwildlsearch", p, "Q dx", "=quoted");
    CHECK(f, "nwildlsearch", p, "ABC", "=case");
    CHECK(f, "nwildlsearch", p, "abc", "=notz");
    CHECK(f, "nwildlsearch", p, "@", "=at");
    CHECK(f, "nwildlsearch", p, "a:b", "=colon");
    CHECK(f, "nwildlsearch", p, "+foo", "=plus");
    CHECK(f, "nwildlsearch,ret=full", p, "LITERAL", "=literal: lit");
    CHECK(f, "nwildlsearch", p, "Zx", "-");
}

static void
nested_lookups_end(void **state)
{
    struct lookups_fixture *f = *state;
    const char *inner = fixture_file(f, "inner", "key: x\n");
    char text[256];
    snprintf(text, sizeof text, "lsearch;%s: nested\n", inner);
    const char *p = fixture_file(f, "f", text);
    CHECK(f, "nwildlsearch", p, "KEY", "=nested");
    CHECK(f, "nwildlsearch", p, "other", "-");
    snprintf(text, sizeof text, "nwildlsearch;%s: x\n", fixture_path(f, "self"));
    p = fixture_file(f, "self", text);
    CHECK(f, "nwildlsearch", p, "k", "~lookups are nested too deeply");
    CHECK(f, "nwildlsearch", fixture_file(f, "bad", "nope;x: y\n"), "k",
          "~unknown lookup type \"nope\"");
}

static void
bad_patterns_defer(void **state)
{
    struct lookups_fixture *f = *state;
    const char *got = fixture_find(f, "nwildlsearch", fixture_file(f, "f", "^[bad: x\n"), "k");
    assert_string_equal(got,
                        "~regular expression error: missing terminating ] for character class "
                        "at offset 5 while compiling ^[bad");
    CHECK(f, "wildlsearch", fixture_file(f, "g", "${nope: x\n"), "k", "~");
    struct str log = buf_str(&f->log);
    assert_true(str_starts(log, "failed to expand \"${nope\" while checking a list: "));
}

static void
keys_are_expanded(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p =
        fixture_file(f, "f",
                     "\"${if eq{a}{b}{no}fail}\": forced\n\"${if eq{a}{a}{e f}}\": ef\n"
                     "\"\\\\N^\\\\d$\\\\N\": digit\n");
    CHECK(f, "wildlsearch", p, "e F", "=ef");
    CHECK(f, "wildlsearch", p, "5", "=digit");
    CHECK(f, "wildlsearch", p, "no", "-");
    CHECK(f, "nwildlsearch", p, "e f", "-");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(forms_of_a_pattern),
        LOOKUP_TEST(nested_lookups_end),
        LOOKUP_TEST(bad_patterns_defer),
        LOOKUP_TEST(keys_are_expanded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
