/* Files of users: links in the last step, folders that no step may leave, exact modes. */
#include "sys/user_file.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char root[] = "/tmp/remex_user_file_XXXXXX";
static struct arena *a;

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static char *
at(const char *name)
{
    return str_cstr(a, str_printf(a, "%s/%s", root, name));
}

/* in/ with a file, a folder, and links to places inside and outside; out/ beside it. */
static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    umask(077);
    if (mkdtemp(root) == NULL || mkdir(at("in"), 0755) != 0 || mkdir(at("out"), 0755) != 0 ||
        mkdir(at("in/d"), 0755) != 0)
        return -1;
    close(open(at("in/f"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    close(open(at("out/f"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    return symlink("f", at("in/link")) + symlink("../out", at("in/away")) +
           symlink("d", at("in/near"));
}

static int
teardown(void **state)
{
    (void)state;
    int r = nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_free(a);
    return r;
}

/* 0, or the errno. */
static int
try_open(const char *name, int flags, bool follow, const char *within)
{
    struct user_file_request rq = {.path = at(name),
                                   .flags = flags,
                                   .mode = 0664,
                                   .follow = follow,
                                   .within = within != NULL ? at(within) : NULL};
    int fd = user_file_open(&durable_kernel, &rq);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static void
test_links(void **state)
{
    (void)state;
    assert_int_equal(try_open("in/f", O_RDONLY, false, NULL), 0);
    assert_int_equal(try_open("in/link", O_RDONLY, false, NULL), ELOOP);
    assert_int_equal(try_open("in/link", O_RDONLY, true, NULL), 0);
    assert_int_equal(try_open("in/away/f", O_RDONLY, false, NULL), 0);
}

static void
test_within(void **state)
{
    (void)state;
    assert_int_equal(try_open("in/f", O_RDONLY, false, "in"), 0);
    assert_int_equal(try_open("in/link", O_RDONLY, false, "in"), ELOOP);
    assert_int_equal(try_open("in/away/f", O_RDONLY, false, "in"), EXDEV);
    assert_int_equal(try_open("in/../out/f", O_RDONLY, false, "in"), EXDEV);
    assert_int_equal(try_open("out/f", O_RDONLY, false, "in"), EXDEV);
    assert_int_equal(try_open("in", O_RDONLY, false, "in"), EXDEV);
    assert_int_equal(try_open("in/near/new", O_WRONLY | O_CREAT | O_EXCL, false, "in"), 0);
    assert_int_equal(try_open("in/away/new", O_WRONLY | O_CREAT | O_EXCL, false, "in"), EXDEV);
    assert_int_equal(access(at("out/new"), F_OK), -1);
}

static void
test_exact_mode(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(try_open("in/m", O_WRONLY | O_CREAT | O_EXCL, false, NULL), 0);
    assert_int_equal(stat(at("in/m"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0664);
    assert_int_equal(try_open("in/m", O_WRONLY | O_CREAT | O_EXCL, false, NULL), EEXIST);
    assert_true(user_file_make_folders(a, at("in/x/y/z"), 02775, at("in")));
    assert_int_equal(stat(at("in/x/y"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 02775);
    assert_true(user_file_make_folders(a, at("in/x/y/z/"), 02775, NULL));
    assert_false(user_file_make_folders(a, at("in/away/x"), 0755, at("in")));
    assert_int_equal(errno, EXDEV);
    assert_false(user_file_make_folders(a, at("in/f"), 0755, NULL));
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(access(at("out/x"), F_OK), -1);
}

static void
test_below(void **state)
{
    (void)state;
    assert_true(user_file_is_below(a, at("in/f"), at("in")));
    assert_true(user_file_is_below(a, at("in/no/such"), at("in")));
    assert_true(user_file_is_below(a, at("in/near/x"), at("in/")));
    assert_false(user_file_is_below(a, at("in"), at("in")));
    assert_false(user_file_is_below(a, at("in/away/x"), at("in")));
    assert_false(user_file_is_below(a, at("in/../out/x"), at("in")));
    assert_false(user_file_is_below(a, at("in/no/../../out/x"), at("in")));
    assert_false(user_file_is_below(a, at("inner"), at("in")));
    assert_false(user_file_is_below(a, at("in/x"), at("no such folder")));
}

static void
test_folder(void **state)
{
    (void)state;
    assert_string_equal(user_file_folder(a, "/a/b"), "/a");
    assert_string_equal(user_file_folder(a, "/a/b//"), "/a");
    assert_string_equal(user_file_folder(a, "/a"), "/");
    assert_string_equal(user_file_folder(a, "/"), "/");
    assert_string_equal(user_file_folder(a, "a"), ".");
    assert_true(user_file_sync_folder(&durable_kernel, root));
    assert_false(user_file_sync_folder(&durable_kernel, at("no")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),      cmocka_unit_test(test_within),
        cmocka_unit_test(test_exact_mode), cmocka_unit_test(test_below),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
