/* smtp_ratelimit_mail and its kind: four values, and the delays that they give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/smtp_pace.h"

static void
test_values(void **state)
{
    struct smtp_pace p;
    (void)state;
    assert_true(smtp_pace_parse(STR_LIT("2,0.5s,1.05,4m"), &p));
    assert_int_equal(p.threshold, 2);
    assert_int_equal(p.delay_ms, 500);
    assert_int_equal(p.factor, 1050);
    assert_int_equal(p.max_ms, 240000);
    assert_false(smtp_pace_parse(STR_LIT("2,0.5s,1.05"), &p));
    assert_false(smtp_pace_parse(STR_LIT("2,0.5s,1.05,4m,1"), &p));
    assert_false(smtp_pace_parse(STR_LIT("x,0.5s,1.05,4m"), &p));
    assert_false(smtp_pace_parse(STR_LIT(""), &p));
}

static void
test_delays(void **state)
{
    const struct smtp_pace p = {
        .threshold = 1, .delay_ms = 500, .factor = 2000, .max_ms = 1500};
    (void)state;
    assert_int_equal(smtp_pace_next(&p, 0), 500);
    assert_int_equal(smtp_pace_next(&p, 500), 1000);
    assert_int_equal(smtp_pace_next(&p, 1000), 1500);
    assert_int_equal(smtp_pace_next(&p, 1500), 1500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_delays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
