/* The words of log_selector: the inventory, and settings right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_compat_fixture.h"
#include "sys/log_selector.h"

static void
test_inventory(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct compat_file f;
    if (!compat_open(&f, a, "log.tsv")) {
        arena_free(a);
        skip();
    }
    struct compat_row row;
    unsigned n = 0;
    while (compat_next(&f, &row)) {
        struct str name = compat_get(&f, &row, "name");
        if (!str_eqz(compat_get(&f, &row, "kind"), "log_selector") || str_eqz(name, "all") ||
            str_eqz(name, "rejected_headers"))
            continue;
        n += n == LOG_SELECTOR_POSSIBLE_REPEAT; /* our own */
        assert_true(n < LOG_SELECTORS);
        const struct log_selector_row *r = log_selector_row((enum log_selector)n);
        assert_true(str_eq(r->name, name));
        assert_int_equal(r->on, str_starts(compat_get(&f, &row, "default"), "on"));
        n++;
    }
    assert_int_equal(n, LOG_SELECTORS);
    arena_free(a);
}

static void
test_apply(void **state)
{
    (void)state;
    const char *error;
    struct str wrong;
    uint64_t bits = log_selector_default();
    assert_true(log_selector_has(bits, LOG_SELECTOR_QUEUE_RUN));
    assert_false(log_selector_has(bits, LOG_SELECTOR_PID));
    assert_true(
        log_selector_apply(STR_LIT(" +pid-queue_run +subject "), &bits, &error, &wrong));
    assert_true(log_selector_has(bits, LOG_SELECTOR_PID));
    assert_true(log_selector_has(bits, LOG_SELECTOR_SUBJECT));
    assert_false(log_selector_has(bits, LOG_SELECTOR_QUEUE_RUN));
    assert_true(log_selector_apply(STR_LIT("-all +rejected_headers"), &bits, &error, &wrong));
    assert_true(bits == UINT64_C(1) << LOG_SELECTOR_REJECTED_HEADER);
    assert_true(log_selector_apply(STR_LIT("+all -8bitmime"), &bits, &error, &wrong));
    assert_false(log_selector_has(bits, LOG_SELECTOR_8BITMIME));
    assert_true(log_selector_apply(STR_EMPTY, &bits, &error, &wrong));
    assert_true(log_selector_apply(STR_LIT("=12"), &bits, &error, &wrong));
}

static void
test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *error, *wrong;
    } faults[] = {
        {"+all -foo", "unknown log_selector setting:", "-foo"},
        {"+pid -", "unknown log_selector setting:", "-"},
        {"+ pid", "unknown log_selector setting:", "+"},
        {"+PID", "unknown log_selector setting:", "+PID"},
        {"pid", "malformed log_selector setting: + or - expected but found", "pid"},
        {"+pid:+subject", "malformed log_selector setting: + or - expected but found",
         ":+subject"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const char *error = "";
        struct str wrong = STR_NULL;
        uint64_t bits = 5;
        assert_false(
            log_selector_apply(str_from_cstr(faults[i].setting), &bits, &error, &wrong));
        assert_string_equal(error, faults[i].error);
        assert_true(str_eqz(wrong, faults[i].wrong));
        assert_int_equal(bits, 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inventory),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
