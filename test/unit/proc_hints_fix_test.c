/* Hints changed by hand: how long a line may be. What the commands do: test/mainjob/hints_test.py. */
#include "proc/hints_fix.h"

#include "hints_room.h"

#include "engine/retry_hints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What is answered to the text. */
static const char *
answer(struct room *r, const char *text, size_t n)
{
    char *shown = NULL;
    size_t shown_n = 0;
    FILE *in = fmemopen((void *)(uintptr_t)text, n, "r"), *out = open_memstream(&shown, &shown_n);
    assert_true(in != NULL && out != NULL);
    hints_fix(r->h, HINTS_RETRY, true, in, out);
    fclose(in);
    fclose(out);
    const char *kept = str_cstr(r->a, str_dup(r->a, str_from(shown, shown_n)));
    free(shown);
    return kept;
}

/* A key of n bytes, which nobody has, as a line with or without an end, then another line. */
static const char *
line_of(struct room *r, size_t n, const char *end)
{
    char text[HINTS_FIX_LINE_MAX + 64];
    memset(text, 'k', n);
    int more = snprintf(text + n, sizeof text - n, "%s", end);
    return answer(r, text, n + (size_t)more);
}

static void
test_longest_line(void **state)
{
    struct room *r = *state;
    static const char *const ends[] = {"\n", "\nT:a@b\n", ""};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (size_t n = HINTS_FIX_LINE_MAX - 1; n <= HINTS_FIX_LINE_MAX; n++) {
            const char *got = line_of(r, n, ends[i]);
            assert_null(strstr(got, "too long"));
            assert_non_null(strstr(got, "> record k"));
            assert_non_null(strstr(got, "k not found\n"));
        }
        const char *got = line_of(r, HINTS_FIX_LINE_MAX + 1, ends[i]);
        assert_non_null(strstr(got, "> line too long\n"));
        assert_null(strstr(got, "record k"));
        assert_int_equal(strstr(got, "record T:a@b not found") != NULL, i == 1);
    }
}

static void
test_fields(void **state)
{
    struct room *r = *state;
    const struct retry_record record = {.first_failed = 1000, .last_try = 2000, .next_try = 3000};
    assert_true(hints_put(r->h, HINTS_RETRY, STR_LIT("T:x"), RETRY_RECORD_VERSION,
                          retry_record_make(r->a, &record)));
    static const char text[] = "T:x\n5 yes\n4 9912312359\n2 9912312359\n0 2147483648\n";
    const char *got = answer(r, text, sizeof text - 1);
    assert_non_null(strstr(got, "5 expired:      yes"));
    assert_non_null(strstr(got, "4 next try:     31-Dec-1999 23:59:00"));
    assert_non_null(strstr(got, "would be later than the last try"));
    assert_non_null(strstr(got, "bad number"));
    assert_non_null(strstr(answer(r, "d\n", 2), "name a record first"));
    assert_non_null(strstr(answer(r, "T:x\nd\nT:x\n", 10), "deleted"));
    assert_non_null(strstr(answer(r, "T:x\n", 4), "record T:x not found"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_longest_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
    };
    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
