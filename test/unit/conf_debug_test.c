/* The selector of -d: names, signs, numbers, and what is unknown. */
#include "conf/debug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_names(void **state)
{
    (void)state;
    uint64_t s = 0;
    struct str bad;
    assert_true(debug_select(STR_LIT("+lookup+lists"), &s, &bad));
    assert_int_equal(s, DEBUG_BIT(DEBUG_LOOKUP) | DEBUG_BIT(DEBUG_LISTS));
    assert_true(debug_select(STR_LIT("-lookup +pid"), &s, &bad));
    assert_int_equal(s, DEBUG_BIT(DEBUG_PID) | DEBUG_BIT(DEBUG_LISTS));
    assert_true(debug_select(STR_LIT("-all"), &s, &bad));
    assert_int_equal(s, 0);
    assert_true(debug_select(STR_LIT("+all"), &s, &bad));
    assert_int_equal(s, DEBUG_BIT(DEBUG_BITS) - 1);
    assert_true(debug_select(STR_LIT("=0x3"), &s, &bad));
    assert_int_equal(s, 3);
    assert_true(debug_select(STR_LIT(""), &s, &bad));
    assert_int_equal(s, 3);
}

static void
test_unknown(void **state)
{
    (void)state;
    uint64_t s = 0;
    struct str bad = STR_NULL;
    assert_false(debug_select(STR_LIT("+lookup+nonsense-acl"), &s, &bad));
    assert_true(str_eqz(bad, "+nonsense"));
    assert_false(debug_select(STR_LIT("lookup"), &s, &bad));
    assert_true(str_eqz(bad, "lookup"));
    assert_false(debug_select(STR_LIT("+"), &s, &bad));
}

static void
test_default(void **state)
{
    (void)state;
    uint64_t s = debug_default();
    assert_true((s & DEBUG_BIT(DEBUG_LOOKUP)) != 0);
    assert_true((s & DEBUG_BIT(DEBUG_LISTS)) != 0);
    assert_false((s & DEBUG_BIT(DEBUG_MEMORY)) != 0);
    assert_false((s & DEBUG_BIT(DEBUG_EXPAND)) != 0);
    assert_false((s & DEBUG_BIT(DEBUG_TIMESTAMP)) != 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
