/* Unit tests of filter/vm.c: budgets, state, the cache. */
#include "filter_vm_fixture.h"

static void
steps_are_limited(void **state)
{
    struct fixture *f = *state;
    vm_set_budget(f->vm, (struct vm_budget){.steps = 5});
    fixture_check(f, "${map{a:b:c:d}{$item}}", "a:b:c:d");
    fixture_check(f, "${map{a:b:c:d:e:f:g}{$item}}", "!the expansion takes more than 5 steps");
}

static void
memory_is_limited(void **state)
{
    struct fixture *f = *state;
    vm_set_budget(f->vm, (struct vm_budget){.memory = 64 * 1024});
    const char *bomb = "${reduce{1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16}{x}{$value$value}}";
    fixture_check(
        f, bomb, "!the expansion needs more than 65536 bytes of memory inside \"reduce\" item");
    vm_set_budget(f->vm, (struct vm_budget){.memory = 16 * 1024 * 1024});
    assert_int_equal(strlen(fixture_expand(f, bomb)), 65536);
}

static void
depth_is_limited(void **state)
{
    struct fixture *f = *state;
    vm_set_budget(f->vm, (struct vm_budget){.depth = 2});
    fixture_check(f, "${expand:\\$domain}", "example.org");
    vm_set_budget(f->vm, (struct vm_budget){.depth = 1});
    fixture_check(
        f, "${expand:\\$domain}",
        "!internal expansion of \"$domain\" failed: expansions are nested too deeply");
}

static void
value_and_runrc_outlive_a_release(void **state)
{
    struct fixture *f = *state;
    struct arena_mark mark = arena_mark(vm_scratch(f->vm));
    vm_set_value(f->vm, str_dup(vm_scratch(f->vm), STR_LIT("kept")));
    vm_set_runrc(f->vm, 3);
    vm_release(f->vm, mark);
    vm_release(f->vm, mark);
    fixture_check(f, "$value $runrc", "kept 3");
    vm_reset_state(f->vm);
    fixture_check(f, "[$value] $runrc", "[] 0");
}

static void
an_evaluation_that_fails_leaves_the_state_of_the_outer_one(void **state)
{
    struct fixture *f = *state;
    vm_set_item(f->vm, STR_LIT("outer"));
    (void)fixture_expand(f, "${map{a}{${acl{x}}}}");
    fixture_check(f, "$item", "outer");
}

/* More different texts than the cache holds: each is right, and memory stays bounded. */
static void
the_cache_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    for (int i = 0; i < 20000; i++) {
        struct arena_mark mark = arena_mark(vm_scratch(f->vm));
        struct str text = str_printf(a, "%d-${lc:A%d}-${domain}%0400d", i, i, i);
        struct str out;
        assert_int_equal(vm_expand(f->vm, text, &out), VM_OK);
        vm_release(f->vm, mark);
        arena_clear(a);
    }
    arena_free(a);
    fixture_check(f, "${lc:ABC}", "abc");
}

static void
conditions_are_compiled_alone(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(vm_condition(f->vm, STR_LIT("eq{$domain}{example.org}")), VM_OK);
    assert_int_equal(vm_condition(f->vm, STR_LIT(" ! eq {a} {a} ")), VM_NO);
    assert_int_equal(vm_condition(f->vm, STR_LIT("eq{a}{a}{b}")), VM_ERROR);
}

static void
many_captures_are_cut(void **state)
{
    struct fixture *f = *state;
    struct str caps[VM_CAPS + 5];
    const struct str *got;
    for (unsigned i = 0; i < VM_CAPS + 5; i++)
        caps[i] = STR_LIT("c");
    vm_set_captures(f->vm, caps, VM_CAPS + 5);
    assert_int_equal(vm_captures(f->vm, &got), VM_CAPS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_are_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(memory_is_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(depth_is_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(value_and_runrc_outlive_a_release, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(
            an_evaluation_that_fails_leaves_the_state_of_the_outer_one, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(the_cache_is_bounded, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(conditions_are_compiled_alone, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(many_captures_are_cut, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("filter_vm", tests, NULL, NULL);
}
