/* The table of functions: order, finding, counts. */
#include "fn_case.h"

static void
sorted(void **state)
{
    (void)state;
    size_t n;
    const struct fn *rows = fn_all(&n);
    assert_true(n > 100);
    for (size_t i = 1; i < n; i++) {
        assert_true(rows[i - 1].kind <= rows[i].kind);
        if (rows[i - 1].kind == rows[i].kind)
            assert_true(str_cmp(rows[i - 1].name, rows[i].name) < 0);
    }
}

static void
found(void **state)
{
    (void)state;
    size_t n;
    const struct fn *rows = fn_all(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(fn_find(rows[i].kind, rows[i].name), &rows[i]);
        assert_true(rows[i].min <= rows[i].max && rows[i].max <= FN_ARGS_MAX);
        assert_true((rows[i].call == NULL) == ((rows[i].flags & FN_SPECIAL) != 0));
        assert_true(rows[i].doc[0] != '\0' && rows[i].doc[strlen(rows[i].doc) - 1] == '.');
    }
    assert_null(fn_find(FN_OPER, STR_LIT("nope")));
    assert_null(fn_find(FN_COND, STR_LIT("lc")));
    assert_null(fn_find(FN_OPER, STR_LIT("LC")));
    assert_null(fn_find(FN_OPER, STR_EMPTY));
    assert_null(fn_find(FN_COND, STR_LIT("zzz")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted),
        cmocka_unit_test(found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
