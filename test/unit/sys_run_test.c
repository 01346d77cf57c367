/* Child programs: vector, environment, output cap, exit and signal, the deadline, words of a command. */
#include "sys/run.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct run_result
run(struct arena *a, const char *script, int timeout_ms, size_t max)
{
    char sh[] = "/bin/sh", c[] = "-c", text[512];
    assert_true(strlen(script) < sizeof text);
    memcpy(text, script, strlen(script) + 1);
    char *argv[] = {sh, c, text, NULL};
    struct run_request rq = {.argv = argv, .timeout_ms = timeout_ms, .max_output = max};
    struct run_result r;
    run_program(a, &rq, &r);
    return r;
}

static void
test_output(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct run_result r = run(a, "echo out; echo err >&2; cat; exit 3", 5000, 1000);
    assert_int_equal(r.end, RUN_EXITED);
    assert_int_equal(r.status, 3);
    assert_true(str_eqz(r.output, "out\nerr\n"));
    assert_true(str_is_tainted(r.output));
    assert_false(r.cut);
    arena_free(a);
}

static void
test_environment_and_descriptors(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    int fd =
        open("/dev/null", O_RDONLY); /* not close-on-exec: must not get through all the same */
    assert_true(fd > 2);
    struct run_result r =
        run(a, "env | grep -v -e PWD -e SHLVL -e _=; ls /proc/self/fd | wc -l", 5000, 1000);
    assert_true(str_eqz(r.output, "4\n")); /* 0, 1, 2 and the folder itself */
    close(fd);
    arena_free(a);
}

static void
test_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_false(run(a, "printf 0123456789", 5000, 11).cut);
    assert_false(run(a, "printf 0123456789", 5000, 10).cut);
    struct run_result r = run(a, "printf 0123456789", 5000, 9);
    assert_true(r.cut);
    assert_int_equal(r.end, RUN_EXITED);
    assert_int_equal(r.status, 0);
    arena_free(a);
}

static void
test_end_when_cut(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char yes[] = "/usr/bin/yes";
    char *argv[] = {yes, NULL};
    struct run_request rq = {
        .argv = argv, .timeout_ms = 60000, .max_output = 8192 * 3, .end_when_cut = true};
    struct run_result r;
    run_program(a, &rq, &r); /* it ends, although the program does not */
    assert_int_equal(r.end, RUN_TOO_MUCH);
    assert_true(r.cut);
    assert_true(r.output.n <= 8192 * 3);
    arena_free(a);
}

static void
test_ends(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct run_result r = run(a, "kill -9 $$", 5000, 100);
    assert_int_equal(r.end, RUN_SIGNALLED);
    assert_int_equal(r.status, SIGKILL);
    char missing[] = "/nonexistent";
    char *argv[] = {missing, NULL};
    struct run_request rq = {.argv = argv, .timeout_ms = 5000, .max_output = 100};
    run_program(a, &rq, &r);
    assert_int_equal(r.end, RUN_EXITED);
    assert_int_equal(r.status, 127);
    arena_free(a);
}

/* With one processor for both, it often has ended before it is looked at. */
static void
test_killed_at_the_deadline(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
    for (int i = 0; i < 200; i++)
        assert_int_equal(run(a, "exec sleep 30", 5, 100).end, RUN_TIMED_OUT);
    (void)sched_setaffinity(0, sizeof all, &all);
    arena_free(a);
}

static void
test_deadline(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    time_t start = time(NULL);
    struct run_result r = run(a, "sleep 30 & sleep 30", 200, 100);
    assert_int_equal(r.end, RUN_TIMED_OUT);
    assert_true(time(NULL) - start < 5);
    /* Closes its output but does not end. */
    r = run(a, "exec >/dev/null 2>&1; sleep 30", 200, 100);
    assert_int_equal(r.end, RUN_TIMED_OUT);
    assert_true(time(NULL) - start < 5);
    arena_free(a);
}

static void
test_words(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str w[8], error;
    assert_int_equal(
        run_split(a, STR_LIT(" /bin/x  a\"b 'c d' \"e\\\"f\\n\"g \"\" "), w, 8, &error), 6);
    assert_true(str_eqz(w[0], "/bin/x"));
    assert_true(str_eqz(w[1], "a\"b"));
    assert_true(str_eqz(w[2], "c d"));
    assert_true(str_eqz(w[3], "e\"f\n"));
    assert_true(str_eqz(w[4], "g"));
    assert_int_equal(w[5].n, 0);
    assert_int_equal(run_split(a, STR_LIT("  "), w, 8, &error), 0);
    assert_int_equal(run_split(a, STR_LIT("\"abc"), w, 8, &error), 1);
    assert_int_equal(run_split(a, STR_LIT("a b c"), w, 3, &error), 3);
    assert_int_equal(run_split(a, STR_LIT("a b c"), w, 2, &error), -1);
    assert_true(str_eqz(error, "Too many arguments to command \"a b c\""));
    assert_int_equal(run_split(a, str_tainted(STR_LIT("a 'b'")), w, 8, &error), 2);
    assert_true(str_is_tainted(w[0]) && str_is_tainted(w[1]));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_environment_and_descriptors),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_end_when_cut),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_killed_at_the_deadline),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
