/* Names of SPF's results. */
#include "mail/spf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_names_read_back(void **state)
{
    (void)state;
    for (int r = 0; r < SPF_RESULTS; r++) {
        enum spf_result back = SPF_RESULTS;
        assert_true(spf_result_parse(spf_result_name((enum spf_result)r), &back));
        assert_int_equal(back, r);
    }
}

static void
test_other_names(void **state)
{
    enum spf_result r = SPF_RESULTS;
    (void)state;
    assert_true(spf_result_parse(STR_LIT("Pass"), &r) && r == SPF_PASS);
    assert_true(spf_result_parse(STR_LIT("err_temp"), &r) && r == SPF_TEMPERROR);
    assert_true(spf_result_parse(STR_LIT("err_perm"), &r) && r == SPF_PERMERROR);
    assert_true(spf_result_parse(STR_LIT("invalid"), &r) && r == SPF_INVALID);
    assert_false(spf_result_parse(STR_LIT("passed"), &r));
    assert_false(spf_result_parse(STR_EMPTY, &r));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_read_back),
        cmocka_unit_test(test_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
