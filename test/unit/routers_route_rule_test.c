/* Routing rules of manualroute. */
#include "routers/route_rule.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static void
check(enum route_rule_form form, const char *text, const char *pattern, const char *hosts,
      const char *options)
{
    struct route_rule r = route_rule_read(a, str_from_cstr(text), form);
    assert_int_equal(str_is_set(r.pattern), pattern != NULL);
    assert_true(pattern == NULL || str_eqz(r.pattern, pattern));
    if (!str_eqz(r.hosts, hosts))
        fail_msg("%s: hosts %.*s", text, STR_ARG(r.hosts));
    if (!str_eqz(r.options, options))
        fail_msg("%s: options %.*s", text, STR_ARG(r.options));
}

static void
test_parts(void **state)
{
    (void)state;
    check(ROUTE_RULE_LIST, "dom.ex  h1:h2  byname t1 ", "dom.ex", "h1:h2", "byname t1");
    check(ROUTE_RULE_LIST, "dom.ex", "dom.ex", "", "");
    check(ROUTE_RULE_LIST, "\"a b\" \"h1 : h2\" x", "a b", "h1 : h2", "x");
    check(ROUTE_RULE_LIST, "d \"h\\x20i\"", "d", "h i", "");
    check(ROUTE_RULE_LIST, "d \"\" byname", "d", "", "byname");
    check(ROUTE_RULE_LIST, "d \"open", "d", "open", "");
    check(ROUTE_RULE_LIST, "d ${if eq {a}{b}}", "d", "${if", "eq {a}{b}}");
    check(ROUTE_RULE_DATA, "h1:h2 t1", NULL, "h1:h2", "t1");
    check(ROUTE_RULE_DATA, " \"h1 : h2\"\trandomize", NULL, "h1 : h2", "randomize");
    check(ROUTE_RULE_DATA, "", NULL, "", "");
}

static void
test_options(void **state)
{
    (void)state;
    struct str options = STR_LIT("  byname\tt1  "), word;
    assert_true(route_rule_option(&options, &word) && str_eqz(word, "byname"));
    assert_true(route_rule_option(&options, &word) && str_eqz(word, "t1"));
    assert_false(route_rule_option(&options, &word));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_options, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
