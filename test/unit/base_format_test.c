/* Unit tests of base/format.c: what it writes is what the C library writes. */
#include "base/format.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The same by both, with so much room. False: unknown here. */
static bool __attribute__((format(printf, 2, 3)))
is_alike(size_t cap, const char *fmt, ...)
{
    char ours[256], theirs[256];
    va_list ap;
    memset(ours, '#', sizeof ours);
    memset(theirs, '#', sizeof theirs);
    va_start(ap, fmt);
    int n = format_text(ours, cap, fmt, ap);
    va_end(ap);
    if (n == FORMAT_UNKNOWN)
        return false;
    va_start(ap, fmt);
    int m = vsnprintf(theirs, cap, fmt, ap);
    va_end(ap);
    assert_int_equal(n, m);
    assert_string_equal(ours, theirs);
    assert_int_equal(ours[cap], '#');
    return true;
}

static void
directives_are_those_of_the_library(void **state)
{
    const char *cut = "abcdef", *none = NULL;
    (void)state;
    assert_true(is_alike(200, "plain"));
    assert_true(is_alike(200, "%s%%%c|%.*s|%.*s|%.*s", "text", 'c', 3, cut, 0, cut, 9, cut));
    assert_true(is_alike(200, "%d %i %d %d", 0, -1, INT_MAX, INT_MIN));
    assert_true(is_alike(200, "%ld %lu %lld %llu", LONG_MIN, ULONG_MAX, LLONG_MIN, ULLONG_MAX));
    assert_true(is_alike(200, "%zu %jd %x %llx", SIZE_MAX, INTMAX_MIN, 0xbeefu, 0x1fULL));
    assert_true(is_alike(200, "%02d:%02d %03lld %09ld %04d", 1, 123, 7LL, 123456L, -5));
    assert_true(is_alike(200, "%08lx %020llu", 0xabcUL, 1ULL));
    assert_true(is_alike(200, "%s %.*s|", none != NULL ? none : cut, -1, cut));
}

static void
others_are_left_to_it(void **state)
{
    (void)state;
    assert_false(is_alike(200, "%5d", 1));
    assert_false(is_alike(200, "%-5s|", "x"));
    assert_false(is_alike(200, "%.3s", "abcdef"));
    assert_false(is_alike(200, "%+d", 1));
    assert_false(is_alike(200, "%hhu", (unsigned char)1));
    assert_false(is_alike(200, "%f", 1.5));
    assert_false(is_alike(200, "%p", *state));
    assert_false(is_alike(200, "%X", 10u));
    assert_false(is_alike(200, "%021llu", 1ULL));
}

static void
what_does_not_fit_is_counted(void **state)
{
    (void)state;
    for (size_t cap = 1; cap < 20; cap++)
        assert_true(is_alike(cap, "%s-%d-%.*s", "abc", 12345, 4, "vwxyz"));
    assert_int_equal(snprintf(NULL, 0, "%d", 5), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directives_are_those_of_the_library),
        cmocka_unit_test(others_are_left_to_it),
        cmocka_unit_test(what_does_not_fit_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
