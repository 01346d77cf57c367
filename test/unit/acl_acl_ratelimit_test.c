/* The arithmetic of rate limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acl/acl_ratelimit.h"

#include <math.h>

static void
test_bursts_add_up(void **state)
{
    double rate = 1;
    (void)state;
    for (int i = 2; i <= 10; i++) {
        rate = acl_ratelimit_next(rate, 0, 3600, 1);
        assert_true(rate == (double)i);
    }
}

/* Whoever sends evenly is measured at that rate. */
static void
test_even_rates_are_found(void **state)
{
    double rate = 1;
    (void)state;
    for (int i = 0; i < 1000; i++)
        rate = acl_ratelimit_next(rate, 60, 3600, 1);
    assert_true(fabs(rate - 60) < 1);
}

static void
test_rates_are_forgotten(void **state)
{
    (void)state;
    double rate = acl_ratelimit_next(1000, 10 * 3600, 3600, 1);
    assert_true(rate < 1);
    assert_true(rate > 0);
}

/* A clock that was set back must not give nonsense. */
static void
test_time_runs_backwards(void **state)
{
    (void)state;
    assert_true(acl_ratelimit_next(5, -100, 3600, 1) == 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bursts_add_up),
        cmocka_unit_test(test_even_rates_are_found),
        cmocka_unit_test(test_rates_are_forgotten),
        cmocka_unit_test(test_time_runs_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
