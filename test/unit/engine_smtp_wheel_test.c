/* Deadlines of connections at rest: order, removal, turns of the wheel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/smtp_wheel.h"

enum { START = 5000000 };

static void
test_expires_at_its_time(void **state)
{
    struct smtp_wheel w;
    struct smtp_wheel_entry a = {.deadline_ms = 0}, b = {.deadline_ms = 0};
    (void)state;
    smtp_wheel_init(&w, START);
    smtp_wheel_add(&w, &a, START + 3000);
    smtp_wheel_add(&w, &b, START + 1500);
    assert_int_equal(w.n, 2);
    assert_null(smtp_wheel_expired(&w, START + 1000));
    assert_ptr_equal(smtp_wheel_expired(&w, START + 2999), &b);
    assert_null(smtp_wheel_expired(&w, START + 2999));
    assert_ptr_equal(smtp_wheel_expired(&w, START + 5000), &a);
    assert_int_equal(w.n, 0);
}

static void
test_removed_does_not_expire(void **state)
{
    struct smtp_wheel w;
    struct smtp_wheel_entry a = {.deadline_ms = 0};
    (void)state;
    smtp_wheel_init(&w, START);
    smtp_wheel_add(&w, &a, START + 10);
    smtp_wheel_remove(&w, &a);
    smtp_wheel_remove(&w, &a); /* it is on none */
    assert_null(smtp_wheel_expired(&w, START + 100000));
}

static void
test_no_deadline_never_expires(void **state)
{
    struct smtp_wheel w;
    struct smtp_wheel_entry a = {.deadline_ms = 0};
    (void)state;
    smtp_wheel_init(&w, START);
    smtp_wheel_add(&w, &a, 0);
    assert_null(smtp_wheel_expired(&w, START + 100000000));
    assert_ptr_equal(smtp_wheel_any(&w), &a);
    assert_null(smtp_wheel_any(&w));
}

/* More than a turn ahead, exactly one turn, and one less. */
static void
test_beyond_one_turn(void **state)
{
    struct smtp_wheel w;
    struct smtp_wheel_entry e[3] = {{.deadline_ms = 0}};
    (void)state;
    smtp_wheel_init(&w, START);
    for (int i = 0; i < 3; i++)
        smtp_wheel_add(&w, &e[i], START + (SMTP_WHEEL_SLOTS - 1 + i) * INT64_C(1000));
    for (int64_t s = 0; s < SMTP_WHEEL_SLOTS - 1; s++)
        assert_null(smtp_wheel_expired(&w, START + s * 1000));
    for (int i = 0; i < 3; i++) {
        int64_t now = START + (SMTP_WHEEL_SLOTS + i) * INT64_C(1000);
        assert_ptr_equal(smtp_wheel_expired(&w, now), &e[i]);
        assert_null(smtp_wheel_expired(&w, now));
    }
}

/* A clock that has jumped (a machine that slept) does not leave anything behind. */
static void
test_long_pause(void **state)
{
    struct smtp_wheel w;
    struct smtp_wheel_entry e[2] = {{.deadline_ms = 0}};
    (void)state;
    smtp_wheel_init(&w, START);
    smtp_wheel_add(&w, &e[0], START + 1000);
    smtp_wheel_add(&w, &e[1], START + 700 * 1000);
    int64_t now = START + INT64_C(10000) * 1000;
    assert_non_null(smtp_wheel_expired(&w, now));
    assert_non_null(smtp_wheel_expired(&w, now));
    assert_int_equal(w.n, 0);
    smtp_wheel_add(&w, &e[0], now - 5000); /* it is over already */
    assert_ptr_equal(smtp_wheel_expired(&w, now + 1000), &e[0]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expires_at_its_time),
        cmocka_unit_test(test_removed_does_not_expire),
        cmocka_unit_test(test_no_deadline_never_expires),
        cmocka_unit_test(test_beyond_one_turn),
        cmocka_unit_test(test_long_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
