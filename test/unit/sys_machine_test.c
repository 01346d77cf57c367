/* Figures about the machine: plausible where there are any, -1 where there are none. */
#include "sys/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/statvfs.h>

static void
test_space(void **state)
{
    (void)state;
    struct machine_free f = machine_free_at("/tmp");
    struct statvfs s;
    assert_int_equal(statvfs("/tmp", &s), 0);
    assert_true(f.kib >= 0);
    assert_true(f.kib <= (int64_t)(s.f_blocks * (s.f_frsize / 512)));
    assert_true(f.inodes >= -1);
    f = machine_free_at("/nonexistent/path");
    assert_int_equal(f.kib, -1);
    assert_int_equal(f.inodes, -1);
}

static void
test_load(void **state)
{
    (void)state;
    int64_t load = machine_load_average();
    assert_true(load >= -1);
    assert_true(load < 10000 * 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_space),
        cmocka_unit_test(test_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
