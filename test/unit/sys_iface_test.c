/* Unit tests of sys/iface.c. */
#include "sys/iface.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
loopback_is_there_once(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct iface_addresses all;
    assert_true(iface_list(a, &all));
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    size_t seen = 0;
    for (size_t i = 0; i < all.n; i++) {
        assert_true(all.v[i].n == 4 || all.v[i].n == 16);
        seen += all.v[i].n == 4 && memcmp(all.v[i].b, loopback, 4) == 0;
    }
    assert_int_equal(seen, 1);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loopback_is_there_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
