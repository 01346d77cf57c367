/* Unit tests of base/wide.c: the wide functions against the loops, and finding against trying every place. */
#include "base/wide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A sequence without a pattern. */
static unsigned
next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void
every_byte_in_every_place(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        for (unsigned at = 0; at < WIDE_BYTES; at++) {
            char p[WIDE_BYTES];
            memset(p, 'x', sizeof p);
            p[at] = (char)c;
            uint32_t here = UINT32_C(1) << at;
            assert_int_equal(wide_mask(wide_space(wide_read(p))),
                             ascii_space((char)c) ? here : 0);
            assert_int_equal(wide_mask(wide_is(wide_read(p), '"')), c == '"' ? here : 0);
            assert_int_equal(wide_mask(wide_within(wide_read(p), '(', '+')),
                             c >= '(' && c <= '+' ? here : 0);
        }
    }
}

static void
same_as_the_loops(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char p[WIDE_BYTES], wide[WIDE_BYTES], plain[WIDE_BYTES];
        for (unsigned i = 0; i < WIDE_BYTES; i++)
            p[i] = (char)next(&seed);
        char a = (char)next(&seed);
        char b = (char)(a + (char)(next(&seed) % 64));
        assert_int_equal(wide_mask(wide_is(wide_read(p), a)), wide_plain_range(p, a, a));
        if ((unsigned char)a <= (unsigned char)b)
            assert_int_equal(wide_mask(wide_within(wide_read(p), a, b)),
                             wide_plain_range(p, a, b));
        wide_lower(wide, p);
        wide_plain_lower(plain, p);
        assert_memory_equal(wide, plain, WIDE_BYTES);
    }
}

static void
whole_range(void **state)
{
    char p[WIDE_BYTES] = {0, 1, 127, (char)128, (char)255};
    (void)state;
    assert_int_equal(wide_mask(wide_within(wide_read(p), 0, (char)255)), 0xffff);
    assert_int_equal(wide_plain_range(p, 0, (char)255), 0xffff);
}

static size_t
find_slowly(const char *s, size_t n, struct str needle)
{
    for (size_t i = 0; i + needle.n <= n; i++) {
        struct str part = str_from(s + i, needle.n);
        if (str_ieq(part, needle))
            return i;
    }
    return STR_NPOS;
}

/* Of few letters, so that the parts of the needle are there everywhere. */
static void
finds(void **state)
{
    (void)state;
    uint32_t seed = 2;
    static const char letters[] = "abAB-";
    for (int round = 0; round < 50000; round++) {
        char s[70], lower[70 + WIDE_BYTES], needle[8];
        size_t n = next(&seed) % sizeof s;
        size_t m = next(&seed) % 7 + 1;
        for (size_t i = 0; i < n; i++)
            s[i] = letters[next(&seed) % 5];
        for (size_t i = 0; i < m; i++)
            needle[i] = letters[next(&seed) % 5];
        wide_lower_all(lower, s, n);
        assert_int_equal(wide_find_lower(str_from(lower, n), str_from(needle, m)),
                         find_slowly(s, n, str_from(needle, m)));
    }
}

/* Equal up to some byte, and one that differs anywhere. */
static void
compares(void **state)
{
    char a[80], b[80];
    (void)state;
    memset(a, 'x', sizeof a);
    for (uint32_t n = 0; n < 60; n++) {
        for (uint32_t at = 0; at < 64; at++) {
            memcpy(b, a, sizeof b);
            b[at] = 'y';
            assert_int_equal(wide_same_all(a, b, n), at >= n);
        }
    }
}

/* At the very end, and not what stands behind it. */
static void
finds_at_the_end(void **state)
{
    (void)state;
    for (size_t n = 1; n < 50; n++) {
        char s[50 + WIDE_BYTES];
        memset(s, 'x', sizeof s);
        s[n - 1] = 'y';
        assert_int_equal(wide_find_lower(str_from(s, n), STR_LIT("Y")), n - 1);
        assert_int_equal(wide_find_lower(str_from(s, n - 1), STR_LIT("Y")), STR_NPOS);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_in_every_place),
        cmocka_unit_test(same_as_the_loops),
        cmocka_unit_test(whole_range),
        cmocka_unit_test(compares),
        cmocka_unit_test(finds),
        cmocka_unit_test(finds_at_the_end),
    };
    return cmocka_run_group_tests_name("base_wide", tests, NULL, NULL);
}
