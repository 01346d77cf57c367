/* Unit tests of base/escape.c. */
#include "base/arena.h"
#include "base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The byte, and how much of text it took. */
#define BYTE(text, value, used)                                                                \
    do {                                                                                       \
        size_t at_ = 0;                                                                        \
        assert_int_equal(escape_byte(STR_LIT(text), &at_), (char)(value));                     \
        assert_int_equal(at_, (used));                                                         \
    } while (0)

static void
names_numbers_and_the_rest(void **state)
{
    (void)state;
    BYTE("n", '\n', 1);
    BYTE("bx", '\b', 1);
    BYTE("f", '\f', 1);
    BYTE("r", '\r', 1);
    BYTE("t", '\t', 1);
    BYTE("v", '\v', 1);
    BYTE("q", 'q', 1);
    BYTE("\"", '"', 1);
    BYTE("\\", '\\', 1);
    BYTE("101", 'A', 3);
    BYTE("1018", 'A', 3);
    BYTE("08", 0, 1);
    BYTE("777", 0xff, 3);
    BYTE("9", '9', 1);
    BYTE("x41", 'A', 3);
    BYTE("x4G", 4, 2);
    BYTE("xFFF", 0xff, 3);
    BYTE("x", 0, 1);
}

#define WORD(text, value, used)                                                                \
    do {                                                                                       \
        size_t at_ = 0;                                                                        \
        struct str got_ = escape_quoted_word(a, STR_LIT(text), &at_);                          \
        assert_true(str_eq(got_, STR_LIT(value)));                                             \
        assert_int_equal(at_, (used));                                                         \
    } while (0)

static void
words_in_quotes(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    WORD("\"a b\" c", "a b", 5);
    WORD("\"\"", "", 2);
    WORD("\"", "", 1);
    WORD("\"a", "a", 2);
    WORD("\"a\\\"b\"c", "a\"b", 6);
    WORD("\"a\\", "a\\", 3);
    WORD("\"\\x41\\n\"", "A\n", 8);
    size_t at = 0;
    assert_int_equal(escape_quoted_word(a, str_tainted(STR_LIT("\"a\"")), &at).taint,
                     STR_TAINTED);
    at = 0;
    assert_int_equal(escape_quoted_word(a, str_tainted(STR_LIT("\"\"")), &at).taint,
                     STR_TAINTED);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_numbers_and_the_rest),
        cmocka_unit_test(words_in_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
