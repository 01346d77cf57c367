/* Connections counted across processes: counts, the caps, owners that die, a lock that nobody gave back. */
#include "sys/seats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct ip first = {.n = 4, .b = {127, 0, 0, 1}};
static const struct ip second = {.n = 16, .b = {0x20, 1, 0xd, 0xb8}};

static struct seats *
open_new(void)
{
    int fd = seats_new();
    assert_true(fd >= 0);
    struct seats *s = seats_open(fd);
    close(fd);
    assert_non_null(s);
    return s;
}

static void
test_counts(void **state)
{
    (void)state;
    struct seats *s = open_new();
    unsigned all;
    int a = seats_take(s, 1, &first, &all), b = seats_take(s, 2, &first, &all);
    assert_int_equal(all, 2);
    int c = seats_take(s, 2, &second, &all);
    assert_int_equal(all, 3);
    assert_int_equal(seats_of_host(s, &first), 2);
    assert_int_equal(seats_of_host(s, &second), 1);
    seats_leave(s, 1, b); /* not its own */
    assert_int_equal(seats_taken(s), 3);
    seats_leave(s, 1, a);
    seats_leave(s, 1, a);
    seats_leave(s, 1, -1);
    seats_leave(s, 1, SEATS_MAX);
    assert_int_equal(seats_taken(s), 2);
    assert_int_equal(seats_of_host(s, &first), 1);
    seats_leave(s, 2, b);
    seats_leave(s, 2, c);
    assert_int_equal(seats_taken(s), 0);
    assert_int_equal(seats_of_host(s, &first), 0);
}

static void
test_caps(void **state)
{
    (void)state;
    struct seats *s = open_new();
    unsigned all;
    for (unsigned i = 0; i < SEATS_MAX; i++)
        assert_true(seats_take(s, 1 + i % 3, &first, &all) >= 0);
    assert_int_equal(seats_take(s, 1, &first, &all), -1);
    assert_int_equal(all, SEATS_MAX);
    seats_leave_all(s, 2);
    assert_int_equal(seats_taken(s), SEATS_MAX - SEATS_MAX / 3);
    assert_int_equal(seats_of_host(s, &first), seats_taken(s));
    assert_true(seats_take(s, 1, &second, &all) >= 0);
    assert_int_equal(seats_of_host(s, &second), 1);
}

static void
test_size_is_checked(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_null(seats_open(fds[0]));
    close(fds[0]);
    close(fds[1]);
}

/* Processes take and leave seats until they are killed, somewhere. */
static void
test_killed_owners(void **state)
{
    (void)state;
    int fd = seats_new();
    struct seats *s = seats_open(fd);
    for (unsigned round = 1; round <= 20; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (unsigned all;;)
                seats_leave(s, round, seats_take(s, round, &first, &all));
        }
        usleep(2000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        unsigned all;
        assert_true(seats_take(s, 100, &second, &all) >= 0);
        seats_leave_all(s, round);
        assert_int_equal(seats_taken(s), round);
        assert_int_equal(seats_of_host(s, &first), 0);
    }
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_size_is_checked),
        cmocka_unit_test(test_killed_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
