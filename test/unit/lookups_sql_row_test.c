/* Unit tests of lookups/sql_row.c. */
#include "base/arena.h"
#include "lookups/sql_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
values_are_quoted_at_need(void **state)
{
    static const struct {
        struct str value;
        struct str expected;
    } cases[] = {
        {STR_INIT("v"), STR_INIT("n=v ")},
        {STR_INIT(""), STR_INIT("n=\"\" ")},
        {STR_INIT("a b"), STR_INIT("n=\"a b\" ")},
        {STR_INIT("a\nb"), STR_INIT("n=\"a\nb\" ")},
        {STR_INIT("a\"b\\c=d"), STR_INIT("n=a\"b\\c=d ")},
        {STR_INIT("\"a"), STR_INIT("n=\"\\\"a\" ")},
        {STR_INIT("a \"b\\c"), STR_INIT("n=\"a \\\"b\\\\c\" ")},
    };
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = buf_in(a, 0);
        sql_row_add(&b, STR_LIT("n"), cases[i].value);
        assert_true(str_eq(buf_str(&b), cases[i].expected));
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_quoted_at_need)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
