/* Unit tests of conf/textmap.c: parts and joins of maps. */
#include "conf/textmap.h"
#include "conf_fixture.h"

static const struct source file = {.name = STR_INIT("f")};
static const struct source other = {.name = STR_INIT("g")};
static const struct textmap_run runs[] = {
    {.at = 0, .line = 1, .col = 5},
    {.at = 4, .line = 2, .col = 3},
    {.at = 6, .line = 2, .col = 9, .fixed = true, .macro = STR_INIT("MAC")},
};
static const struct textmap map = {&file, runs, 3, 2};

static void
test_sub(void **state)
{
    struct arena *a = ((struct reading *)*state)->arena;
    const struct textmap *one = textmap_sub(a, &map, 1, 3);
    assert_int_equal(one->n, 1);
    assert_int_equal(textmap_span(one, 0, 1).col, 6);
    const struct textmap *all = textmap_sub(a, &map, 2, 8);
    assert_int_equal(all->n, 3);
    assert_int_equal(textmap_span(all, 1, 1).col, 8);
    assert_int_equal(textmap_span(all, 2, 1).line, 2);
    assert_int_equal(textmap_span(all, 2, 1).col, 3);
    assert_int_equal(textmap_span(all, 7, 1).col, 9);
    assert_true(str_eqz(textmap_span(all, 7, 1).macro, "MAC"));
    assert_int_equal(textmap_span(all, 7, 50).n, 3); /* the macro's name is underlined */
    assert_int_equal(all->last_line, 2);
    assert_null(textmap_sub(a, NULL, 0, 1));
}

static void
test_moved_and_next(void **state)
{
    (void)state;
    struct textmap_run r = textmap_run_moved(&map, 5, 100);
    assert_int_equal(r.at, 100);
    assert_int_equal(r.col, 4);
    assert_int_equal(textmap_next_run(&map, 0), 4);
    assert_int_equal(textmap_next_run(&map, 4), 6);
    assert_int_equal(textmap_next_run(&map, 6), STR_NPOS);
    assert_int_equal(textmap_next_run(NULL, 0), STR_NPOS);
}

static void
test_joined(void **state)
{
    struct arena *a = ((struct reading *)*state)->arena;
    static const struct textmap_run second = {.line = 9, .col = 2};
    const struct textmap y = {&file, &second, 1, 9};
    const struct textmap *j = textmap_joined(a, &map, 2, &y, 20);
    assert_int_equal(textmap_span(j, 0, 1).line, 9);
    assert_int_equal(textmap_span(j, 3, 1).col, 6);
    assert_int_equal(textmap_span(j, 22, 1).col, 4);
    const struct textmap z = {&other, &second, 1, 9};
    j = textmap_joined(a, &map, 2, &z, 20); /* of another file: only the second is told apart */
    assert_int_equal(textmap_span(j, 3, 1).line, 9);
    assert_ptr_equal(textmap_span(j, 3, 1).source, &other);
    assert_null(textmap_joined(a, &map, 0, NULL, 5));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_sub),
        CASE(test_moved_and_next),
        CASE(test_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
