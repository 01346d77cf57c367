/* The servers of spamd_address: what is read, what is refused, who comes first. */
#include "scanners/spamd_server.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct arena *arena;
    struct buf warnings;
    struct spamd_servers all;
};

static void
warn(void *ctx, struct str text)
{
    struct fixture *f = ctx;
    buf_adds(&f->warnings, text);
    buf_addc(&f->warnings, '\n');
}

static struct str
parse(struct fixture *f, struct str list)
{
    f->warnings = buf_in(f->arena, 0);
    spamd_servers_parse(f->arena, list, &f->all, warn, f);
    struct str s = buf_str(&f->warnings);
    return str_is_set(s) ? s : STR_EMPTY;
}

static int
setup(void **state)
{
    static struct fixture f;
    f.arena = arena_new();
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    return 0;
}

static void
test_parse(void **state)
{
    struct fixture *f = *state;
    struct str told = parse(f, STR_LIT("127.0.0.1 783 : /run/s pri=3 weight=7 tmo=1m retry=5s "
                                       "time=8.30-17 variant=rspamd : host 10-12"));
    assert_true(str_eqz(told, ""));
    assert_int_equal(f->all.n, 3);
    const struct spamd_server *s = f->all.v;
    assert_true(str_eqz(s[0].place.host, "127.0.0.1"));
    assert_int_equal(s[0].place.low, 783);
    assert_int_equal(s[0].wait_s, 120);
    assert_int_equal(s[0].priority, 1);
    assert_true(str_eqz(s[1].place.path, "/run/s"));
    assert_int_equal(s[1].priority, 3);
    assert_int_equal(s[1].weight, 7);
    assert_int_equal(s[1].wait_s, 60);
    assert_int_equal(s[1].retry_s, 5);
    assert_int_equal(s[1].from_s, 8 * 3600 + 1800);
    assert_int_equal(s[1].to_s, 17 * 3600);
    assert_true(s[1].rspamd);
    assert_int_equal(s[2].place.low, 10);
    assert_int_equal(s[2].place.high, 12);
    assert_true(str_eqz(parse(f, STR_LIT("<; ::1 783 ; <, 127.0.0.1, 784, pri=2")), ""));
    assert_int_equal(f->all.n, 2);
    assert_true(str_eqz(f->all.v[0].place.host, "::1"));
    assert_int_equal(f->all.v[1].priority, 2);
}

static void
test_refused(void **state)
{
    struct fixture *f = *state;
    struct str told =
        parse(f, STR_LIT("h : h 0 : h 65536 : h 5-4 : h x : h 1 pri=-1 weight=1000001 "
                         "time=24.0.1-1 time=1 retry=x tmo=x variant=x y"));
    assert_true(str_eqz(told, "warning - invalid spamd address: 'h'\n"
                              "warning - invalid spamd address: 'h 0'\n"
                              "warning - invalid spamd address: 'h 65536'\n"
                              "warning - invalid spamd address: 'h 5-4'\n"
                              "warning - invalid spamd address: 'h x'\n"
                              "warning - invalid spamd parameter: 'pri=-1'\n"
                              "warning - invalid spamd parameter: 'weight=1000001'\n"
                              "warning - invalid spamd time value: '24.0.1-1'\n"
                              "warning - invalid spamd time value: '1'\n"
                              "warning - invalid spamd retry value: 'x'\n"
                              "warning - invalid spamd timeout value: 'x'\n"
                              "warning - invalid spamd parameter: 'variant=x'\n"
                              "warning - invalid spamd parameter: 'y'\n"));
    assert_int_equal(f->all.n, 1);
    assert_int_equal(f->all.v[0].priority, 1);
    assert_true(f->all.v[0].from_s < 0);
}

static void
test_how_many(void **state)
{
    struct fixture *f = *state;
    struct buf b = buf_in(f->arena, 0);
    for (int i = 1; i <= SPAMD_SERVERS_MAX + 1; i++) {
        buf_printf(&b, "%sh %d", i > 1 ? ":" : "", i);
        struct str told = parse(f, str_dup(f->arena, buf_str(&b)));
        assert_int_equal(f->all.n, i <= SPAMD_SERVERS_MAX ? i : SPAMD_SERVERS_MAX);
        assert_int_equal(told.n > 0, i > SPAMD_SERVERS_MAX);
    }
}

static uint64_t wanted; /* what the next random number is */

static uint64_t
pick(uint64_t bound)
{
    assert_true(wanted < bound);
    return wanted;
}

/* The port of the next one at a time of the day, or 0. */
static int64_t
next(struct fixture *f, uint64_t random, int64_t now)
{
    struct spamd_server s;
    wanted = random;
    return spamd_servers_next(&f->all, now, pick, &s) ? s.place.low : 0;
}

static void
test_order(void **state)
{
    struct fixture *f = *state;
    (void)parse(f, STR_LIT("h 1 : h 2 pri=2 weight=3 : h 3 pri=2 weight=0 : h 4 pri=2"));
    assert_int_equal(next(f, 2, 0), 2); /* 0 to 2 are its */
    assert_int_equal(next(f, 1, 0),
                     3); /* the last one has taken the place of the one that is gone */
    assert_int_equal(next(f, 0, 0), 4);
    assert_int_equal(next(f, 0, 0), 1);
    assert_int_equal(next(f, 0, 0), 0);
}

static void
test_times(void **state)
{
    struct fixture *f = *state;
    static const struct str day = STR_INIT("h 1 time=8-17"), night = STR_INIT("h 1 time=22-6");
    static const struct {
        int64_t at;
        bool day, night;
    } cases[] = {{0, false, true},          {5 * 3600 + 3599, false, true},
                 {6 * 3600, false, false},  {8 * 3600 - 1, false, false},
                 {8 * 3600, true, false},   {17 * 3600 - 1, true, false},
                 {17 * 3600, false, false}, {22 * 3600, false, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)parse(f, day);
        assert_int_equal(next(f, 0, cases[i].at), cases[i].day);
        (void)parse(f, night);
        assert_int_equal(next(f, 0, cases[i].at), cases[i].night);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_how_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_times, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
