/* The rows of the hyphen items: each name once, each found by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/spool_item.h"

static void
test_rows(void **state)
{
    (void)state;
    size_t n = 0;
    for (const struct spool_item *i = spool_items; i->name != NULL; i++, n++) {
        const struct spool_item *found = spool_item_find(str_from_cstr(i->name));
        if (i->kind == SPOOL_ITEM_ACL)
            assert_null(found);
        else
            assert_ptr_equal(found, i);
    }
    assert_true(n > 40);
    assert_null(spool_item_find(STR_LIT("")));
    assert_null(spool_item_find(STR_LIT("nonesuch")));
    assert_null(spool_item_find(STR_LIT("frozen\0x")));
    assert_int_equal(spool_item_find(STR_LIT("frozen"))->kind, SPOOL_ITEM_NUMBER);
    assert_int_equal(spool_item_find(STR_LIT("host_address"))->kind, SPOOL_ITEM_HOST);
}

static void
test_quoters(void **state)
{
    (void)state;
    uint32_t mark = spool_item_quoter_mark(STR_LIT("mysql"));
    assert_true(mark >= STR_QUOTED);
    assert_true(str_eqz(spool_item_quoter_name(mark), "mysql"));
    assert_int_equal(spool_item_quoter_mark(STR_LIT("lsearch")),
                     STR_TAINTED); /* quotes nothing */
    assert_int_equal(spool_item_quoter_mark(STR_LIT("nonesuch")), STR_TAINTED);
    assert_true(str_eqz(spool_item_quoter_name(STR_TAINTED), ""));
    assert_true(str_eqz(spool_item_quoter_name(UINT32_MAX), ""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_quoters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
