/* Unit tests of base/arena.c. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct trace {
    char seen[16];
    size_t n;
};

struct note {
    struct trace *trace;
    char letter;
};

static void
leave_letter(void *ctx)
{
    const struct note *n = ctx;
    n->trace->seen[n->trace->n++] = n->letter;
}

static void
allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *last = NULL;
    for (size_t n = 0; n < 200; n++) {
        char *p = arena_alloc(a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        assert_ptr_not_equal(p, last);
        memset(p, (int)n, n);
        last = p;
    }
    arena_free(a);
}

static void
zalloc_zeroes_reused_memory(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct arena_mark m = arena_mark(a);
    memset(arena_alloc(a, 1000), 0xff, 1000);
    arena_reset(a, m);
    const char *p = arena_zalloc(a, 10, 100);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    arena_free(a);
}

static void
big_blocks_keep_their_content(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    unsigned char *small = arena_alloc(a, 16);
    memset(small, 1, 16);
    unsigned char *big = arena_alloc(a, 3u * 1024 * 1024);
    memset(big, 2, 3u * 1024 * 1024);
    unsigned char *after = arena_alloc(a, 16);
    memset(after, 3, 16);
    assert_int_equal(small[15], 1);
    assert_int_equal(big[3u * 1024 * 1024 - 1], 2);
    assert_int_equal(after[0], 3);
    arena_free(a);
}

static void
grow_in_place_and_by_copy(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *p = arena_alloc(a, 16);
    memcpy(p, "0123456789abcde", 16);
    assert_ptr_equal(arena_grow(a, p, 16, 64), p);
    (void)arena_alloc(a, 1);
    char *q = arena_grow(a, p, 64, 128);
    assert_ptr_not_equal(q, p);
    assert_string_equal(q, "0123456789abcde");
    /* Beyond the block: a copy. */
    char *r = arena_grow(a, q, 128, 100000);
    assert_string_equal(r, "0123456789abcde");
    assert_non_null(arena_grow(a, NULL, 0, 8));
    arena_free(a);
}

static void
mark_and_reset_give_memory_back(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *keep = arena_alloc(a, 32);
    memcpy(keep, "kept", 5);
    size_t before = arena_used(a);
    struct arena_mark m = arena_mark(a);
    char *first = arena_alloc(a, 100);
    for (int i = 0; i < 50; i++)
        (void)arena_alloc(a, 10000);
    assert_true(arena_used(a) > before + 500000);
    arena_reset(a, m);
    assert_int_equal(arena_used(a), before);
    assert_string_equal(keep, "kept");
    assert_ptr_equal(arena_alloc(a, 100), first);
    arena_free(a);
}

static void
nested_marks(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct arena_mark outer = arena_mark(a);
    (void)arena_alloc(a, 5000);
    size_t inner_used = arena_used(a);
    struct arena_mark inner = arena_mark(a);
    (void)arena_alloc(a, 50000);
    arena_reset(a, inner);
    assert_int_equal(arena_used(a), inner_used);
    arena_reset(a, outer);
    assert_int_equal(arena_used(a), 0);
    arena_reset(a, outer);
    assert_int_equal(arena_used(a), 0);
    arena_free(a);
}

static void
clean_ups_run_newest_first_and_once(void **state)
{
    (void)state;
    struct trace t = {.n = 0};
    struct note a1 = {&t, 'a'};
    struct note b1 = {&t, 'b'};
    struct note c1 = {&t, 'c'};
    struct arena *a = arena_new();
    arena_on_free(a, leave_letter, &a1);
    struct arena_mark m = arena_mark(a);
    arena_on_free(a, leave_letter, &b1);
    arena_on_free(a, leave_letter, &c1);
    arena_reset(a, m);
    assert_int_equal(t.n, 2);
    assert_memory_equal(t.seen, "cb", 2);
    arena_clear(a);
    assert_memory_equal(t.seen, "cba", 3);
    arena_free(a);
    assert_int_equal(t.n, 3);
}

static void
clear_leaves_a_usable_arena(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *first = arena_alloc(a, 64);
    (void)arena_alloc(a, 1000000);
    arena_clear(a);
    assert_int_equal(arena_used(a), 0);
    assert_ptr_equal(arena_alloc(a, 64), first);
    arena_free(a);
    arena_free(NULL);
}

/* What does not fit in size_t, or cannot be had, ends the process with EX_TEMPFAIL. */
static int
status_of_child(void (*fn)(struct arena *a))
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(STDERR_FILENO);
        fn(arena_new());
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
ask_for_a_product_that_overflows(struct arena *a)
{
    (void)arena_zalloc(a, SIZE_MAX / 2, 3);
}

static void
ask_for_everything(struct arena *a)
{
    volatile size_t n = SIZE_MAX; /* unknown to the compiler, which would warn */
    (void)arena_alloc(a, n - 1);
}

static void
out_of_memory_is_a_temporary_failure(void **state)
{
    (void)state;
    assert_int_equal(status_of_child(ask_for_a_product_that_overflows), 75);
    assert_int_equal(status_of_child(ask_for_everything), 75);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(zalloc_zeroes_reused_memory),
        cmocka_unit_test(big_blocks_keep_their_content),
        cmocka_unit_test(grow_in_place_and_by_copy),
        cmocka_unit_test(mark_and_reset_give_memory_back),
        cmocka_unit_test(nested_marks),
        cmocka_unit_test(clean_ups_run_newest_first_and_once),
        cmocka_unit_test(clear_leaves_a_usable_arena),
        cmocka_unit_test(out_of_memory_is_a_temporary_failure),
    };
    return cmocka_run_group_tests_name("base_arena", tests, NULL, NULL);
}
