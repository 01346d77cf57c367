/* xtext: bytes after a plus sign, and what may not come of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mail/xtext.h"

static void
test_texts(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
    } rows[] = {
        {"", ""},       {"abc", "abc"},  {"a+2Bb", "a+b"}, {"e+3Dm@b.c", "e=m@b.c"},
        {"a+2", NULL},  {"a+", NULL},    {"a+zz", NULL},   {"a b", NULL},
        {"a=b", NULL},  {"a+00b", NULL}, {"a+0Db", NULL},  {"a+0Ab", NULL},
        {"\xe4", NULL},
    };
    struct arena *a = arena_new();
    struct str out;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool good = xtext_decode(a, str_tainted(str_from_cstr(rows[i].in)), &out);
        assert_int_equal(good, rows[i].out != NULL);
        if (good)
            assert_true(str_eqz(out, rows[i].out) && str_is_tainted(out));
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
