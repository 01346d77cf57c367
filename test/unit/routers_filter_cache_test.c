/* Unit tests of routers/filter_cache.c: the same text is compiled once. */
#include "routers/filter_cache.h"

#include "base/arena.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct filter_program *
compile(struct filter_cache *c, struct vm *vm, const char *name, const char *text,
        unsigned flags)
{
    return filter_cache_compile(c, vm, str_from_cstr(name), str_from_cstr(text), flags);
}

static void
test_once(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    struct filter_cache *c = filter_cache_new(a);
    const struct filter_program *p = compile(c, w.vm, "f", "# Exim filter\nfinish\n", 0);
    assert_ptr_equal(compile(c, w.vm, "f", "# Exim filter\nfinish\n", 0), p);
    assert_int_equal(filter_cache_compiled(c), 1);
    assert_ptr_not_equal(compile(c, w.vm, "g", "# Exim filter\nfinish\n", 0), p);
    assert_ptr_not_equal(compile(c, w.vm, "f", "# Exim filter\nfinish\n", FILTER_SYSTEM), p);
    assert_ptr_not_equal(compile(c, w.vm, "f", "# Exim filter\nfinisH\n", 0), p);
    assert_int_equal(filter_cache_compiled(c), 4);
    arena_free(a);
}

static void
test_error_is_kept(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    struct filter_cache *c = filter_cache_new(a);
    const struct filter_program *p = compile(c, w.vm, "f", "# Exim filter\nnonsense\n", 0);
    assert_true(str_is_set(filter_syntax_error(p)));
    assert_ptr_equal(compile(c, w.vm, "f", "# Exim filter\nnonsense\n", 0), p);
    arena_free(a);
}

/* Full, it is emptied and goes on. */
static void
test_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    struct filter_cache *c = filter_cache_new(a);
    for (int i = 0; i < FILTER_CACHE_MAX; i++)
        (void)compile(c, w.vm, str_printf(a, "f%d", i).p, "# Exim filter\nfinish\n", 0);
    (void)compile(c, w.vm, "f0", "# Exim filter\nfinish\n", 0);
    assert_int_equal(filter_cache_compiled(c), FILTER_CACHE_MAX);
    (void)compile(c, w.vm, "more", "# Exim filter\nfinish\n", 0);
    (void)compile(c, w.vm, "f0", "# Exim filter\nfinish\n", 0);
    assert_int_equal(filter_cache_compiled(c), FILTER_CACHE_MAX + 2);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_error_is_kept),
        cmocka_unit_test(test_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
