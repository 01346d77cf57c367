/* Unit tests of sys/checked_file.c: what is read, what is refused. */
#include "sys/checked_file.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    struct arena *arena;
    char folder[64];
};

static int
setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->arena = arena_new();
    snprintf(p->folder, sizeof p->folder, "/tmp/remex-checked-XXXXXX");
    *state = p;
    return mkdtemp(p->folder) == NULL;
}

static int
teardown(void **state)
{
    struct place *p = *state;
    static const char *const names[] = {"file",     "fifo", "link", "out",
                                        "sub/file", "sub",  "dir"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", p->folder, names[i]);
        (void)remove(path);
    }
    (void)rmdir(p->folder);
    arena_free(p->arena);
    free(p);
    return 0;
}

static const char *
name(struct place *p, const char *file)
{
    return str_printf(p->arena, "%s/%s", p->folder, file).p;
}

static const char *
make(struct place *p, const char *file, size_t n, mode_t mode)
{
    const char *path = name(p, file);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        fputc('x', f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void
test_reads(void **state)
{
    struct place *p = *state;
    struct checked_file_rules r = {.max = 100, .forbidden_mode = 022};
    struct str text;
    unsigned mode = 0;
    assert_int_equal(checked_file_read(p->arena, make(p, "file", 10, 0644), &r, &text, &mode),
                     CHECKED_FILE_OK);
    assert_int_equal(text.n, 10);
    assert_true(str_is_tainted(text));
    assert_int_equal(mode, 0100644);
}

/* At the cap it is read, one byte more is too much. */
static void
test_cap(void **state)
{
    struct place *p = *state;
    struct checked_file_rules r = {.max = 100};
    struct str text;
    assert_int_equal(checked_file_read(p->arena, make(p, "file", 99, 0600), &r, &text, NULL),
                     CHECKED_FILE_OK);
    assert_int_equal(checked_file_read(p->arena, make(p, "file", 100, 0600), &r, &text, NULL),
                     CHECKED_FILE_OK);
    assert_int_equal(text.n, 100);
    assert_int_equal(checked_file_read(p->arena, make(p, "file", 101, 0600), &r, &text, NULL),
                     CHECKED_FILE_TOO_BIG);
}

static void
test_mode(void **state)
{
    struct place *p = *state;
    struct checked_file_rules r = {.max = 100, .forbidden_mode = 022};
    struct str text;
    unsigned mode = 0;
    assert_int_equal(checked_file_read(p->arena, make(p, "file", 1, 0664), &r, &text, &mode),
                     CHECKED_FILE_BAD_MODE);
    assert_int_equal(mode, 0100664);
}

static void
test_owner_and_group(void **state)
{
    struct place *p = *state;
    const int64_t other[] = {123456}, me[] = {123456, geteuid()}, us[] = {getegid()};
    const char *path = make(p, "file", 1, 0600);
    struct checked_file_rules r = {.max = 100, .check_owner = true};
    struct str text;
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(checked_file_read(p->arena, path, &r, &text, NULL),
                     CHECKED_FILE_BAD_OWNER);
    r.owners = other;
    r.owners_n = 1;
    assert_int_equal(checked_file_read(p->arena, path, &r, &text, NULL),
                     CHECKED_FILE_BAD_OWNER);
    r.owners = me;
    r.owners_n = 2;
    assert_int_equal(checked_file_read(p->arena, path, &r, &text, NULL), CHECKED_FILE_OK);
    r.check_group = true;
    assert_int_equal(checked_file_read(p->arena, path, &r, &text, NULL),
                     CHECKED_FILE_BAD_GROUP);
    r.groups = us;
    r.groups_n = 1;
    assert_int_equal(checked_file_read(p->arena, path, &r, &text, NULL),
                     (int64_t)st.st_gid == us[0] ? CHECKED_FILE_OK : CHECKED_FILE_BAD_GROUP);
}

/* Neither is waited for. */
static void
test_what_is_no_file(void **state)
{
    struct place *p = *state;
    struct checked_file_rules r = {.max = 100};
    struct str text;
    assert_int_equal(mkfifo(name(p, "fifo"), 0600), 0);
    assert_int_equal(mkdir(name(p, "dir"), 0700), 0);
    assert_int_equal(checked_file_read(p->arena, name(p, "fifo"), &r, &text, NULL),
                     CHECKED_FILE_NOT_REGULAR);
    assert_int_equal(checked_file_read(p->arena, name(p, "dir"), &r, &text, NULL),
                     CHECKED_FILE_NOT_REGULAR);
    assert_int_equal(checked_file_read(p->arena, "/dev/null", &r, &text, NULL),
                     CHECKED_FILE_NOT_REGULAR);
    errno = 0;
    assert_int_equal(checked_file_read(p->arena, name(p, "none"), &r, &text, NULL),
                     CHECKED_FILE_NO_OPEN);
    assert_int_equal(errno, ENOENT);
}

static void
test_links(void **state)
{
    struct place *p = *state;
    struct checked_file_rules r = {.max = 100};
    struct str text;
    (void)make(p, "file", 5, 0600);
    assert_int_equal(symlink("file", name(p, "link")), 0);
    assert_int_equal(checked_file_read(p->arena, name(p, "link"), &r, &text, NULL),
                     CHECKED_FILE_OK);
    assert_int_equal(unlink(name(p, "link")), 0);
    assert_int_equal(symlink("/proc/self/exe", name(p, "link")), 0);
    assert_int_equal(checked_file_read(p->arena, name(p, "link"), &r, &text, NULL),
                     CHECKED_FILE_NO_OPEN);
    assert_int_equal(errno, ELOOP);
}

static void
test_beneath(void **state)
{
    struct place *p = *state;
    struct checked_file_rules r = {.max = 100};
    struct str text;
    assert_int_equal(mkdir(name(p, "sub"), 0700), 0);
    (void)make(p, "sub/file", 5, 0600);
    (void)make(p, "out", 5, 0600);
    r.beneath = name(p, "sub");
    assert_int_equal(checked_file_read(p->arena, name(p, "sub/file"), &r, &text, NULL),
                     CHECKED_FILE_OK);
    assert_int_equal(checked_file_read(p->arena, name(p, "out"), &r, &text, NULL),
                     CHECKED_FILE_NO_OPEN);
    assert_int_equal(checked_file_read(p->arena, name(p, "sub/../out"), &r, &text, NULL),
                     CHECKED_FILE_NO_OPEN);
    assert_int_equal(errno, EXDEV);
    r.beneath = name(p, "sub/");
    assert_int_equal(checked_file_read(p->arena, name(p, "sub//file"), &r, &text, NULL),
                     CHECKED_FILE_OK);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_reads),
        TEST(test_cap),
        TEST(test_mode),
        TEST(test_owner_and_group),
        TEST(test_what_is_no_file),
        TEST(test_links),
        TEST(test_beneath),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
