/* Unit tests of lookups/lookup_cache.c: files that change, the limit of open files, results. */
#include "lookups_fixture.h"

static void
sleep_ms(long ms)
{
    struct timespec t = {0, ms * 1000000};
    nanosleep(&t, NULL);
}

static void
a_change_is_seen_at_once(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "f", "k: one\n");
    CHECK(f, "lsearch", p, "k", "=one");
    for (int i = 0; i < 50; i++) { /* same size, and often the same time stamp */
        char text[16];
        snprintf(text, sizeof text, "k: %03d\n", i);
        fixture_file(f, "f", text);
        assert_memory_equal(fixture_find(f, "lsearch", p, "k") + 1, text + 3, 3);
    }
}

static void
a_replaced_file_is_seen_when_the_old_one_had_settled(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "f", "k: one\n");
    sleep_ms(80);
    CHECK(f, "lsearch", p, "k", "=one");
    CHECK(f, "nwildlsearch", p, "k", "=one");
    fixture_file(f, "g", "k: two\n");
    assert_int_equal(rename(fixture_path(f, "g"), p), 0);
    CHECK(f, "lsearch", p, "k", "=two");
    CHECK(f, "nwildlsearch", p, "k", "=two");
    assert_int_equal(unlink(p), 0);
    assert_string_equal(fixture_find(f, "lsearch", p, "k"),
                        str_printf(f->arena,
                                   "!failed to open %s for linear search: No such file or "
                                   "directory",
                                   p)
                            .p);
}

static void
a_file_cut_short_is_no_danger(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "f", "k: one\nl: two\n");
    sleep_ms(80);
    CHECK(f, "lsearch", p, "k", "=one");
    assert_int_equal(truncate(p, 0), 0);
    CHECK(f, "lsearch", p, "l", "-");
}

static void
open_files_are_limited(void **state)
{
    struct lookups_fixture *f = *state;
    f->main.lookup_open_max = 3;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 10; i++) {
            char name[8];
            snprintf(name, sizeof name, "f%d", i);
            CHECK(f, "lsearch", fixture_file(f, name, "k: v\n"), "k", "=v");
            assert_true(lookup_cache_files(f->eval.lookups) <= 3);
        }
    CHECK(f, "dsearch", f->dir, "f1", "=f1");
    assert_int_equal(lookup_cache_files(f->eval.lookups), 3);
    lookup_cache_flush(f->eval.lookups);
    assert_int_equal(lookup_cache_files(f->eval.lookups), 0);
}

static void
results_are_bounded(void **state)
{
    struct lookups_fixture *f = *state;
    size_t n = LOOKUP_RESULTS_MAX / 3;
    char *q = malloc(n);
    assert_non_null(q);
    for (int i = 0; i < 20; i++) {
        memset(q, 'a' + i, n);
        const char *got = fixture_find_str(f, "testdb", STR_EMPTY, str_from(q, n));
        assert_int_equal(got[1], 'a' + i);
    }
    free(q);
    CHECK_QUERY(f, "testdb", "small", "=small");
    CHECK_QUERY(f, "testdb", "small", "=small");
}

static void
types_are_remembered(void **state)
{
    struct lookups_fixture *f = *state;
    struct lookup_type t;
    char text[] = "partial-lsearch*,ret=key";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lookup_cache_type(f->eval.lookups, f->vm, str_from_cstr(text), &t),
                         VM_OK);
        assert_true(str_eqz(t.options, "ret=key"));
        assert_int_equal(t.partial, 2);
    }
    memset(text, 'x', 3); /* the remembered one does not point here */
    assert_true(str_eqz(t.options, "ret=key"));
    assert_int_equal(lookup_cache_type(f->eval.lookups, f->vm, STR_LIT("nope"), &t), VM_ERROR);
    assert_int_equal(lookup_cache_type(f->eval.lookups, f->vm, STR_LIT("nope"), &t), VM_ERROR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(a_change_is_seen_at_once),
        LOOKUP_TEST(a_replaced_file_is_seen_when_the_old_one_had_settled),
        LOOKUP_TEST(a_file_cut_short_is_no_danger),
        LOOKUP_TEST(open_files_are_limited),
        LOOKUP_TEST(results_are_bounded),
        LOOKUP_TEST(types_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
