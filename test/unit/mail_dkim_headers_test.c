/* Lines that a signature covers: from below, each once, whatever the case; deleted ones never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mail/dkim_headers.h"

static void
test_walk(void **state)
{
    static const char *const lines[] = {"Received: 1\n", "From: a\n", "X-A: 1\n",
                                        "received: 2\n", "From: b\n", "Gone: x\n"};
    struct arena *a = arena_new();
    struct header_list l = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_true(header_list_add(a, &l, str_from_cstr(lines[i]), HEADER_AT_END));
    assert_int_equal(header_list_remove(&l, STR_LIT("Gone"), 0), 1);
    struct dkim_headers *h = dkim_headers_new(a, &l, DKIM_LINES_VISIBLE);
    for (unsigned again = 0; again < 2; again++) {
        struct dkim_walk *w = dkim_walk_new(a, h);
        assert_true(str_eqz(dkim_walk_take(w, STR_LIT("RECEIVED")), "received: 2\n"));
        assert_true(str_eqz(dkim_walk_take(w, STR_LIT("from")), "From: b\n"));
        assert_true(str_eqz(dkim_walk_take(w, STR_LIT("Received")), "Received: 1\n"));
        assert_false(str_is_set(dkim_walk_take(w, STR_LIT("Received"))));
        assert_true(str_eqz(dkim_walk_take(w, STR_LIT("From")), "From: a\n"));
        assert_false(str_is_set(dkim_walk_take(w, STR_LIT("From"))));
        assert_false(str_is_set(dkim_walk_take(w, STR_LIT("Gone"))));
        assert_false(str_is_set(dkim_walk_take(w, STR_LIT("X-"))));
        assert_false(str_is_set(dkim_walk_take(w, STR_EMPTY)));
        assert_true(str_eqz(dkim_walk_take(w, STR_LIT("x-a")), "X-A: 1\n"));
    }
    struct dkim_walk *w = dkim_walk_new(a, dkim_headers_new(a, &l, DKIM_LINES_ALL));
    assert_true(str_eqz(dkim_walk_take(w, STR_LIT("Gone")), "Gone: x\n"));
    arena_free(a);
}

static void
test_none(void **state)
{
    struct arena *a = arena_new();
    struct header_list l = {0};
    (void)state;
    struct dkim_walk *w = dkim_walk_new(a, dkim_headers_new(a, &l, DKIM_LINES_VISIBLE));
    assert_false(str_is_set(dkim_walk_take(w, STR_LIT("From"))));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_walk),
                                       cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
