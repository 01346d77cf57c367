/* Tests of the program remex-dbmbuild beside which this test was built: texts, exit codes, and that the
 * lookups read what it writes. Expected texts are those of exim_dbmbuild. */
#include "lookups_fixture.h"

#include <limits.h>
#include <sys/wait.h>

struct run {
    int status;
    char out[4096];
};

/* BUILD/test/unit/x -> BUILD/remex-dbmbuild; false when it was not built. */
static bool
program(char *path, size_t n)
{
    ssize_t len = readlink("/proc/self/exe", path, n - 1);
    assert_true(len > 0);
    path[len] = '\0';
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr(path, '/');
        assert_non_null(slash);
        *slash = '\0';
    }
    strncat(path, "/remex-dbmbuild", n - strlen(path) - 1);
    return access(path, X_OK) == 0;
}

/* Runs it in the fixture's folder; both outputs together, stderr first. */
static struct run
run(struct lookups_fixture *f, const char *arguments)
{
    char path[PATH_MAX], command[PATH_MAX * 2];
    struct run r = {0};
    if (!program(path, sizeof path))
        skip();
    snprintf(command, sizeof command,
             "cd %s && ln -sf %s exim_dbmbuild && ./exim_dbmbuild %s 2>&1", f->dir, path,
             arguments);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    size_t n = fread(r.out, 1, sizeof r.out - 1, p);
    r.out[n] = '\0';
    int rc = pclose(p);
    assert_true(WIFEXITED(rc));
    r.status = WEXITSTATUS(rc);
    return r;
}

#define CHECK_RUN(f, arguments, rc, text)                                                      \
    do {                                                                                       \
        struct run r_ = run((f), (arguments));                                                 \
        assert_string_equal(r_.out, (text));                                                   \
        assert_int_equal(r_.status, (rc));                                                     \
    } while (0)

static void
entries_and_duplicates(void **state)
{
    struct lookups_fixture *f = *state;
    fixture_file(f, "in",
                 "one: first\nTwo: second\n  cont\none: dup\n\"q k\": quoted\nempty:\n");
    const char *db = fixture_path(f, "db");
    CHECK_RUN(f, "in db", 1, "** Duplicate key \"one\"\n4 entries written\n1 duplicate key \n");
    CHECK(f, "dbm", db, "one", "=first");
    CHECK(f, "dbm", db, "two", "=second cont");
    CHECK(f, "dbm", db, "q k", "=quoted");
    CHECK(f, "dbm", db, "empty", "=");
    CHECK(f, "dbmnz", db, "one", "-");
    CHECK_RUN(f, "-nowarn -noduperr in db", 0, "4 entries written\n1 duplicate key \n");
    CHECK_RUN(f, "-nowarn -lastdup -nozero -nolc in db", 1,
              "4 entries written\n1 duplicate key \n");
    CHECK(f, "dbmnz", db, "one", "=dup");
    CHECK(f, "dbmnz", db, "Two", "=second cont");
    CHECK(f, "dbmnz", db, "two", "-");
}

static void
calls_that_are_refused(void **state)
{
    struct lookups_fixture *f = *state;
    fixture_file(f, "in", "k: v\n");
    CHECK_RUN(f, "", 1, "usage: exim_dbmbuild [-nolc] <source file> <dbm base name>\n");
    CHECK_RUN(f, "in", 1, "usage: exim_dbmbuild [-nolc] <source file> <dbm base name>\n");
    CHECK_RUN(f, "-foo in db", 1,
              "usage: exim_dbmbuild [-nolc] <source file> <dbm base name>\n");
    CHECK_RUN(f, "in in", 1, "exim_dbmbuild: input and output filenames are the same\n");
    CHECK_RUN(f, "none db", 1,
              "exim_dbmbuild: unable to open none: No such file or directory\n");
    CHECK_RUN(
        f, "in none/db", 1,
        "exim_dbmbuild: unable to create none/db.dbmbuild_temp: No such file or directory\n");
    CHECK_RUN(f, "in .", 1, "Unable to rename ..dbmbuild_temp as .\n");
}

static void
limits_of_lines_and_keys(void **state)
{
    struct lookups_fixture *f = *state;
    char text[20100];
    const char *too_long =
        "Overlong line read: max permitted length is 19999\ndbmbuild abandoned\n";
    for (int n = 19998; n <= 20000; n++) {
        memset(text, 'x', sizeof text);
        memcpy(text, "k: ", 3);
        text[n] = '\n';
        fixture_bytes(f, "in", text, (size_t)n + 1);
        CHECK_RUN(f, "in db", n > 19998 ? 2 : 0, n > 19998 ? too_long : "1 entry written\n");
    }
    for (int n = 254; n <= 256; n++) {
        text[n] = ':';
        text[n + 1] = '\n';
        memset(text, 'k', (size_t)n);
        fixture_bytes(f, "in", text, (size_t)n + 2);
        CHECK_RUN(
            f, "in db", n > 255 ? 2 : 0,
            n > 255 ? "Keys longer than 255 characters cannot be handled\ndbmbuild abandoned\n"
                    : "1 entry written\n");
    }
    assert_int_not_equal(access(fixture_path(f, "db.dbmbuild_temp"), F_OK), 0);
}

static void
standard_input_and_stray_lines(void **state)
{
    struct lookups_fixture *f = *state;
    fixture_file(f, "in", " stray: x\nok: y\n");
    CHECK_RUN(f, "- db < in", 0,
              "Unexpected continuation line ignored\n stray: x\n\n1 entry written\n");
    CHECK_RUN(f, "- db < /dev/null", 0, "0 entries written\n");
    CHECK(f, "dbm", fixture_path(f, "db"), "ok", "-");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(entries_and_duplicates),
        LOOKUP_TEST(calls_that_are_refused),
        LOOKUP_TEST(limits_of_lines_and_keys),
        LOOKUP_TEST(standard_input_and_stray_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
