/* The environment: purging, adding, looking up. */
#include "sys/environ.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static bool
keeps_b(void *ctx, struct str name)
{
    (void)ctx;
    return str_starts(name, "B");
}

static void
test_environ(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const char *format = getenv("CMOCKA_MESSAGE_OUTPUT");
    char *kept = format != NULL ? strdup(format) : NULL;
    environ_purge(NULL, NULL);
    assert_true(environ_is_empty());
    setenv("A", "1", 1);
    setenv("B", "2", 1);
    setenv("BB", "", 1);
    environ_purge(keeps_b, NULL);
    assert_false(str_is_set(environ_get(a, STR_LIT("A"))));
    assert_true(str_eqz(environ_get(a, STR_LIT("B")), "2"));
    assert_true(str_is_set(environ_get(a, STR_LIT("BB"))));
    assert_true(environ_add(a, STR_LIT("C = x=y")));
    assert_true(str_eqz(environ_get(a, STR_LIT("C")), " x=y"));
    assert_false(environ_add(a, STR_LIT("C")));
    assert_false(environ_add(a, STR_LIT("=x")));
    assert_true(str_eqz(environ_at(0), "B=2"));
    assert_false(str_is_set(environ_at(3)));
    assert_false(str_is_set(environ_get(a, STR_LIT("B\0"))));
    if (kept != NULL)
        setenv("CMOCKA_MESSAGE_OUTPUT", kept, 1);
    free(kept);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_environ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
