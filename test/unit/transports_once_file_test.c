/* Who got a reply already: asked again, after a while, with a limit, and files that are something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transports/once_file.h"

#include "base/arena.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *a;
static char root[] = "/tmp/remex_once_XXXXXX";
static char path[64], list[64];

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    memcpy(root + sizeof root - 7, "XXXXXX", 6);
    if (mkdtemp(root) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/once", root);
    (void)snprintf(list, sizeof list, "%s/once.list", root);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    (void)unlink(path);
    (void)unlink(list);
    return rmdir(root);
}

static enum once_answer
ask(const char *who, int64_t now, int64_t repeat_s, int64_t max_size)
{
    const struct once_question q = {.path = path,
                                    .mode = 0640,
                                    .max_size = max_size,
                                    .who = str_from_cstr(who),
                                    .now = now,
                                    .repeat_s = repeat_s};
    return once_file_ask(a, &q);
}

static struct str
content(const char *name)
{
    struct str s;
    return file_read(a, name, 1000000, &s) == FILE_OK ? s : STR_NULL;
}

static void
test_once(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(ask("a@b", 1000, 0, 0), ONCE_SEND);
    assert_int_equal(ask("a@b", 1001, 0, 0), ONCE_ALREADY);
    assert_int_equal(ask("a@bc", 1001, 0, 0), ONCE_SEND);
    assert_int_equal(ask("A@B", 1001, 0, 0),
                     ONCE_ALREADY); /* addresses are compared without case */
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void
test_again_after_a_while(void **state)
{
    (void)state;
    assert_int_equal(ask("a@b", 1000, 60, 0), ONCE_SEND);
    assert_int_equal(ask("a@b", 1059, 60, 0), ONCE_ALREADY);
    assert_int_equal(ask("a@b", 1060, 60, 0), ONCE_SEND);
    assert_int_equal(ask("a@b", 1061, 60, 0), ONCE_ALREADY); /* counted from the last one */
    uint32_t n = content(path).n;
    assert_int_equal(ask("a@b", 2000, 60, 0), ONCE_SEND);
    assert_int_equal(content(path).n, n); /* changed in place */
}

static void
test_limit(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char who[32];
        (void)snprintf(who, sizeof who, "user%03d@example", i);
        assert_int_equal(ask(who, 1000 + i, 0, 500), ONCE_SEND);
        assert_true(content(path).n <= 500);
    }
    assert_int_equal(ask("user099@example", 2000, 0, 500), ONCE_ALREADY);
    assert_int_equal(ask("user000@example", 2000, 0, 500),
                     ONCE_SEND); /* the oldest ones went */
}

static void
test_odd_keys(void **state)
{
    (void)state;
    char *big = arena_alloc(a, 5000);
    memset(big, 'x', 4999);
    big[4999] = '\0';
    assert_int_equal(ask(big, 1000, 0, 0), ONCE_SEND);
    assert_int_equal(ask(big, 1000, 0, 0), ONCE_ALREADY);
    assert_int_equal(ask("a\nb", 1000, 0, 0), ONCE_SEND);
    assert_int_equal(ask("a\nb", 1000, 0, 0), ONCE_ALREADY);
    struct str text = content(path);
    size_t lines = 0;
    for (uint32_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    assert_int_equal(lines, 2); /* no key makes a line of its own */
}

/* A database of another program is left alone. */
static void
test_something_else(void **state)
{
    (void)state;
    static const char other[] = "\x13\x57\x9a\xce database";
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, other, sizeof other), sizeof other);
    close(fd);
    assert_int_equal(ask("a@b", 1000, 0, 0), ONCE_SEND);
    assert_int_equal(ask("a@b", 1000, 0, 0), ONCE_ALREADY);
    assert_int_equal(content(path).n, sizeof other);
    assert_true(content(list).n > 0);
}

static void
test_cut_list(void **state)
{
    (void)state;
    assert_int_equal(ask("a@b", 1000, 0, 0), ONCE_SEND);
    assert_int_equal(ask("c@d", 1000, 0, 0), ONCE_SEND);
    assert_int_equal(truncate(path, (off_t)content(path).n - 3), 0);
    assert_int_equal(ask("a@b", 1001, 0, 0), ONCE_ALREADY);
    assert_int_equal(ask("c@d", 1001, 0, 0), ONCE_SEND);
    assert_int_equal(ask("c@d", 1002, 0, 0), ONCE_ALREADY);
}

static void
test_no_place(void **state)
{
    (void)state;
    const struct once_question q = {
        .path = "/proc/no/such/once", .mode = 0600, .who = STR_LIT("a@b"), .now = 1};
    assert_int_equal(once_file_ask(a, &q), ONCE_ERROR);
    assert_int_equal(errno, ENOENT);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_once),     CASE(test_again_after_a_while), CASE(test_limit),
        CASE(test_odd_keys), CASE(test_something_else),      CASE(test_cut_list),
        CASE(test_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
