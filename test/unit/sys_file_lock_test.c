/* Locks on the head of a file: against another descriptor, and against fcntl's own kind. */
#include "sys/file_lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[] = "/tmp/remex_lock_XXXXXX";

static int
setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    return close(fd);
}

static int
teardown(void **state)
{
    (void)state;
    return unlink(path);
}

/* Exit status of a child that takes a process-wide lock: 0 taken, 1 busy. */
static int
foreign_lock(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 19};
        int fd = open(path, O_RDWR | O_CLOEXEC);
        _exit(fd >= 0 && fcntl(fd, F_SETLK, &l) == 0 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void
test_excludes(void **state)
{
    (void)state;
    int one = open(path, O_RDWR | O_CLOEXEC), two = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(foreign_lock(), 0);
    assert_int_equal(file_lock_head(one, 19), FILE_LOCK_OK);
    assert_int_equal(file_lock_head(two, 19), FILE_LOCK_BUSY);
    assert_int_equal(file_lock_head(two, 1), FILE_LOCK_BUSY);
    close(two); /* does not end the lock of another descriptor */
    assert_int_equal(foreign_lock(), 1);
    close(one);
    assert_int_equal(foreign_lock(), 0);
}

static void
test_ranges(void **state)
{
    (void)state;
    int one = open(path, O_RDWR | O_CLOEXEC), two = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(file_lock_range(one, 1000, 1), FILE_LOCK_OK);
    assert_int_equal(file_lock_range(two, 1000, 1), FILE_LOCK_BUSY);
    assert_int_equal(file_lock_range(two, 999, 1), FILE_LOCK_OK);
    assert_int_equal(file_lock_range(two, 1001, 1), FILE_LOCK_OK);
    file_unlock_range(one, 1000, 1);
    assert_int_equal(file_lock_range(two, 1000, 1), FILE_LOCK_OK);
    close(two);
    close(one);
}

static void
test_error(void **state)
{
    (void)state;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_lock_head(fd, 19), FILE_LOCK_ERROR);
    close(fd);
    assert_int_equal(file_lock_head(-1, 19), FILE_LOCK_ERROR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_excludes),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
