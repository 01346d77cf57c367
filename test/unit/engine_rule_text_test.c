/* Words of rules, faults with their place, and matching an address against a pattern. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/rule_text.h"

#include "base/arena.h"
#include "conf/list.h"
#include "proc/wire.h"

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
test_words(void **state)
{
    (void)state;
    struct rule_text t = {.text = STR_LIT("  one \"two \\\"x\\\" \\x41\"  *@a,b\t\"open")};
    rule_text_skip_space(&t);
    assert_int_equal(rule_text_peek(&t), 'o');
    assert_true(str_eqz(rule_text_word(&t, a), "one"));
    rule_text_skip_space(&t);
    assert_true(str_eqz(rule_text_word(&t, a), "two \"x\" A"));
    rule_text_skip_space(&t);
    assert_true(str_eqz(rule_text_plain_word(&t), "*@a,b"));
    rule_text_skip_space(&t);
    assert_true(str_eqz(rule_text_word(&t, a), "open"));
    assert_int_equal(rule_text_peek(&t), '\0');
    assert_true(str_eqz(rule_text_word(&t, a), ""));
    assert_true(str_eqz(rule_text_plain_word(&t), ""));
}

static void
test_quotes_mean_nothing_to_plain_words(void **state)
{
    (void)state;
    struct rule_text t = {.text = STR_LIT("\"a b\" c")};
    assert_true(str_eqz(rule_text_plain_word(&t), "\"a"));
}

static void
test_match(void **state)
{
    (void)state;
    struct wiring w = wire_command_line(a, NULL);
    const struct {
        const char *pattern, *subject;
        bool list, matches, faulty;
    } rows[] = {
        {"*@b.example", "x@b.example", false, true, false},
        {"*@c.example", "x@b.example", false, false, false},
        {"${lc:X}@b.example", "x@b.example", false, true, false},
        {"a@b : x@b", "x@b", true, true, false},
        {"$nonesuch", "x@b", false, false, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str fault = STR_NULL;
        struct rule_match m = {.eval = w.eval,
                               .vm = w.vm,
                               .pattern = str_from_cstr(rows[i].pattern),
                               .subject = str_from_cstr(rows[i].subject),
                               .whole_list = rows[i].list};
        assert_int_equal(rule_text_match(&m, &fault), rows[i].matches);
        assert_int_equal(str_is_set(fault) && fault.n > 0, rows[i].faulty);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quotes_mean_nothing_to_plain_words, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_match, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
