/* Unit tests of conf/list_cache.c. */
#include "conf_list_fixture.h"

static const char *
long_list(struct fixture *f, size_t n, const char *odd)
{
    struct buf b = buf_in(f->arena, 0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s%zu.example", i == 0 ? "" : " : ", i == n / 2 + 1 ? odd : "d", i);
    return str_cstr(f->arena, buf_str(&b));
}

static void
texts_that_look_alike_are_told_apart(void **state)
{
    struct fixture *f = *state;
    const char *a = long_list(f, 2000, "x"), *b = long_list(f, 2000, "y");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(ask(f, LIST_DOMAIN, "x1001.example", a),
                            "yes<x1001.example><x1001.example><>");
        assert_string_equal(ask(f, LIST_DOMAIN, "x1001.example", b), "no");
        assert_string_equal(ask(f, LIST_DOMAIN, "y1001.example", b),
                            "yes<y1001.example><y1001.example><>");
        assert_string_equal(ask(f, LIST_DOMAIN, "y1001.example", a), "no");
    }
}

static void
a_second_match_compiles_nothing(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "big", long_list(f, 10000, "d"));
    (void)ask(f, LIST_DOMAIN, "d9999.example", "+big");
    size_t used = arena_used(f->eval.lists->arena);
    struct arena_mark m = arena_mark(vm_scratch(f->vm));
    size_t before = arena_used(vm_scratch(f->vm));
    struct list_question q = {
        .kind = LIST_DOMAIN, .subject = STR_LIT("d9999.example"), .list = STR_LIT("+big")};
    struct list_answer a;
    assert_int_equal(list_match(&f->eval, f->vm, &q, &a), OUT_OK);
    assert_in_range(arena_used(vm_scratch(f->vm)) - before, 1, 256);
    assert_int_equal(arena_used(f->eval.lists->arena), used);
    arena_reset(vm_scratch(f->vm), m);
}

static void
fixed_texts_go_by_their_address(void **state)
{
    struct fixture *f = *state;
    struct list_question q = {.kind = LIST_DOMAIN,
                              .subject = STR_LIT("b"),
                              .list = STR_LIT("a : b"),
                              .fixed_text = true};
    assert_string_equal(ask_question(f, &q), "yes<b><b><>");
    assert_string_equal(ask_question(f, &q), "yes<b><b><>");
    q.kind = LIST_HOST;
    assert_string_equal(ask_question(f, &q), "no");
}

static void
a_full_cache_starts_afresh(void **state)
{
    struct fixture *f = *state;
    const char *big = long_list(f, 20000, "d");
    size_t most = 0;
    char list[32];
    for (int i = 0; i < 40; i++) {
        snprintf(list, sizeof list, "n%d : ", i);
        struct str text = str_cat(f->arena, str_from_cstr(list), str_from_cstr(big));
        struct list_question q = {
            .kind = LIST_DOMAIN, .subject = STR_LIT("d19999.example"), .list = text};
        assert_string_equal(ask_question(f, &q), "yes<d19999.example><d19999.example><>");
        if (arena_used(f->eval.lists->arena) > most)
            most = arena_used(f->eval.lists->arena);
    }
    assert_in_range(most, LIST_CACHE_MAX / 2, LIST_CACHE_MAX + 8 * 1024 * 1024);
}

static void
another_configuration_empties_the_cache(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "n", "a");
    assert_string_equal(ask(f, LIST_DOMAIN, "a", "+n"), "yes<a><a><>");
    struct conf *other = ARENA_NEW(f->arena, struct conf);
    f->eval.conf = other;
    assert_string_equal(ask(f, LIST_DOMAIN, "a", "+n"),
                        "defer: unknown named domain list \"+n\"");
    f->eval.conf = f->conf;
    assert_string_equal(ask(f, LIST_DOMAIN, "a", "+n"), "yes<a><a><>");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts_that_look_alike_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_match_compiles_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_texts_go_by_their_address, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_cache_starts_afresh, setup, teardown),
        cmocka_unit_test_setup_teardown(another_configuration_empties_the_cache, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
