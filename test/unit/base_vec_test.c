/* Unit tests of base/vec.c. */
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct pair {
    int64_t a;
    char b;
};

static void
an_empty_one_has_no_memory(void **state)
{
    (void)state;
    VEC(int) v = {NULL, 0, 0};
    assert_null(v.v);
    assert_int_equal(v.n, 0);
}

static void
items_stay_in_order_while_it_grows(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    VEC(struct pair) v = {NULL, 0, 0};
    for (int i = 0; i < 1000; i++) {
        struct pair p = {i, (char)(i % 100)};
        vec_push(a, &v, p);
        (void)arena_alloc(a, 1); /* forces copies */
    }
    assert_int_equal(v.n, 1000);
    assert_true(v.cap >= 1000 && v.cap < 2048);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(v.v[i].a, i);
        assert_int_equal(v.v[i].b, i % 100);
    }
    arena_free(a);
}

static void
two_vectors_in_one_arena(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    VEC(int) x = {NULL, 0, 0};
    VEC(const char *) y = {NULL, 0, 0};
    for (int i = 0; i < 100; i++) {
        vec_push(a, &x, i);
        vec_push(a, &y, "text");
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(x.v[i], i);
        assert_string_equal(y.v[i], "text");
    }
    arena_free(a);
}

static void
room_grows_only_when_full(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    void *p = NULL;
    assert_int_equal(vec_room(a, &p, 0, 0, 8), 4);
    void *q = p;
    assert_int_equal(vec_room(a, &p, 3, 4, 8), 4);
    assert_ptr_equal(p, q);
    assert_int_equal(vec_room(a, &p, 4, 4, 8), 8);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_no_memory),
        cmocka_unit_test(items_stay_in_order_while_it_grows),
        cmocka_unit_test(two_vectors_in_one_arena),
        cmocka_unit_test(room_grows_only_when_full),
    };
    return cmocka_run_group_tests_name("base_vec", tests, NULL, NULL);
}
