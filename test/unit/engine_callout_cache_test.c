/* What callouts have found out, as it is kept: how long it is known, and what is no record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/callout_cache.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "sys/hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fixture {
    struct arena *arena;
    struct conf_main main;
    struct conf conf;
    struct engine engine;
    char folder[64];
};

static int
set_up(void **state)
{
    struct str error;
    struct arena *a = arena_new();
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    f->main.callout_positive_expire = f->main.callout_domain_positive_expire = 1000;
    f->main.callout_negative_expire = f->main.callout_domain_negative_expire = 100;
    strcpy(f->folder, "/tmp/remex-callout.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->conf.main = &f->main;
    f->engine.arena = a;
    f->engine.conf = &f->conf;
    f->engine.hints = hints_open(a, f->folder, &error);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", f->folder);
    arena_free(f->arena);
    return system(command);
}

static struct callout_fact
fact(enum callout_word word, int64_t age)
{
    return (struct callout_fact){.word = word, .time = (int64_t)time(NULL) - age};
}

static void
test_domain(void **state)
{
    struct fixture *f = *state;
    struct callout_domain d = {.result = fact(CALLOUT_ACCEPT, 500),
                               .postmaster = fact(CALLOUT_REJECT, 50),
                               .random = fact(CALLOUT_REJECT, 500)};
    struct callout_domain got;
    callout_cache_put_domain(&f->engine, STR_LIT("a.example"), &d);
    callout_cache_domain(&f->engine, f->arena, STR_LIT("a.example"), &got);
    assert_int_equal(got.result.word, CALLOUT_ACCEPT);
    assert_int_equal(got.postmaster.word, CALLOUT_REJECT);
    assert_int_equal(got.random.word, CALLOUT_REJECT); /* the positive time goes for it */
    assert_int_equal(got.random.time, d.random.time);
    callout_cache_domain(&f->engine, f->arena, STR_LIT("b.example"), &got);
    assert_int_equal(got.result.word, CALLOUT_UNKNOWN);
}

static void
test_what_is_old(void **state)
{
    struct fixture *f = *state;
    struct callout_domain d = {.result = fact(CALLOUT_REJECT_NULL, 200),
                               .postmaster = fact(CALLOUT_REJECT, 200),
                               .random = fact(CALLOUT_ACCEPT, 2000)};
    struct callout_domain got;
    callout_cache_put_domain(&f->engine, STR_LIT("a.example"), &d);
    callout_cache_domain(&f->engine, f->arena, STR_LIT("a.example"), &got);
    assert_int_equal(got.result.word, CALLOUT_UNKNOWN);
    assert_int_equal(got.postmaster.word, CALLOUT_UNKNOWN);
    assert_int_equal(got.random.word, CALLOUT_UNKNOWN);
}

static void
test_address(void **state)
{
    struct fixture *f = *state;
    struct str key = STR_LIT("x@a.example/<s@b.example>");
    assert_int_equal(callout_cache_address(&f->engine, f->arena, key), CALLOUT_UNKNOWN);
    callout_cache_put_address(&f->engine, key, CALLOUT_REJECT);
    assert_int_equal(callout_cache_address(&f->engine, f->arena, key), CALLOUT_REJECT);
    f->main.callout_negative_expire = -1;
    assert_int_equal(callout_cache_address(&f->engine, f->arena, key), CALLOUT_UNKNOWN);
}

static void
test_bad_records(void **state)
{
    int64_t good[6] = {1000, CALLOUT_ACCEPT, 1000, CALLOUT_UNKNOWN, 1000, CALLOUT_REJECT};
    struct str all = str_from((const char *)good, sizeof good);
    struct callout_domain d;
    struct callout_fact one;
    (void)state;
    assert_true(callout_cache_read_domain(all, &d));
    assert_true(callout_cache_read_fact(str_sub(all, 0, 16), &one));
    for (size_t n = 0; n < sizeof good; n++)
        assert_false(callout_cache_read_domain(str_sub(all, 0, n), &d));
    assert_false(callout_cache_read_fact(all, &one));
    good[5] = CALLOUT_WORDS;
    assert_false(callout_cache_read_domain(all, &d));
    good[5] = -1;
    assert_false(callout_cache_read_domain(all, &d));
    good[5] = CALLOUT_ACCEPT;
    good[4] = -1;
    assert_false(callout_cache_read_domain(all, &d));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_domain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_address, set_up, tear_down),
        cmocka_unit_test(test_bad_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
