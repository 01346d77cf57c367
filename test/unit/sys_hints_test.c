/* The hints store: records come back as they were written, and others do not. */
#include "sys/hints.h"

#include "hints_room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_round_trip(void **state)
{
    struct room *r = *state;
    struct str v;
    assert_true(hints_put(r->h, HINTS_RETRY, STR_LIT("R:a.b"), 1, STR_LIT("x\0y")));
    assert_true(hints_get(r->h, r->a, HINTS_RETRY, STR_LIT("R:a.b"), 1, &v));
    assert_true(str_eq(v, STR_LIT("x\0y")));
    assert_true(str_is_tainted(v));
    assert_false(hints_get(r->h, r->a, HINTS_RETRY, STR_LIT("R:a.b"), 2, &v));
    assert_false(hints_get(r->h, r->a, HINTS_WAIT, STR_LIT("R:a.b"), 1, &v));
    assert_true(hints_delete(r->h, HINTS_RETRY, STR_LIT("R:a.b")));
    assert_false(hints_get(r->h, r->a, HINTS_RETRY, STR_LIT("R:a.b"), 1, &v));
    assert_true(hints_delete(r->h, HINTS_RETRY, STR_LIT("R:a.b")));
}

/* Those that are there stay as they are. */
static void
test_add(void **state)
{
    struct room *r = *state;
    struct str v;
    const struct str keys[] = {STR_LIT("a"), STR_LIT("b"), STR_LIT("c")};
    assert_true(hints_put(r->h, HINTS_WAIT, keys[1], 1, STR_LIT("kept")));
    for (int i = 0; i < 2; i++) {
        assert_true(hints_add(r->h, HINTS_WAIT, keys, 3, 1));
        for (size_t k = 0; k < 3; k++) {
            assert_true(hints_get(r->h, r->a, HINTS_WAIT, keys[k], 1, &v));
            assert_true(str_eq(v, k == 1 ? STR_LIT("kept") : STR_EMPTY));
        }
    }
    assert_false(hints_get(r->h, r->a, HINTS_RETRY, keys[0], 1, &v));
}

static void
test_lengths(void **state)
{
    struct room *r = *state;
    struct str v;
    for (unsigned n = HINTS_KEY_MAX - 1; n <= HINTS_KEY_MAX + 1; n++) {
        char *key = arena_zalloc(r->a, n, 1);
        memset(key, 'k', n);
        assert_true(hints_put(r->h, HINTS_SEEN, str_from(key, n), 1, STR_LIT("v")));
        assert_true(hints_get(r->h, r->a, HINTS_SEEN, str_from(key, n), 1, &v));
    }
    for (unsigned n = HINTS_VALUE_MAX - 1; n <= HINTS_VALUE_MAX + 1; n++) {
        struct str big = str_from(arena_zalloc(r->a, n, 1), n);
        assert_int_equal(hints_put(r->h, HINTS_SEEN, STR_LIT("big"), 1, big),
                         n <= HINTS_VALUE_MAX);
    }
}

static bool
count_up(void *ctx, struct str old, struct str *value)
{
    struct arena *a = ctx;
    int n = str_is_set(old) ? atoi(str_cstr(a, old)) : 0;
    *value = str_printf(a, "%d", n + 1);
    return true;
}

static bool
refuse(void *ctx, struct str old, struct str *value)
{
    (void)ctx;
    (void)old;
    *value = STR_LIT("never");
    return false;
}

/* A child has a store of its own, and both count the same thing. */
static void
test_child(void **state)
{
    struct room *r = *state;
    struct str v;
    int status;
    assert_true(hints_update(r->h, r->a, HINTS_MISC, STR_LIT("n"), 1, count_up, r->a));
    pid_t pid = fork();
    if (pid == 0)
        _exit(hints_update(r->h, r->a, HINTS_MISC, STR_LIT("n"), 1, count_up, r->a) ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(hints_update(r->h, r->a, HINTS_MISC, STR_LIT("n"), 1, count_up, r->a));
    assert_true(hints_update(r->h, r->a, HINTS_MISC, STR_LIT("n"), 1, refuse, NULL));
    assert_true(hints_get(r->h, r->a, HINTS_MISC, STR_LIT("n"), 1, &v));
    assert_true(str_eqz(v, "3"));
}

static bool
collect(void *ctx, struct str key, uint16_t version, struct str value)
{
    char *text = ctx;
    (void)value;
    snprintf(text + strlen(text), 32, "%.*s/%u ", STR_ARG(key), version);
    return strlen(text) < 9;
}

static void
test_each(void **state)
{
    struct room *r = *state;
    char text[128] = "";
    hints_put(r->h, HINTS_ONCE, STR_LIT("b"), 1, STR_LIT(""));
    hints_put(r->h, HINTS_ONCE, STR_LIT("a"), 2, STR_LIT("1"));
    hints_put(r->h, HINTS_ONCE, STR_LIT("c"), 3, STR_LIT("2"));
    hints_put(r->h, HINTS_ONCE, STR_LIT("d"), 3, STR_LIT("2"));
    hints_each(r->h, HINTS_ONCE, collect, text);
    assert_string_equal(text, "a/2 b/1 c/3 ");
}

static void
test_no_directory(void **state)
{
    struct room *r = *state;
    struct str error, v;
    struct hints *h = hints_open(r->a, "/dev/null/x", &error);
    assert_true(str_is_set(error));
    assert_true(str_find(error, STR_LIT("/dev/null/x"), 0) != STR_NPOS);
    assert_false(hints_put(h, HINTS_MISC, STR_LIT("k"), 1, STR_LIT("v")));
    assert_false(hints_get(h, r->a, HINTS_MISC, STR_LIT("k"), 1, &v));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_add, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lengths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_child, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_directory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
