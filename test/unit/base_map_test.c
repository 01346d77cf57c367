/* Unit tests of base/map.c. */
#include "base/map.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

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
an_empty_map_answers(void **state)
{
    struct map *m = map_new(*state, MAP_CASEFUL);
    assert_int_equal(map_count(m), 0);
    assert_null(map_get(m, STR_LIT("x")));
    assert_false(map_has(m, STR_LIT("x")));
    assert_false(map_has(m, STR_NULL));
}

static void
set_adds_and_replaces(void **state)
{
    int one = 1;
    int two = 2;
    struct map *m = map_new(*state, MAP_CASEFUL);
    map_set(m, STR_LIT("k"), &one);
    assert_ptr_equal(map_get(m, STR_LIT("k")), &one);
    map_set(m, STR_LIT("k"), &two);
    assert_ptr_equal(map_get(m, STR_LIT("k")), &two);
    assert_int_equal(map_count(m), 1);
    /* A key whose value is NULL is there all the same. */
    map_set(m, STR_LIT("none"), NULL);
    assert_null(map_get(m, STR_LIT("none")));
    assert_true(map_has(m, STR_LIT("none")));
}

/* Looking and adding in two steps, with one hash. */
static void
hash_is_taken_once(void **state)
{
    int v = 0;
    struct map *m = map_new(*state, MAP_CASELESS);
    uint32_t hash = map_hash(m, STR_LIT("Key"));
    assert_int_equal(hash, map_hash(m, STR_LIT("kEY")));
    assert_null(map_get_hashed(m, STR_LIT("Key"), hash));
    map_add_hashed(m, STR_LIT("Key"), hash, &v);
    assert_ptr_equal(map_get_hashed(m, STR_LIT("kEY"), hash), &v);
    assert_ptr_equal(map_get(m, STR_LIT("key")), &v);
    assert_int_equal(map_count(m), 1);
}

static void
case_matters_or_not(void **state)
{
    int v = 0;
    struct map *m = map_new(*state, MAP_CASEFUL);
    map_set(m, STR_LIT("Key"), &v);
    assert_false(map_has(m, STR_LIT("key")));
    struct map *f = map_new(*state, MAP_CASELESS);
    map_set(f, STR_LIT("Key"), &v);
    assert_ptr_equal(map_get(f, STR_LIT("kEY")), &v);
    map_set(f, STR_LIT("KEY"), NULL);
    assert_int_equal(map_count(f), 1);
    /* The first spelling stays. */
    assert_true(str_eqz(map_at(f, 0)->key, "Key"));
}

static void
keys_may_hold_nul_or_be_empty(void **state)
{
    int a = 0;
    int b = 0;
    int c = 0;
    struct map *m = map_new(*state, MAP_CASEFUL);
    map_set(m, STR_LIT("x\0a"), &a);
    map_set(m, STR_LIT("x\0b"), &b);
    map_set(m, STR_EMPTY, &c);
    assert_ptr_equal(map_get(m, STR_LIT("x\0a")), &a);
    assert_ptr_equal(map_get(m, STR_LIT("x\0b")), &b);
    assert_ptr_equal(map_get(m, STR_NULL), &c);
    assert_false(map_has(m, STR_LIT("x")));
}

/* Each size at which the index doubles, one before and one after. */
static void
growth_keeps_every_entry_and_the_order(void **state)
{
    enum { COUNT = 5000 };
    struct map *m = map_new(*state, MAP_CASELESS);
    for (unsigned i = 0; i < COUNT; i++) {
        map_set(m, str_printf(*state, "Key-%u", i), map_new(*state, MAP_CASEFUL));
        assert_int_equal(map_count(m), i + 1);
        assert_true(map_has(m, str_printf(*state, "kEY-%u", i)));
        assert_true(map_has(m, STR_LIT("key-0")));
        assert_false(map_has(m, str_printf(*state, "key-%u", i + 1)));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        const struct map_entry *e = map_at(m, i);
        assert_true(str_eq(e->key, str_printf(*state, "Key-%u", i)));
        assert_ptr_equal(map_get(m, e->key), e->value);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_map_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(set_adds_and_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(hash_is_taken_once, setup, teardown),
        cmocka_unit_test_setup_teardown(case_matters_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_may_hold_nul_or_be_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(growth_keeps_every_entry_and_the_order, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("base_map", tests, NULL, NULL);
}
