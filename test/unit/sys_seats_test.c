/* Connections counted across processes: counts, the caps, owners that die, a lock that nobody gave back. */
#include "sys/seats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
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

/* What somebody could write there who means no good: nothing waits for ever, nothing is looked for where it is not. */
static void
test_spoilt_page(void **state)
{
    (void)state;
    int fd = seats_new();
    struct seats *s = seats_open(fd);
    off_t size = lseek(fd, 0, SEEK_END);
    uint32_t *words = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t seed = 1;
    unsigned all;
    assert_true(words != MAP_FAILED);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 1; i < (size_t)size / 4; i++) {
            seed = seed * 1664525u + 1013904223u;
            words[i] = round % 2 == 0 ? seed : seed % (SEATS_MAX + 2);
        }
        words[0] = round == 0 ? 0xffffffff : 0; /* the lock: nobody gives it back */
        for (int i = 0; i < 50; i++) {
            int seat = seats_take(s, 1, &second, &all);
            (void)seats_of_host(s, &second);
            seats_leave(s, 1, seat);
            seats_leave(s, words[i + 100], i);
        }
        seats_leave_all(s, 1);
    }
    close(fd);
}

/* Threads of several processes count right. */
static void
test_together(void **state)
{
    (void)state;
    int fd = seats_new();
    struct seats *s = seats_open(fd);
    for (unsigned p = 1; p <= 4; p++)
        if (fork() == 0) {
            unsigned all;
            for (int i = 0; i < 20000; i++) {
                int seat = seats_take(s, p, &first, &all);
                if (i % 2 == 0)
                    seats_leave(s, p, seat);
                if (i % 1000 == 999)
                    seats_leave_all(s, p);
            }
            (void)seats_take(s, p, &first, &all);
            _exit(0);
        }
    while (wait(NULL) > 0)
        continue;
    assert_int_equal(seats_taken(s), 4);
    assert_int_equal(seats_of_host(s, &first), 4);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),          cmocka_unit_test(test_caps),
        cmocka_unit_test(test_size_is_checked), cmocka_unit_test(test_killed_owners),
        cmocka_unit_test(test_spoilt_page),     cmocka_unit_test(test_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
