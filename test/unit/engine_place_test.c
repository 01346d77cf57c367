/* Where the spool is: asking again and again costs an engine no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "base/arena.h"

static void
test_costs_nothing(void **state)
{
    (void)state;
    struct engine_case *c = engine_case_new("");
    struct engine *e = &c->engine;
    struct spool_place first = engine_place(e);
    assert_null(first.queue);
    assert_memory_equal(first.root, c->root, strlen(c->root));
    e->queue = STR_LIT("slow");
    struct spool_place slow = engine_place(e);
    assert_string_equal(slow.queue, "slow");
    size_t before = arena_used(e->arena);
    for (int i = 0; i < 10000; i++) {
        char name[] = "slow"; /* other bytes each time, as with each message */
        e->queue = i % 2 == 0 ? STR_EMPTY : str_from_cstr(name);
        struct spool_place again = engine_place(e);
        assert_ptr_equal(again.root, first.root);
        assert_ptr_equal(again.queue, i % 2 == 0 ? NULL : slow.queue);
        assert_true(str_eqz(engine_keep_queue(e, str_from_cstr(name)), "slow"));
    }
    assert_int_equal(arena_used(e->arena), before);
    e->queue = STR_EMPTY;
    engine_case_free(c);
}

static void
test_names(void **state)
{
    (void)state;
    struct engine_case *c = engine_case_new("");
    struct engine *e = &c->engine;
    char name[] = "one";
    e->queue = str_from_cstr(name);
    struct spool_place one = engine_place(e);
    struct str kept = engine_keep_queue(e, e->queue);
    name[0] = 'X';
    assert_string_equal(one.queue, "one");
    assert_true(str_eqz(kept, "one"));
    e->queue = STR_LIT("two");
    assert_string_equal(engine_place(e).queue, "two");
    assert_string_equal(one.queue, "one");
    e->queue = str_from("a\0b", 3);
    assert_null(engine_place(e).queue);
    assert_int_equal(engine_keep_queue(e, e->queue).n, 0);
    assert_int_equal(engine_keep_queue(e, STR_EMPTY).n, 0);
    e->queue = STR_EMPTY;
    engine_case_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_costs_nothing),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
