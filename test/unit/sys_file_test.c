/* Bounded reading at the bound, and the text of a file's state. */
#include "sys/file.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/remex-file-XXXXXX";

static void
fill(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void
test_bound(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str s;
    fill("0123456789");
    assert_int_equal(file_read(a, path, 11, &s), FILE_OK);
    assert_int_equal(s.n, 10);
    assert_int_equal(file_read(a, path, 10, &s), FILE_OK);
    assert_true(str_eqz(s, "0123456789"));
    assert_true(str_is_tainted(s));
    assert_int_equal(s.p[s.n], 0);
    assert_int_equal(file_read(a, path, 9, &s), FILE_TOO_BIG);
    assert_true(str_eqz(s, "012345678"));
    assert_int_equal(file_read(a, path, 0, &s), FILE_TOO_BIG);
    fill("");
    assert_int_equal(file_read(a, path, 0, &s), FILE_OK);
    assert_int_equal(s.n, 0);
    arena_free(a);
}

/* Two processes that read at the same time have one position between them: it does not matter. */
static void
test_whole(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str s;
    char some[4];
    fill("0123456789");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, some, sizeof some), sizeof some);
    assert_int_equal(file_read_whole(a, fd, 10, &s), FILE_OK);
    assert_true(str_eqz(s, "0123456789"));
    assert_int_equal(s.p[s.n], 0);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), sizeof some);
    assert_int_equal(file_read_whole(a, fd, 11, &s), FILE_OK);
    assert_int_equal(file_read_whole(a, fd, 9, &s), FILE_TOO_BIG);
    close(fd);
    assert_int_equal(file_read_whole(a, fd, 10, &s), FILE_NO_READ);
    arena_free(a);
}

static void
test_faults(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str s;
    assert_int_equal(file_read(a, "/nonexistent/x", 10, &s), FILE_NO_OPEN);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(file_read(a, "/tmp", 10, &s), FILE_NO_READ);
    arena_free(a);
}

/* Nobody writes: an error after a while. Somebody has written: read to the end. */
static void
test_fifo(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str s;
    char fifo[] = "/tmp/remex-fifo-XXXXXX";
    int fd = mkstemp(fifo);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_read(a, fifo, 10, &s), FILE_NO_OPEN);
    assert_int_equal(errno, ENXIO);
    int both = open(fifo, O_RDWR | O_CLOEXEC); /* a writer that does not wait for a reader */
    assert_true(both >= 0);
    assert_int_equal(write(both, "text", 4), 4);
    fd = file_open(fifo);
    assert_true(fd >= 0);
    close(both);
    assert_int_equal(file_read_fd(a, fd, 10, &s), FILE_OK);
    assert_true(str_eqz(s, "text"));
    close(fd);
    unlink(fifo);
    arena_free(a);
}

/* A size that is not known beforehand. */
static void
test_pipe(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    int fd[2];
    struct str s;
    static char big[20000];
    memset(big, 'x', sizeof big);
    assert_int_equal(pipe(fd), 0);
    assert_true(file_write_all(fd[1], big, sizeof big));
    close(fd[1]);
    assert_int_equal(file_read_fd(a, fd[0], 1 << 20, &s), FILE_OK);
    assert_int_equal(s.n, sizeof big);
    close(fd[0]);
    arena_free(a);
}

static void
test_stat(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str s;
    fill("abc");
    chmod(path, 04751);
    assert_true(file_stat_text(a, path, &s));
    assert_true(str_starts(s, "mode=4751 smode=-rwsr-x--x inode="));
    assert_int_not_equal(str_find(s, STR_LIT(" links=1 uid="), 0), STR_NPOS);
    assert_int_not_equal(str_find(s, STR_LIT(" size=3 atime="), 0), STR_NPOS);
    assert_true(file_stat_text(a, "/tmp", &s));
    assert_true(str_starts(s, "mode=41777 smode=drwxrwxrwt "));
    assert_false(file_stat_text(a, "/nonexistent", &s));
    arena_free(a);
}

int
main(void)
{
    close(mkstemp(path));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound),  cmocka_unit_test(test_whole),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_fifo),
        cmocka_unit_test(test_pipe),   cmocka_unit_test(test_stat),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
