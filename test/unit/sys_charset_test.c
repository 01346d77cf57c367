/* Unit tests of sys/charset.c. */
#include "sys/charset.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum charset_status
convert(struct str in, const char *from, const char *to, const char *want)
{
    struct arena *a = arena_new();
    struct str out;
    enum charset_status st =
        charset_convert(NULL, a, str_tainted(in), str_from_cstr(from), str_from_cstr(to), &out);
    if (st == CHARSET_OK) {
        assert_int_equal(out.n, strlen(want));
        assert_memory_equal(out.p, want, out.n);
        assert_int_equal(out.taint, STR_TAINTED);
    }
    arena_free(a);
    return st;
}

static void
converts(void **state)
{
    (void)state;
    assert_int_equal(convert(STR_LIT("\351"), "ISO-8859-1", "UTF-8", "\303\251"), CHARSET_OK);
    assert_int_equal(convert(STR_LIT("\303\251"), "utf-8", "iso-8859-1", "\351"), CHARSET_OK);
    assert_int_equal(convert(STR_LIT("ab"), "us-ascii", "UTF-8", "ab"), CHARSET_OK);
    assert_int_equal(convert(STR_LIT("\244"), "ISO-8859-15", "UTF-8", "\342\202\254"),
                     CHARSET_OK);
    assert_int_equal(convert(STR_EMPTY, "UTF-8", "ISO-8859-15", ""), CHARSET_OK);
}

static void
tells_what_does_not_convert(void **state)
{
    (void)state;
    assert_int_equal(convert(STR_LIT("\303"), "UTF-8", "ISO-8859-1", ""), CHARSET_ILLEGAL);
    assert_int_equal(convert(STR_LIT("\342\202\254"), "UTF-8", "ISO-8859-1", ""),
                     CHARSET_ILLEGAL);
    assert_int_equal(convert(STR_LIT("\351"), "us-ascii", "UTF-8", ""), CHARSET_ILLEGAL);
    assert_int_equal(convert(STR_LIT("a"), "nosuch", "UTF-8", ""), CHARSET_UNKNOWN);
    assert_int_equal(convert(STR_LIT("a"), "", "UTF-8", ""), CHARSET_UNKNOWN);
    assert_int_equal(convert(STR_LIT("a"), "ISO-8859-15//IGNORE", "UTF-8", ""),
                     CHARSET_UNKNOWN);
}

static void
length_of_a_name_is_capped(void **state)
{
    char name[66];
    (void)state;
    memset(name, 'x', sizeof name);
    for (size_t n = 62; n <= 64; n++) {
        name[n] = '\0';
        assert_int_equal(convert(STR_LIT("a"), name, "UTF-8", ""), CHARSET_UNKNOWN);
        name[n] = 'x';
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts),
        cmocka_unit_test(tells_what_does_not_convert),
        cmocka_unit_test(length_of_a_name_is_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
