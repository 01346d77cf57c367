/* maildirsize files: what is understood, what makes one count anew, the cap. */
#include "transports/maildirsize.h"

#include "base/arena.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text;
    int64_t limit, limit_files, size, files;
    int lines;
} good[] = {
    {"3000S,0C\n", 3000, 0, 0, 0, 0},
    {"3000S,10C\n261 1\n", 3000, 10, 261, 1, 1},
    {"10C,3000S\n261 1\n-61 -1\n", 3000, 10, 200, 0, 2},
    {"3000S\n  261   12\n", 3000, 0, 261, 12, 1},
    {"0S,0C\n0 0\n261 1\n", 0, 0, 261, 1, 2},
    {"3000S,5X\n1 1\n", 3000, 0, 1, 1, 1},
};

static void
test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct maildirsize m;
        assert_true(maildirsize_parse(str_from_cstr(good[i].text), &m));
        assert_int_equal(m.limit, good[i].limit);
        assert_int_equal(m.limit_files, good[i].limit_files);
        assert_int_equal(m.size, good[i].size);
        assert_int_equal(m.files, good[i].files);
        assert_int_equal(m.lines, good[i].lines);
    }
}

static void
test_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "3000S,0C",            /* no newline */
        "3000\n",              /* no letter */
        "S\n",                 /* no number */
        "-1S\n",               /* negative */
        "3000S;0C\n",          /* no comma */
        "3000S,0C\n261\n",     /* one number */
        "3000S,0C\n261 1 \n",  /* more behind them */
        "3000S,0C\n261 1\n\n", /* an empty line */
        "3000S,0C\n10 1\n-20 1\n",
        "3000S,0C\n10 1\n20 -3\n",
        "3000S,0C\n10 1\n20 1", /* the last line is not whole */
        "3000S,0C\n9223372036854775807 1\n1 1\n",
        "3000S,0C\n99999999999999999999 1\n",
        "x\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct maildirsize m;
        if (maildirsize_parse(str_from_cstr(bad[i]), &m))
            fail_msg("%s", bad[i]);
    }
}

static void
test_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (int over = -1; over <= 1; over++) {
        struct buf text = buf_in(a, 0);
        struct maildirsize m;
        buf_addz(&text, "30S\n");
        while (text.n < (size_t)(MAILDIRSIZE_MAX + over - 4))
            buf_addc(&text, ' ');
        buf_addz(&text, "1 1\n");
        assert_int_equal(text.n, MAILDIRSIZE_MAX + over);
        assert_int_equal(maildirsize_parse(buf_str(&text), &m), over <= 0);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
