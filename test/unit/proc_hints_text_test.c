/* Hints as text: what is no record is shown as such, and tells no age. */
#include "proc/hints_text.h"

#include "base/arena.h"
#include "engine/callout_cache.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

static void
check(const struct hints_item *item, const char *text, int64_t age)
{
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    int64_t got = -1;
    hints_text_dump(&b, item, true);
    struct str shown = buf_str(&b);
    if (!str_eqz(shown, text))
        fail_msg("%.*s", STR_ARG(shown));
    assert_int_equal(hints_text_age(item, &got), age >= 0);
    if (age >= 0)
        assert_int_equal(got, age);
    arena_free(a);
}

static struct hints_item
item_of(enum hints_kind kind, uint16_t version, const void *bytes, size_t n)
{
    return (struct hints_item){kind, STR_LIT("k"), version, str_from(bytes, n)};
}

static void
callouts(void **state)
{
    const int64_t domain[] = {1000, CALLOUT_ACCEPT, 0, CALLOUT_UNKNOWN, 900, CALLOUT_REJECT};
    struct hints_item i = item_of(HINTS_CALLOUT, CALLOUT_CACHE_VERSION, domain, sizeof domain);
    (void)state;
    check(&i,
          "01-Jan-1970 00:16:40 k callout=accept postmaster=unknown random=reject "
          "(01-Jan-1970 00:15:00)\n",
          1000);
    i.value = str_sub(i.value, 0, 16);
    check(&i, "01-Jan-1970 00:16:40 k callout=accept\n", 1000);
    i.value = str_sub(i.value, 0, 15);
    check(&i, "k (15 bytes)\n", -1);
}

static void
times(void **state)
{
    const int64_t seen = 86400, ticket[] = {86400, 7};
    (void)state;
    struct hints_item i = item_of(HINTS_SEEN, 1, &seen, sizeof seen);
    check(&i, "k\t02-Jan-1970 00:00:00\n", 86400);
    i.version = 9;
    check(&i, "k (8 bytes)\n", -1);
    i = item_of(HINTS_TLS, 2, ticket, sizeof ticket);
    check(&i, "k\t02-Jan-1970 00:00:00\n", 86400);
    i.value = str_sub(i.value, 0, 8); /* no ticket */
    check(&i, "k (8 bytes)\n", -1);
}

static void
rates(void **state)
{
    double rate[] = {86400.5, 2.25, 86000, 0};
    (void)state;
    struct hints_item i = item_of(HINTS_RATELIMIT, 1, rate, 24);
    check(&i, "02-Jan-1970 00:00:00.500000 rate:      2.250 key: k\n", 86400);
    i = item_of(HINTS_RATELIMIT, 1, rate, 32);
    check(&i,
          "02-Jan-1970 00:00:00.500000 rate:      2.250 epoch: 01-Jan-1970 23:53:20 size: 1 "
          "key: k\n",
          86400);
    rate[0] = 1e300;
    check(&i, "k (32 bytes)\n", -1);
    rate[0] = 0;
    memset(rate, 0xff, 8); /* not a number */
    check(&i, "k (32 bytes)\n", -1);
    i.value = str_sub(i.value, 0, 23);
    check(&i, "k (23 bytes)\n", -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callouts),
        cmocka_unit_test(times),
        cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
