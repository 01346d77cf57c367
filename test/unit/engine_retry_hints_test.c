/* Retry records as they are in the store, and the intervals of rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/retry_hints.h"

#include "base/arena.h"
#include "engine/retry.h"

#include <string.h>

/* The fixed part as retry_hints.c writes it. */
struct stored {
    int64_t first_failed, last_try, next_try;
    int32_t number, detail;
    uint32_t expired;
    uint32_t text_n;
};

static struct str
value_of(struct arena *a, struct stored s, const char *text)
{
    return str_cat(a, str_from((const char *)&s, sizeof s), str_from_cstr(text));
}

static void
test_record(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct retry_record r;
    struct stored s = {.first_failed = 10,
                       .last_try = 20,
                       .next_try = 30,
                       .number = -44,
                       .detail = 7,
                       .expired = 1,
                       .text_n = 4};
    assert_true(retry_record_read(value_of(a, s, "text"), &r));
    assert_int_equal(r.first_failed, 10);
    assert_int_equal(r.last_try, 20);
    assert_int_equal(r.next_try, 30);
    assert_int_equal(r.number, -44);
    assert_int_equal(r.detail, 7);
    assert_true(r.expired);
    assert_true(str_eqz(r.text, "text"));
    arena_free(a);
}

static void
test_bad_records(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct retry_record r;
    struct stored s = {.first_failed = 10, .last_try = 20, .text_n = 4};
    struct str good = value_of(a, s, "text");
    for (size_t n = 0; n < good.n; n++)
        assert_false(retry_record_read(str_sub(good, 0, n), &r));
    assert_false(retry_record_read(value_of(a, s, "text."), &r));
    s.text_n = UINT32_MAX;
    assert_false(retry_record_read(value_of(a, s, "text"), &r));
    s.text_n = 4;
    s.first_failed = 21; /* later than the last try */
    assert_false(retry_record_read(value_of(a, s, "text"), &r));
    arena_free(a);
}

static void
test_intervals(void **state)
{
    (void)state;
    const struct retry_step f = {.letter = 'F', .interval_s = 900},
                            g = {.letter = 'G', .interval_s = 600, .factor = 1500},
                            h = {.letter = 'H', .interval_s = 600, .factor = 2000};
    assert_int_equal(retry_interval(&f, 0, 86400), 900);
    assert_int_equal(retry_interval(&f, 50, 86400), 900);
    assert_int_equal(retry_interval(&f, 0, 60), 60); /* retry_interval_max */
    assert_int_equal(retry_interval(&g, 0, 86400), 600);
    assert_int_equal(retry_interval(&g, 600, 86400), 900);
    assert_int_equal(retry_interval(&g, 80000, 86400), 86400);
    assert_int_equal(retry_interval(&g, INT64_MAX / 2, 86400), 86400);
    for (int i = 0; i < 100; i++) {
        int64_t got = retry_interval(&h, 1000, 86400);
        assert_true(got >= 600 && got <= 2000);
    }
}

static void
test_interval_before(void **state)
{
    const struct retry_record r = {.last_try = 1000, .next_try = 1600};
    (void)state;
    assert_int_equal(retry_interval_before(&r, 1600), 600);
    assert_int_equal(retry_interval_before(&r, 9000), 600);
    assert_int_equal(retry_interval_before(&r, 1599), 599); /* a forced delivery */
    assert_int_equal(retry_interval_before(&r, 1000), 0);
}

/* "F,1m,10s; F,2m,20s": the last second of a cutoff time is part of it. */
static void
test_steps(void **state)
{
    static const struct {
        int64_t failing_s, interval_s;
        bool expired;
    } rows[] = {{0, 10, false},  {59, 10, false},  {60, 10, false},
                {61, 20, false}, {120, 20, false}, {121, 20, true}};
    struct arena *a = arena_new();
    struct retry_rule rule = {.senders = STR_NULL};
    bool expired;
    (void)state;
    assert_null(retry_step_at(&rule, 0, &expired));
    assert_true(expired);
    vec_push(a, &rule.steps, ((struct retry_step){'F', .cutoff_s = 60, .interval_s = 10}));
    vec_push(a, &rule.steps, ((struct retry_step){'F', .cutoff_s = 120, .interval_s = 20}));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(retry_step_at(&rule, rows[i].failing_s, &expired)->interval_s,
                         rows[i].interval_s);
        assert_int_equal(expired, rows[i].expired);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_bad_records),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_interval_before),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
