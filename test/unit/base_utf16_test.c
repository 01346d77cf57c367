/* UTF-16 with the low byte first: both ways, pairs, and what is none. */
#include "base/utf16.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    struct str narrow, wide;
} same[] = {
    {STR_INIT(""), STR_INIT("")},
    {STR_INIT("a\0b"), STR_INIT("a\0\0\0b\0")},
    {STR_INIT("\xc3\xa9"), STR_INIT("\xe9\x00")},
    {STR_INIT("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), STR_INIT("\xff\xd7\x00\xe0\xff\xff")},
    {STR_INIT("\xf0\x90\x80\x80"), STR_INIT("\x00\xd8\x00\xdc")},
    {STR_INIT("\xf4\x8f\xbf\xbf"), STR_INIT("\xff\xdb\xff\xdf")},
};

static void
both_ways(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str out;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_true(utf16_from_utf8(a, same[i].narrow, &out));
        assert_true(str_eq(out, same[i].wide));
        assert_true(utf16_to_utf8(a, same[i].wide, &out));
        assert_true(str_eq(out, same[i].narrow));
    }
    assert_true(utf16_to_utf8(a, str_tainted(STR_LIT("a\0")), &out) && str_is_tainted(out));
    assert_true(utf16_from_utf8(a, str_tainted(STR_LIT("a")), &out) && str_is_tainted(out));
    arena_free(a);
}

static void
refused(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    static const struct str bad[] = {
        STR_INIT("a"),        /* half a unit */
        STR_INIT("\x00\xd8"), /* half of a pair at the end, */
        STR_INIT("\x00\xd8"
                 "a\0"),              /* with something else behind it, */
        STR_INIT("\x00\xd8\x00\xd8"), /* with another first half, */
        STR_INIT("\x00\xdc\x00\xd8"), /* the wrong way round */
    };
    struct str out;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(utf16_to_utf8(a, bad[i], &out));
    assert_false(utf16_from_utf8(a, STR_LIT("a\xff"), &out));
    assert_false(utf16_from_utf8(a, STR_LIT("\xed\xa0\x80"), &out));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
