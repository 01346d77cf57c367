/* Unit tests of base/buf.c. */
#include "base/buf.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
pieces_make_a_value(void **state)
{
    struct buf b = buf_in(*state, 0);
    assert_int_equal(buf_str(&b).n, 0);
    assert_true(str_is_set(buf_str(&b)));
    buf_addz(&b, "one ");
    buf_addc(&b, '2');
    buf_add(&b, "\0x", 2);
    buf_printf(&b, " %d-%s", 42, "z");
    buf_adds(&b, STR_NULL);
    struct str s = buf_str(&b);
    assert_int_equal(s.n, 12);
    assert_memory_equal(s.p, "one 2\0x 42-z", 13);
    assert_false(b.overflow);
    assert_false(str_is_tainted(s));
}

static void
marks_join(void **state)
{
    struct buf b = buf_in(*state, 0);
    buf_adds(&b, STR_LIT("x"));
    assert_int_equal(buf_str(&b).taint, STR_CLEAN);
    struct str quoted = STR_LIT("y");
    quoted.taint = STR_QUOTED + 2;
    buf_adds(&b, quoted);
    assert_int_equal(buf_str(&b).taint, STR_QUOTED + 2);
    buf_adds(&b, str_tainted(STR_LIT("z")));
    assert_int_equal(buf_str(&b).taint, STR_TAINTED);
}

/* An empty tainted value still marks: its emptiness is a stranger's choice. */
static void
an_empty_tainted_value_marks(void **state)
{
    struct buf b = buf_in(*state, 0);
    buf_adds(&b, str_tainted(STR_EMPTY));
    assert_true(str_is_tainted(buf_str(&b)));
}

static void
limit_at_one_less_exactly_and_one_more(void **state)
{
    for (size_t n = 99; n <= 101; n++) {
        struct buf b = buf_in(*state, 100);
        for (size_t i = 0; i < n; i++)
            buf_addc(&b, 'x');
        assert_int_equal(b.n, n <= 100 ? n : 100);
        assert_int_equal(b.overflow, n > 100);
    }
}

static void
a_piece_that_does_not_fit_is_dropped_whole(void **state)
{
    struct buf b = buf_in(*state, 10);
    buf_addz(&b, "12345678");
    buf_addz(&b, "abc");
    assert_true(b.overflow);
    assert_int_equal(b.n, 8);
    buf_printf(&b, "%s", "xyz");
    assert_int_equal(b.n, 8);
    buf_addz(&b, "ab");
    assert_int_equal(b.n, 10);
}

static void
the_limit_is_clipped(void **state)
{
    assert_int_equal(buf_in(*state, 0).limit, STR_MAX - 1);
    assert_int_equal(buf_in(*state, SIZE_MAX).limit, STR_MAX - 1);
    assert_int_equal(buf_in(*state, 7).limit, 7);
}

static void
growth_keeps_content_and_terminates(void **state)
{
    struct buf b = buf_in(*state, 0);
    for (unsigned i = 0; i < 10000; i++) {
        buf_printf(&b, "%u,", i);
        if (i % 1000 == 0)
            (void)arena_alloc(*state, 8); /* so that it cannot always grow in place */
    }
    struct str s = buf_str(&b);
    assert_int_equal(s.n, 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5);
    assert_int_equal(s.p[s.n], '\0');
    assert_memory_equal(s.p + s.n - 10, "9998,9999,", 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_make_a_value, setup, teardown),
        cmocka_unit_test_setup_teardown(marks_join, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_tainted_value_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(limit_at_one_less_exactly_and_one_more, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_piece_that_does_not_fit_is_dropped_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_limit_is_clipped, setup, teardown),
        cmocka_unit_test_setup_teardown(growth_keeps_content_and_terminates, setup, teardown),
    };
    return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
