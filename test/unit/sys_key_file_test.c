/* Unit tests of sys/key_file.c: what is opened, what is refused. Who owns what can be tried as root only. */
#include "sys/key_file.h"

#include "sys/sign_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { OTHER = 61234 };

struct place {
    char folder[64];
    char path[512];
};

static const char *
name(struct place *p, const char *file)
{
    (void)snprintf(p->path, sizeof p->path, "%s/%s", p->folder, file);
    return p->path;
}

static void
make(struct place *p, const char *file, mode_t mode, off_t size)
{
    int fd = open(name(p, file), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int
setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/remex-key-XXXXXX");
    *state = p;
    return mkdtemp(p->folder) == NULL;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static int
teardown(void **state)
{
    struct place *p = *state;
    int failed = nftw(p->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(p);
    return failed;
}

static void
assert_end(struct place *p, const char *file, enum key_file_end expected)
{
    struct key_file_result why;
    int fd = key_file_open(file[0] == '/' ? file : name(p, file), &why);
    if (why.end != expected)
        fail_msg("%s: %d %s", file, (int)why.end, key_file_text(&why));
    assert_int_equal(fd >= 0, expected == KEY_FILE_OK);
    if (fd < 0)
        return;
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(fd);
}

static void
test_opens(void **state)
{
    struct place *p = *state;
    struct key_file_result why;
    if (geteuid() != 0)
        skip();
    make(p, "key", 0600, 10);
    assert_end(p, "key", KEY_FILE_OK);
    assert_end(p, "//key", KEY_FILE_NO_OPEN); /* of the root */
    assert_end(p, ".//key", KEY_FILE_BAD_PATH);
    assert_int_equal(mkdir(name(p, "sub"), 0700), 0);
    make(p, "sub/key", 0644, 10);
    assert_end(p, "sub/key", KEY_FILE_OK);
    assert_end(p, "sub///key", KEY_FILE_OK);
    assert_int_equal(key_file_open(name(p, "none"), &why), -1);
    assert_true(why.end == KEY_FILE_NO_OPEN && why.sys_errno == ENOENT);
    assert_string_equal(key_file_text(&why), strerror(ENOENT));
    assert_end(p, "key/x", KEY_FILE_NO_OPEN);
}

static void
test_caps(void **state)
{
    struct place *p = *state;
    char longest[300];
    if (geteuid() != 0)
        skip();
    for (off_t n = SIGN_KEY_FILE_MAX - 1; n <= SIGN_KEY_FILE_MAX + 1; n++) {
        make(p, "key", 0600, n);
        assert_end(p, "key", n <= SIGN_KEY_FILE_MAX ? KEY_FILE_OK : KEY_FILE_TOO_LARGE);
    }
    for (size_t n = 254; n <= 256; n++) {
        memset(longest, 'x', n);
        longest[n] = '\0';
        if (n <= 255)
            make(p, longest, 0600, 1);
        assert_end(p, longest, n <= 255 ? KEY_FILE_OK : KEY_FILE_BAD_PATH);
    }
}

static void
test_paths(void **state)
{
    struct place *p = *state;
    if (geteuid() != 0)
        skip();
    make(p, "key", 0600, 10);
    assert_int_equal(mkdir(name(p, "sub"), 0700), 0);
    assert_end(p, "sub/../key", KEY_FILE_BAD_PATH);
    assert_end(p, "../key", KEY_FILE_BAD_PATH);
    assert_end(p, "./key", KEY_FILE_BAD_PATH);
    assert_end(p, "..", KEY_FILE_BAD_PATH);
    assert_end(p, "sub/", KEY_FILE_BAD_PATH);
    assert_end(p, "/", KEY_FILE_BAD_PATH);
    struct key_file_result why;
    assert_int_equal(key_file_open("key", &why), -1);
    assert_int_equal(why.end, KEY_FILE_BAD_PATH);
    assert_int_equal(key_file_open("", &why), -1);
    assert_int_equal(why.end, KEY_FILE_BAD_PATH);
}

static void
test_what_is_no_file(void **state)
{
    struct place *p = *state;
    if (geteuid() != 0)
        skip();
    make(p, "key", 0600, 10);
    assert_int_equal(symlink("key", name(p, "link")), 0);
    assert_end(p, "link", KEY_FILE_LINK);
    assert_int_equal(mkdir(name(p, "sub"), 0700), 0);
    make(p, "sub/key", 0600, 10);
    assert_int_equal(symlink("sub", name(p, "linked")), 0);
    assert_end(p, "linked/key", KEY_FILE_LINK);
    assert_end(p, "/proc/self/fd/0", KEY_FILE_LINK);
    assert_end(p, "sub", KEY_FILE_NOT_REGULAR);
    assert_int_equal(mkfifo(name(p, "fifo"), 0600), 0);
    assert_end(p, "fifo", KEY_FILE_NOT_REGULAR); /* and nobody waits */
    assert_end(p, "/dev/null", KEY_FILE_NOT_REGULAR);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", p->folder);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof at), 0);
    close(s);
    assert_end(p, "socket", KEY_FILE_NOT_REGULAR);
}

static void
test_whose(void **state)
{
    struct place *p = *state;
    if (geteuid() != 0)
        skip();
    make(p, "key", 0620, 10);
    assert_end(p, "key", KEY_FILE_BAD_MODE);
    make(p, "key", 0602, 10);
    assert_end(p, "key", KEY_FILE_BAD_MODE);
    make(p, "key", 0600, 10);
    assert_int_equal(chown(name(p, "key"), OTHER, 0), 0);
    assert_end(p, "key", KEY_FILE_BAD_OWNER);
    make(p, "twice", 0600, 10);
    char *other = strdup(name(p, "twice"));
    assert_int_equal(link(other, name(p, "again")), 0);
    free(other);
    assert_end(p, "twice", KEY_FILE_BAD_LINKS);
}

static void
test_folders(void **state)
{
    struct place *p = *state;
    static const struct {
        mode_t mode;
        uid_t owner;
        enum key_file_end end;
    } rows[] = {
        {0700, 0, KEY_FILE_OK},
        {0755, 0, KEY_FILE_OK},
        {0770, 0, KEY_FILE_BAD_FOLDER},
        {0707, 0, KEY_FILE_BAD_FOLDER},
        {01777, 0, KEY_FILE_OK},
        {0700, OTHER, KEY_FILE_BAD_FOLDER},
        {01777, OTHER, KEY_FILE_BAD_FOLDER},
    };
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(name(p, "top"), 0755), 0);
    assert_int_equal(mkdir(name(p, "top/sub"), 0755), 0);
    make(p, "top/sub/key", 0600, 10);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(chown(name(p, "top"), rows[i].owner, 0), 0);
        assert_int_equal(chmod(name(p, "top"), rows[i].mode), 0);
        assert_end(p, "top/sub/key", rows[i].end);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_caps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whose, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folders, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
