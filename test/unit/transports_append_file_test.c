/* Mailbox files: what is written, which mailboxes are refused and how, locks, and what a failed call leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

#include "append_fixture.h"
#include "durable_faults.h"

static const char body[] = "Subject: x\nTo: u@d\n\n>From x\nbody\n\n";

static void
test_appends(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    for (int i = 0; i < 2; i++) {
        append_begin(&c,
                     "  file = %R/a/b/m\n  message_prefix = ${if def:return_path{P}{Q}}\\n\n");
        append_good(&c);
        const char *text = append_content(&c, "a/b/m");
        assert_int_equal(strlen(text), (size_t)(i + 1) * (2 + strlen(body)));
        assert_memory_equal(text, "P\n", 2);
        assert_string_equal(text + strlen(text) - strlen(body), body);
        assert_int_equal(append_names(&c, "a/b", NULL, 0), 1);
        struct stat st;
        assert_int_equal(stat(append_at(&c, "a/b/m"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(stat(append_at(&c, "a"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        append_end(&c);
    }
}

/* A mailbox that is there already, made by `make`; the answer. */
struct refusal {
    void (*make)(struct append_case *c);
    const char *options;
    int err;
    const char *log; /* %R: the folder */
};

static void
make_file(struct append_case *c)
{
    append_write_file(c, "m", "", 0600);
}

static void
make_narrow(struct append_case *c)
{
    append_write_file(c, "m", "", 0400);
}

static void
make_linked(struct append_case *c)
{
    make_file(c);
    assert_int_equal(link(append_at(c, "m"), append_at(c, "n")), 0);
}

static void
make_symlink(struct append_case *c)
{
    append_write_file(c, "n", "", 0600);
    assert_int_equal(symlink("n", append_at(c, "m")), 0);
}

static void
make_fifo(struct append_case *c)
{
    assert_int_equal(mkfifo(append_at(c, "m"), 0600), 0);
}

static void
make_lock(struct append_case *c)
{
    append_write_file(c, "m.lock", "", 0600);
}

static void
make_nothing(struct append_case *c)
{
    (void)c;
}

/* clang-format off */
static const struct refusal refusals[] = {
    {make_narrow, "", WHY_WRONG_MODE, "mailbox %R/m has the wrong mode 400 (600 expected)"},
    {make_linked, "", WHY_NOT_REGULAR, "mailbox %R/m has too many links (2)"},
    {make_symlink, "", WHY_NOT_REGULAR, "mailbox %R/m is not a regular file"},
    {make_fifo, "", WHY_NOT_REGULAR, "mailbox %R/m is not a regular file"},
    {make_fifo, "  allow_fifo\n", ENXIO,
        "while opening named pipe %R/m (could mean no process is reading it)"},
    {make_lock, "", WHY_LOCKED, "failed to lock mailbox %R/m (lock file)"},
    {make_nothing, "  file_must_exist\n", ENOENT,
        "mailbox %R/m does not exist, but file_must_exist is set"},
    {make_nothing, "  create_file = /usr\n", WHY_CREATE_PLACE,
        "mailbox %R/m does not exist, but creation outside the home directory is not permitted"},
};
/* clang-format on */

static void
test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct append_case c;
        char options[300], log[300];
        append_clean();
        (void)snprintf(options, sizeof options,
                       "  file = %%R/m\n  lock_retries = 1\n  lock_interval = 0s\n%s",
                       r->options);
        append_begin(&c, options);
        r->make(&c);
        const char *at = strstr(r->log, "%R");
        (void)snprintf(log, sizeof log, "%.*s%s%s", (int)(at - r->log), r->log, append_root,
                       at + 2);
        assert_string_equal(append_run(&c), log);
        assert_int_equal(c.answer.why.outcome, OUT_DEFER);
        assert_int_equal(c.answer.why.sys_errno, r->err);
        assert_false(c.answer.freeze);
        append_end(&c);
    }
}

static void
test_symlink_allowed(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    append_begin(&c, "  file = %R/m\n  allow_symlink\n  message_prefix =\n");
    make_symlink(&c);
    append_good(&c);
    assert_string_equal(append_content(&c, "n"), body);
    append_end(&c);
}

static void
test_stale_lock(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    append_begin(&c, "  file = %R/m\n  lockfile_timeout = 1s\n  lock_interval = 0s\n"
                     "  lock_retries = 2\n  message_prefix =\n");
    make_lock(&c);
    sleep(3);
    append_good(&c);
    assert_string_equal(append_content(&c, "m"), body);
    assert_int_equal(append_names(&c, ".", NULL, 0), 1);
    append_end(&c);
}

static void
test_mode_kept(void **state)
{
    (void)state;
    struct append_case c;
    struct stat st;
    append_clean();
    append_begin(&c, "  file = %R/m\n  mode = 0660\n  no_mode_fail_narrower\n");
    append_write_file(&c, "m", "", 0604);
    append_good(&c);
    assert_int_equal(stat(append_at(&c, "m"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0604);
    append_end(&c);
    append_begin(&c, "  file = %R/m\n  mode = 0600\n");
    append_good(&c);
    assert_int_equal(stat(append_at(&c, "m"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    append_end(&c);
}

/* Whichever call fails, the mailbox has its old text and nothing else is left. Calls that undo things may fail as well: then the
 * lock file stays at worst, so the counting ends with the last call that matters. */
static void
test_faults(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    for (size_t e = 0; e < 2; e++) {
        int n = 0;
        for (int at = 1;; at++) {
            struct append_case c;
            append_clean();
            append_begin(&c, "  file = %R/m\n  lock_retries = 1\n  message_prefix =\n");
            append_write_file(&c, "m", "old\n", 0600);
            faults_set(at, errors[e]);
            c.job.calls = &faulty;
            (void)append_run(&c);
            bool ok = c.answer.why.outcome == OUT_OK;
            const char *text = append_content(&c, "m");
            if (ok)
                assert_int_equal(strlen(text), 4 + strlen(body));
            else {
                assert_string_equal(text, "old\n");
                assert_int_equal(c.answer.why.outcome, OUT_DEFER);
                n++;
            }
            bool reached = faults.calls >= at;
            append_end(&c);
            if (!reached)
                break;
        }
        assert_in_range(n, 4, 20); /* post, link, open, write, fsync */
    }
}

static void
test_names(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    append_begin(&c, "  file = m\n");
    assert_string_equal(append_run(&c),
                        "appendfile: file or directory name \"m\" is not absolute");
    assert_int_equal(c.answer.why.sys_errno, WHY_NOT_ABSOLUTE);
    append_end(&c);
    append_begin(&c, "  use_fcntl_lock\n");
    assert_string_equal(append_run(&c),
                        "Mandatory file or directory option missing from t transport");
    assert_int_equal(c.answer.why.outcome, OUT_ERROR);
    append_end(&c);
    append_begin(&c, "  file = %R/$local_part\n");
    assert_non_null(
        strstr(append_run(&c), "/u' (file or directory name for t transport) not permitted"));
    assert_int_equal(c.answer.why.outcome, OUT_ERROR);
    append_end(&c);
    append_begin(&c, "  file = %R/$local_part\n  create_file = %R\n");
    append_good(&c);
    append_end(&c);
    append_begin(&c, "  file = ${if\n");
    assert_string_equal(append_run(&c), "Expansion of \"${if\" (file or directory name for t "
                                        "transport) failed: condition name expected, but found "
                                        "\"\"");
    append_end(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_names),      cmocka_unit_test(test_symlink_allowed),
        cmocka_unit_test(test_mode_kept),  cmocka_unit_test(test_faults),
        cmocka_unit_test(test_stale_lock),
    };
    return cmocka_run_group_tests(tests, append_setup, append_teardown);
}
