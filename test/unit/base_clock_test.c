/* Unit tests of base/clock.c. */
#include "base/clock.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
assert_form(struct clock *c, enum clock_form form, const char *want)
{
    char text[CLOCK_TEXT_MAX];
    struct timespec t = {.tv_sec = 813949949, .tv_nsec = 123456789};
    assert_int_equal(clock_format(c, form, t, text), strlen(want));
    assert_string_equal(text, want);
}

static void
every_form_in_utc(void **state)
{
    struct clock c = {.utc = true};
    (void)state;
    assert_form(&c, CLOCK_FULL, "Tue, 17 Oct 1995 17:12:29 +0000");
    assert_form(&c, CLOCK_LOG, "1995-10-17 17:12:29");
    assert_form(&c, CLOCK_LOG_MS, "1995-10-17 17:12:29.123");
    assert_form(&c, CLOCK_LOGFILE, "19951017");
    assert_form(&c, CLOCK_MONTH, "199510");
    assert_form(&c, CLOCK_ZONE, "+0000");
    assert_form(&c, CLOCK_ZULU, "19951017171229Z");
    assert_form(&c, CLOCK_BSDINBOX, "Tue Oct 17 17:12:29 1995");
    assert_form(&c, CLOCK_EPOCH, "813949949");
    assert_form(&c, CLOCK_EPOCH_L, "813949949123456");
}

/* A text is used again in its second, and only there. */
static void
text_is_remembered_for_a_second(void **state)
{
    static const struct {
        time_t s;
        const char *want;
    } rows[] = {{813949949, "1995-10-17 17:12:29"},
                {813949949, "1995-10-17 17:12:29"},
                {813949950, "1995-10-17 17:12:30"},
                {813949949, "1995-10-17 17:12:29"},
                {0, "1970-01-01 00:00:00"}};
    struct clock c = {.utc = true};
    char text[CLOCK_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(
            clock_format(&c, CLOCK_LOG, (struct timespec){.tv_sec = rows[i].s}, text), 19);
        assert_string_equal(text, rows[i].want);
    }
}

static void
zone_is_remembered_for_a_quarter_of_an_hour(void **state)
{
    struct clock c = {0};
    (void)state;
    setenv("TZ", "XST3:30XDT,M4.1.0,M10.5.0", 1);
    tzset();
    assert_form(&c, CLOCK_FULL, "Tue, 17 Oct 1995 14:42:29 -0230");
    assert_form(&c, CLOCK_ZONE, "-0230");
    c.offset_s = 3600;
    assert_int_equal(clock_offset(&c, 813949949 + 1), 3600);
    assert_int_equal(clock_offset(&c, 813949949 + 900), -9000);
    assert_int_equal(clock_offset(&c, 817000000), -12600);
    setenv("TZ", "UTC", 1);
    tzset();
}

static void
civil_round_trips(void **state)
{
    static const int64_t times[] = {0,          -1,          951782400,    951868799,
                                    4107542399, -2208988800, -62167219200, 253402300799};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        assert_true(clock_seconds(clock_civil(times[i])) == times[i]);
    for (int64_t t = -86400 * 1000; t < INT64_C(86400) * 40000; t += 86400 * 7 + 3601)
        assert_true(clock_seconds(clock_civil(t)) == t);
    struct clock_civil leap = clock_civil(951782400);
    assert_int_equal(leap.year, 2000);
    assert_int_equal(leap.month, 2);
    assert_int_equal(leap.day, 29);
    assert_int_equal(leap.weekday, 2);
}

static void
times_beyond_the_years_are_clipped(void **state)
{
    struct clock c = {.utc = true};
    char text[CLOCK_TEXT_MAX];
    (void)state;
    clock_format(&c, CLOCK_FULL, (struct timespec){.tv_sec = INT64_MAX}, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 +0000");
    assert_true(clock_format(&c, CLOCK_FULL, (struct timespec){.tv_sec = INT64_MIN}, text) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_in_utc),
        cmocka_unit_test(text_is_remembered_for_a_second),
        cmocka_unit_test(zone_is_remembered_for_a_quarter_of_an_hour),
        cmocka_unit_test(civil_round_trips),
        cmocka_unit_test(times_beyond_the_years_are_clipped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
