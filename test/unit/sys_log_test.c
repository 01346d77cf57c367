/* Logs: where they go, stamps, one write a line, refused bytes, files that are made. */
#include "sys/log.h"

#include "base/arena.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/remex-log-XXXXXX";
static struct arena *a;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    setenv("TZ", "UTC", 1);
    return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static void
check_place(const char *list, enum log_kind kind, const char *file, bool to_syslog)
{
    struct log_settings s = {.file_path = str_from_cstr(list),
                             .default_path = STR_LIT("/d/%slog")};
    struct log_places p;
    struct str error = STR_EMPTY;
    bool ok = log_find_places(a, &s, kind, 1716825146, &p, &error);
    assert_int_equal(ok, error.n == 0);
    assert_int_equal(p.syslog, to_syslog);
    if (file == NULL)
        assert_false(str_is_set(p.file));
    else if (!str_eqz(p.file, file))
        fail_msg("%s: %.*s", list, STR_ARG(p.file));
}

static void
test_places(void **state)
{
    (void)state;
    check_place("/x/%slog", LOGFILE_MAIN, "/x/mainlog", false);
    check_place("/x/%slog-%D", LOGFILE_REJECT, "/x/rejectlog-20240527", false);
    check_place("/x/%s-%M", LOGFILE_MAIN, "/x/main-202405", false);
    check_place("/x/%s-%D", LOGFILE_PANIC, "/x/panic-", false);
    check_place("syslog", LOGFILE_MAIN, NULL, true);
    check_place("syslog : /x/%s", LOGFILE_MAIN, "/x/main", true);
    check_place("syslog :", LOGFILE_MAIN, "/d/mainlog", true);
    check_place("", LOGFILE_MAIN, "/d/mainlog", false);
    check_place("/x/log", LOGFILE_MAIN, NULL, false);
    check_place("x/%s", LOGFILE_MAIN, NULL, false);
    check_place("/x/%s%q", LOGFILE_MAIN, NULL, false);
    check_place("/x/%s%", LOGFILE_MAIN, NULL, false);
    check_place("/x/%s%%", LOGFILE_MAIN, "/x/main%", false);
}

static void
test_stamp(void **state)
{
    (void)state;
    assert_true(str_eqz(log_stamp(a, 1716825146, false), "2024-05-27 15:52:26 "));
    assert_true(str_eqz(log_stamp(a, 1716825146, true), "2024-05-27 15:52:26 +0000 "));
}

static void
test_write(void **state)
{
    (void)state;
    struct log_settings s = {.file_path = str_printf(a, "%s/sub/%%slog", dir)};
    struct str lines[] = {STR_INIT("one"), STR_INIT("  two")}, error, text;
    assert_true(log_write(a, &s, LOGFILE_PANIC, lines, 2, &error));
    assert_true(log_write(a, &s, LOGFILE_PANIC, lines, 1, &error));
    char *path = str_cstr(a, str_printf(a, "%s/sub/paniclog", dir));
    assert_int_equal(file_read(a, path, 1000, &text), FILE_OK);
    assert_int_equal(text.n, 2 * 20 + 4 + 6 + 4);
    assert_memory_equal(text.p + 19, " one\n  two\n", 11);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    unlink(path);
    /* A link in place of the log is not followed. */
    assert_int_equal(symlink("/tmp/remex-must-not-be-made", path), 0);
    assert_false(log_write(a, &s, LOGFILE_PANIC, lines, 1, &error));
    assert_int_not_equal(access("/tmp/remex-must-not-be-made", F_OK), 0);
    unlink(path);
    /* Nor is a pipe waited for. */
    assert_int_equal(mkfifo(path, 0600), 0);
    unlink(path);
}

static void
test_refused(void **state)
{
    (void)state;
    struct log_settings s = {.file_path = str_printf(a, "%s/%%slog", dir)};
    static const struct str bad[] = {STR_INIT("a\nb"), STR_INIT("a\rb"), STR_INIT("a\0b")};
    struct str error;
    for (size_t i = 0; i < 3; i++) {
        assert_false(log_write(a, &s, LOGFILE_MAIN, &bad[i], 1, &error));
        assert_true(str_eqz(error, "a log entry with CR, LF or NUL was refused"));
    }
    assert_false(log_write(a, &s, LOGFILE_MAIN, bad, 0, &error));
    assert_int_not_equal(access(str_cstr(a, str_printf(a, "%s/mainlog", dir)), F_OK), 0);
}

/* A main log that is kept open follows its name when that comes to mean another file, within a moment. */
static void
test_kept(void **state)
{
    (void)state;
    struct arena *own = arena_new();
    struct str error = STR_EMPTY, line = STR_LIT("line");
    struct log_settings s = {.file_path = str_printf(own, "%s/kept%%s", dir),
                             .stamp = STR_LIT("t "),
                             .kept = log_kept_new(own)};
    const char *path = str_cstr(own, str_printf(own, "%s/keptmain", dir));
    const char *old = str_cstr(own, str_printf(own, "%s/keptmain.1", dir));
    for (int i = 0; i < 3; i++)
        assert_true(log_write(own, &s, LOGFILE_MAIN, &line, 1, &error));
    assert_true(log_write(own, &s, LOGFILE_PANIC, &line, 1, &error));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3 * strlen("t line\n"));
    assert_int_equal(rename(path, old), 0);
    int writes = 0;
    while (access(path, F_OK) != 0 && ++writes < 10000000)
        assert_true(log_write(own, &s, LOGFILE_MAIN, &line, 1, &error));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, strlen("t line\n"));
    arena_free(own);
    (void)unlink(path);
    (void)unlink(old);
    (void)unlink(str_cstr(a, str_printf(a, "%s/keptpanic", dir)));
}

static void
assert_content(const char *path, const char *expected)
{
    struct str text = STR_EMPTY;
    assert_int_equal(file_read(a, path, 4096, &text), FILE_OK);
    assert_string_equal(str_cstr(a, text), expected);
}

/* An entry that is held comes with the next one, or when it is let go; one that is too long is not held. */
static void
test_held(void **state)
{
    (void)state;
    struct arena *own = arena_new();
    struct str error = STR_EMPTY;
    const struct str one = STR_LIT("one"), two = STR_LIT("two");
    struct log_settings s = {.file_path = str_printf(own, "%s/held%%s", dir),
                             .stamp = STR_LIT("t "),
                             .kept = log_kept_new(own)};
    const char *path = str_cstr(own, str_printf(own, "%s/heldmain", dir));
    log_kept_release(s.kept); /* nothing is held */
    assert_true(log_write(own, &s, LOGFILE_MAIN, &one, 1, &error));
    log_kept_hold(s.kept);
    assert_true(log_write(own, &s, LOGFILE_MAIN, &two, 1, &error));
    assert_content(path, "t one\n");
    assert_true(log_write(own, &s, LOGFILE_MAIN, &one, 1, &error));
    assert_content(path, "t one\nt two\nt one\n");
    log_kept_hold(s.kept);
    assert_true(log_write(own, &s, LOGFILE_MAIN, &two, 1, &error));
    log_kept_release(s.kept);
    log_kept_release(s.kept);
    assert_content(path, "t one\nt two\nt one\nt two\n");
    for (size_t n = LOG_HELD_MAX - 1; n <= LOG_HELD_MAX + 1;
         n++) { /* with the stamp and the newline */
        char *big = memset(arena_alloc(own, n), 'x', n);
        const struct str line = str_from(big, n - 3);
        assert_int_equal(truncate(path, 0), 0);
        log_kept_hold(s.kept);
        assert_true(log_write(own, &s, LOGFILE_MAIN, &line, 1, &error));
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, n > LOG_HELD_MAX ? n : 0);
        log_kept_release(s.kept);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, n);
    }
    assert_int_equal(truncate(path, 0), 0);
    log_kept_hold(s.kept);
    assert_true(log_write(own, &s, LOGFILE_MAIN, &two, 1, &error));
    arena_free(own); /* what is held is not lost with who holds it */
    assert_content(path, "t two\n");
    (void)unlink(path);
}

/* Where a kept log goes is remembered, but not beyond a change of the setting, and not when the name has a date. */
static void
test_kept_places(void **state)
{
    (void)state;
    struct arena *own = arena_new();
    struct str error = STR_EMPTY, line = STR_LIT("line");
    struct log_settings s = {.stamp = STR_LIT("t "), .kept = log_kept_new(own)};
    static const char *const names[] = {"a", "a", "b", "a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *path = str_cstr(own, str_printf(own, "%s/%smain", dir, names[i]));
        s.file_path = str_printf(own, "%s/%s%%s", dir, names[i]);
        assert_true(log_write(own, &s, LOGFILE_MAIN, &line, 1, &error));
        assert_content(path, "t line\n");
        assert_int_equal(truncate(path, 0), 0);
    }
    s.file_path = str_printf(own, "%s/d%%s-%%D", dir);
    struct log_places p;
    time_t now = time(NULL);
    assert_true(log_write(own, &s, LOGFILE_MAIN, &line, 1, &error));
    assert_true(log_write(own, &s, LOGFILE_MAIN, &line, 1, &error));
    assert_true(log_find_places(own, &s, LOGFILE_MAIN, now, &p, &error));
    if (time(NULL) / 86400 == now / 86400)
        assert_content(str_cstr(own, p.file), "t line\nt line\n");
    (void)unlink(str_cstr(own, p.file));
    (void)unlink(str_cstr(own, str_printf(own, "%s/amain", dir)));
    (void)unlink(str_cstr(own, str_printf(own, "%s/bmain", dir)));
    arena_free(own);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),      cmocka_unit_test(test_stamp),
        cmocka_unit_test(test_write),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_kept),        cmocka_unit_test(test_held),
        cmocka_unit_test(test_kept_places),
    };
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    char sub[64];
    snprintf(sub, sizeof sub, "%s/sub", dir);
    rmdir(sub);
    rmdir(dir);
    return failed;
}
