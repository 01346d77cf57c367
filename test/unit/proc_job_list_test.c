/* What waits for a delivery process: order, growth, the caps, queue runs. */
#include "proc/job_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static void
test_order(void **state)
{
    (void)state;
    struct job_list l = {.v = NULL};
    char name[16];
    size_t taken = 0;
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "id%zu", i);
        assert_true(job_list_add(&l, str_from_cstr(name), STR_LIT("q"), (unsigned)i));
        if (i % 3 != 0)
            continue;
        struct job j = job_list_take(&l);
        (void)snprintf(name, sizeof name, "id%zu", taken);
        assert_true(str_eqz(j.id, name));
        assert_true(str_eqz(j.queue, "q"));
        assert_int_equal(j.when, taken);
        taken++;
        job_free(&j);
    }
    assert_int_equal(l.n, 1000 - taken);
    job_list_free(&l);
    assert_int_equal(l.n, 0);
}

static void
test_caps(void **state)
{
    (void)state;
    struct job_list l = {.v = NULL};
    for (size_t i = 0; i < JOB_LIST_RUNS_MAX; i++)
        assert_true(job_list_add_run(&l, i, STR_EMPTY));
    assert_false(job_list_add_run(&l, 0, STR_EMPTY));
    while (l.n < JOB_LIST_MAX)
        assert_true(job_list_add(&l, STR_LIT("x"), STR_EMPTY, 0));
    assert_false(job_list_add(&l, STR_LIT("x"), STR_EMPTY, 0));
    job_list_free(&l);
}

static void
test_runs(void **state)
{
    (void)state;
    struct job_list l = {.v = NULL};
    assert_false(job_list_has_run(&l, STR_LIT("a")));
    assert_true(job_list_add_run(&l, JOB_NO_OPTION, STR_LIT("a")));
    assert_true(job_list_add_run(&l, 0, STR_LIT("b")));
    assert_true(job_list_has_run(&l, STR_LIT("a")));
    assert_false(job_list_has_run(&l, STR_LIT("b"))); /* that of an option */
    assert_int_equal(job_list_runs(&l), 2);
    struct job j = job_list_take(&l);
    job_free(&j);
    assert_int_equal(job_list_runs(&l), 1);
    job_list_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
