/* Random numbers: bounds. */
#include "sys/entropy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
bounds(void **state)
{
    (void)state;
    unsigned seen = 0;
    assert_int_equal(entropy_below(0), 0);
    assert_int_equal(entropy_below(1), 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t n = entropy_below(5);
        assert_true(n < 5);
        seen |= 1u << n;
    }
    assert_int_equal(seen, 31);
}

static void
filling(void **state)
{
    (void)state;
    unsigned char a[300] = {0};
    unsigned char zero[300] = {0};
    entropy_fill(a, sizeof a);
    assert_memory_not_equal(a, zero, sizeof a);
    assert_memory_not_equal(a + 256, zero, 44);
    entropy_fill(a, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds),
        cmocka_unit_test(filling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
