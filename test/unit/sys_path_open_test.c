/* Opening by paths of strangers: step by step it is as the kernel does it in one call. */
#include "sys/path_open.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/remex_path_open_XXXXXX";
static int in = -1; /* the folder in/ */

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static int
touch(const char *path)
{
    return close(openat(in, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int
chain(void)
{
    int bad = symlinkat("f", in, "c1");
    for (int i = 2; i <= 41; i++) {
        char from[8], to[8];
        snprintf(from, sizeof from, "c%d", i - 1);
        snprintf(to, sizeof to, "c%d", i);
        bad |= symlinkat(from, in, to);
    }
    return bad;
}

/* in/ with files, folders and links to places inside and outside; out/ beside it. */
static int
setup(void **state)
{
    (void)state;
    char path[128];
    if (mkdtemp(root) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/in", root);
    if (mkdir(path, 0755) != 0 || (in = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    return mkdirat(in, "../out", 0755) | mkdirat(in, "d", 0755) | mkdirat(in, "d/e", 0755) |
           touch("f") | touch("../out/f") | touch("d/g") | touch("d/e/h") |
           symlinkat("f", in, "link") | symlinkat("../out", in, "away") |
           symlinkat("../out/f", in, "away-f") | symlinkat("d", in, "near") |
           symlinkat("near/../f", in, "round") | symlinkat("/etc/passwd", in, "whole") |
           symlinkat("d/e/", in, "slashed") | symlinkat("link/", in, "slash-f") |
           symlinkat("nothing", in, "dangling") | symlinkat("circle", in, "circle") | chain();
}

static int
teardown(void **state)
{
    (void)state;
    close(in);
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* What came of it: the file, or the error. */
struct end {
    int error;
    ino_t file;
};

static struct end
end_of(int fd)
{
    struct stat st;
    if (fd < 0)
        return (struct end){.error = errno};
    assert_int_equal(fstat(fd, &st), 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(fd);
    return (struct end){.file = st.st_ino};
}

static void
same(const char *path, int flags, enum path_reach reach)
{
    struct end kernel = end_of(path_open(in, path, flags, 0600, reach));
    struct end steps = end_of(path_open_stepwise(in, path, flags, 0600, reach));
    if (kernel.error != steps.error || kernel.file != steps.file)
        fail_msg("%.200s: error %d, and step by step %d", path, kernel.error, steps.error);
}

static void
beneath_a_folder(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "f",
        "d",
        "d/g",
        "d//g",
        "./d/./g",
        "d/../f",
        "d/e/../../f",
        "..",
        "../in/f",
        "../out/f",
        "d/../../in/f",
        "link",
        "near/g",
        "near/e/h",
        "near/..",
        "round",
        "away",
        "away/f",
        "away-f",
        "whole",
        "/etc/passwd",
        "/",
        "slashed/h",
        "slashed",
        "dangling",
        "dangling/x",
        "circle",
        "circle/x",
        "f/",
        "c2/",
        "slash-f",
        "slash-f/",
        "f/x",
        "link/",
        "d/",
        "nothing",
        "nothing/x",
        "d/nothing",
        ".",
        "./",
        "",
        "c40",
        "c41",
        "d/e/.",
        "d/e/..",
    };
    static const int flags[] = {O_RDONLY, O_RDONLY | O_NOFOLLOW, O_RDONLY | O_DIRECTORY,
                                O_WRONLY};
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
            same(paths[i], flags[f], PATH_BENEATH);
}

static void
anywhere(void **state)
{
    (void)state;
    static const char *const tails[] = {"/in/f",        "/in/away/f",    "/in/away-f",
                                        "/in/../out/f", "/in/near/e/h",  "/in/circle",
                                        "/in/whole",    "/../../../../x"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s%s", root, tails[i]);
        same(path, O_RDONLY, PATH_ANYWHERE);
    }
    same("/", O_RDONLY, PATH_ANYWHERE);
    same("/../../etc/passwd", O_RDONLY, PATH_ANYWHERE);
}

static void
links_of_the_kernel_are_texts(void **state)
{
    (void)state;
    char path[64];
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", pipes[0]);
    assert_int_equal(path_open(-1, path, O_RDONLY | O_NONBLOCK, 0, PATH_ANYWHERE), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(path_open_stepwise(-1, path, O_RDONLY | O_NONBLOCK, 0, PATH_ANYWHERE), -1);
    assert_int_equal(errno, ENOENT);
    close(pipes[0]);
    close(pipes[1]);
}

static void
files_are_made(void **state)
{
    (void)state;
    int fd = path_open_stepwise(in, "d/new", O_WRONLY | O_CREAT | O_EXCL, 0640, PATH_BENEATH);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(
        path_open_stepwise(in, "d/new", O_WRONLY | O_CREAT | O_EXCL, 0640, PATH_BENEATH), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(
        path_open_stepwise(in, "away-f", O_WRONLY | O_CREAT | O_EXCL, 0640, PATH_BENEATH), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(path_open_stepwise(in, "away/new", O_WRONLY | O_CREAT, 0640, PATH_BENEATH),
                     -1);
    assert_int_equal(errno, EXDEV);
}

/* A name, a path, a depth and a number of links that are just allowed, and one more. */
static void
bounds(void **state)
{
    (void)state;
    char path[PATH_MAX + 8];
    memset(path, 'n', sizeof path);
    path[NAME_MAX] = '\0';
    same(path, O_RDONLY, PATH_BENEATH);
    memset(path, 'n', sizeof path);
    path[NAME_MAX + 1] = '\0';
    same(path, O_RDONLY, PATH_BENEATH);
    for (size_t n = PATH_MAX - 3; n <= PATH_MAX + 1; n++) {
        memset(path, '/', sizeof path);
        path[0] = 'd';
        path[n - 1] = 'g';
        path[n] = '\0';
        same(path, O_RDONLY, PATH_BENEATH);
    }
}

static void
depth(void **state)
{
    (void)state;
    char path[2 * 300 + 1] = "";
    for (int i = 1; i <= 256; i++) {
        memcpy(path + 2 * (i - 1), "n/", 3);
        assert_int_equal(mkdirat(in, path, 0755), 0);
        int fd = path_open_stepwise(in, path, O_RDONLY, 0, PATH_BENEATH);
        assert_int_equal(fd >= 0, i <= 255);
        if (fd >= 0)
            close(fd);
        else
            assert_int_equal(errno, ENAMETOOLONG);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beneath_a_folder),
        cmocka_unit_test(anywhere),
        cmocka_unit_test(links_of_the_kernel_are_texts),
        cmocka_unit_test(files_are_made),
        cmocka_unit_test(bounds),
        cmocka_unit_test(depth),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
