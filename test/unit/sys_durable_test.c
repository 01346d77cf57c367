/* The order of the durability calls, and what each failure of them leaves. */
#include "sys/durable.h"

#include "base/arena.h"
#include "durable_faults.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static char root[] = "/tmp/remex_durable_XXXXXX";
static int dir;
static struct arena *a;
static const struct durable_names names = {.temp = "hdr.x", .name = "x-H"};

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    if (mkdtemp(root) == NULL)
        return -1;
    dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    unlinkat(dir, "x-H", 0);
    close(dir);
    return rmdir(root);
}

/* The content of x-H, or "" when it is not there; and nothing else may be in the directory. */
static const char *
content(void)
{
    int fd = openat(dir, "hdr.x", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fd, -1);
    fd = openat(dir, "x-H", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "";
    struct str s;
    assert_int_equal(file_read_fd(a, fd, 1000, &s), FILE_OK);
    close(fd);
    return str_cstr(a, s);
}

static void
test_order(void **state)
{
    (void)state;
    struct durable_fault f;
    faults_set(0, 0);
    assert_true(durable_write(&faulty, dir, names, STR_LIT("one\n"), DURABLE_NEW, &f));
    assert_string_equal(faults.log, "open hdr.x;write;fsync;close;rename x-H;fsync;");
    assert_string_equal(content(), "one\n");
    faults_set(0, 0);
    faults.short_writes = true;
    assert_true(durable_write(&faulty, dir, names, STR_LIT("two\n"), DURABLE_REPLACE, &f));
    assert_string_equal(faults.log,
                        "open hdr.x;write;write;write;fsync;close;rename x-H;fsync;");
    assert_string_equal(content(), "two\n");
    unlinkat(dir, "x-H", 0);
}

static void
test_each_failure(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    struct durable_fault f;
    for (int e = 0; e < 2; e++) {
        for (int i = 1; i <= 6; i++) {
            faults_set(i, errors[e]);
            assert_false(durable_write(&faulty, dir, names, STR_LIT("new\n"), DURABLE_NEW, &f));
            assert_int_equal(f.sys_errno, errors[e]);
            assert_string_equal(content(), "");
        }
    }
    assert_true(durable_write(&durable_kernel, dir, names, STR_LIT("old\n"), DURABLE_NEW, &f));
    for (int i = 1; i <= 6; i++) {
        faults_set(i, EIO);
        assert_false(durable_write(&faulty, dir, names, STR_LIT("new\n"), DURABLE_REPLACE, &f));
        assert_string_equal(content(), i < 6 ? "old\n" : "new\n");
    }
    assert_string_equal(f.text, "failed to fsync \"spool directory\": Input/output error");
    unlinkat(dir, "x-H", 0);
}

static void
test_left_over(void **state)
{
    (void)state;
    struct durable_fault f;
    close(openat(dir, "hdr.x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_true(durable_write(&durable_kernel, dir, names, STR_LIT("x\n"), DURABLE_NEW, &f));
    assert_string_equal(content(), "x\n");
    assert_true(
        durable_write(&durable_unsynced, dir, names, STR_LIT("y\n"), DURABLE_REPLACE, &f));
    assert_string_equal(content(), "y\n");
    assert_true(durable_sync(&durable_unsynced, -1, "x", &f));
    assert_false(durable_sync(&durable_kernel, -1, "x", &f));
    assert_true(durable_remove(&durable_kernel, dir, "x-H", &f));
    assert_true(durable_remove(&durable_kernel, dir, "x-H", &f));
    assert_false(durable_remove(&durable_kernel, -1, "x-H", &f));
    assert_int_equal(f.sys_errno, EBADF);
}

static void
test_write_error_text(void **state)
{
    (void)state;
    struct durable_fault f;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_false(durable_append(&durable_kernel, fd, "x-D", STR_LIT("x"), &f));
    close(fd);
    assert_int_equal(f.sys_errno, ENOSPC);
    assert_string_equal(f.text, "failed to write \"x-D\": No space left on device");
}

static void
test_write_at(void **state)
{
    (void)state;
    char text[32] = "";
    char one[] = "one", two[] = "two", none[] = "";
    struct iovec v[] = {{one, 3}, {none, 0}, {two, 3}};
    struct durable_fault f;
    int fd = memfd_create("durable", 0);
    for (int i = 0; i < 2; i++) {
        faults_set(0, 0);
        faults.short_writes = i == 1;
        assert_true(durable_write_at(&faulty, fd, "x", (struct durable_pieces){v, 3}, 4, &f));
        assert_int_equal(pread(fd, text, sizeof text, 4), 6);
        assert_memory_equal(text, "onetwo", 6);
        assert_int_equal(ftruncate(fd, 0), 0);
    }
    faults_set(1, ENOSPC);
    assert_false(durable_write_at(&faulty, fd, "x", (struct durable_pieces){v, 3}, 4, &f));
    assert_int_equal(f.sys_errno, ENOSPC);
    assert_string_equal(f.text, "failed to write \"x\": No space left on device");
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_at),         cmocka_unit_test(test_order),
        cmocka_unit_test(test_each_failure),     cmocka_unit_test(test_left_over),
        cmocka_unit_test(test_write_error_text),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
