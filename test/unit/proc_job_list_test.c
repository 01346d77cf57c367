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
    char name[16];
    while (l.n < JOB_LIST_MAX) {
        (void)snprintf(name, sizeof name, "id%zu", l.n);
        assert_true(job_list_add(&l, str_from_cstr(name), STR_EMPTY, 0));
    }
    assert_false(job_list_add(&l, STR_LIT("x"), STR_EMPTY, 0));
    assert_true(job_list_add(&l, str_from_cstr(name), STR_EMPTY, 0)); /* it is there */
    job_list_free(&l);
}

/* A message that is there already keeps its turn; one that was taken is not there. */
static void
test_once(void **state)
{
    (void)state;
    struct job_list l = {.v = NULL};
    char name[16];
    assert_null(job_list_find(&l, STR_LIT("id1")));
    for (size_t i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof name, "id%zu", i);
        assert_true(job_list_add(&l, str_from_cstr(name), STR_LIT("@seg"), 1));
        if (i == 100) /* the ring turns */
            for (size_t k = 0; k < 50; k++) {
                struct job j = job_list_take(&l);
                job_free(&j);
            }
    }
    assert_true(job_list_add_run(&l, JOB_NO_OPTION, STR_LIT("id200"))); /* no message */
    for (size_t i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof name, "id%zu", i);
        const struct job *j = job_list_find(&l, str_from_cstr(name));
        assert_int_equal(j != NULL, i >= 50);
        assert_true(j == NULL || (j->kind == JOB_ATTEMPT && str_eqz(j->id, name)));
    }
    size_t n = l.n;
    assert_true(job_list_add(&l, STR_LIT("id50"), STR_LIT("slow"), 2));
    assert_int_equal(l.n, n);
    struct job j = job_list_take(&l);
    assert_true(str_eqz(j.id, "id50") && str_eqz(j.queue, "slow") && j.when == 2);
    job_free(&j);
    assert_null(job_list_find(&l, STR_LIT("id50")));
    job_list_free(&l);
    assert_null(job_list_find(&l, STR_LIT("id200")));
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
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
