/* Deliveries to folders: plain files, maildirs, mailstore; quotas, and what a failed call leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

#include "append_fixture.h"
#include "durable_faults.h"

static const char body[] = "Subject: x\nTo: u@d\n\nFrom x\nbody\n";
enum { BODY_N = sizeof body - 1 };

/* The one file in a folder, with its name. */
static const char *
only_file(struct append_case *c, const char *folder, char name[256])
{
    char path[300];
    assert_int_equal(append_names(c, folder, name, 256), 1);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return append_content(c, path);
}

static void
test_plain(void **state)
{
    (void)state;
    struct append_case c;
    char name[256];
    append_clean();
    append_begin(&c, "  directory = %R/d/e\n");
    append_good(&c);
    assert_string_equal(only_file(&c, "d/e", name), body);
    assert_int_equal(name[0], 'q');
    assert_non_null(strchr(name, '-'));
    append_end(&c);
}

static void
test_plain_taken(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    append_begin(&c, "  directory = %R\n  directory_file = x\n");
    append_write_file(&c, "x", "old", 0600);
    assert_non_null(strstr(append_run(&c), "while renaming "));
    assert_int_equal(c.answer.why.sys_errno, EEXIST);
    assert_string_equal(append_content(&c, "x"), "old");
    assert_int_equal(append_names(&c, ".", NULL, 0), 1);
    append_end(&c);
    append_begin(&c, "  directory = %R\n  directory_file = a$local_part\n");
    c.address.local_part = STR_LIT("/../../x");
    (void)append_run(&c);
    assert_int_equal(c.answer.why.outcome, OUT_ERROR);
    assert_int_equal(append_names(&c, ".", NULL, 0), 1);
    append_end(&c);
}

static void
test_maildir(void **state)
{
    (void)state;
    struct append_case c;
    char name[256];
    append_clean();
    append_begin(&c,
                 "  directory = %R/m\n  maildir_format\n  maildir_tag = ,S=$message_size\n");
    append_good(&c);
    assert_string_equal(only_file(&c, "m/new", name), body);
    assert_non_null(strstr(name, ".host.example,S=32"));
    assert_int_equal(append_names(&c, "m/tmp", NULL, 0), 0);
    assert_int_equal(append_names(&c, "m/cur", NULL, 0), 0);
    assert_int_equal(c.message.size, 32);
    append_end(&c);
}

/* An attempt that was interrupted after the message got there is not made twice, wherever its reader put it meanwhile. */
static void
test_maildir_again(void **state)
{
    (void)state;
    struct append_case c;
    char name[256], from[300], to[300];
    append_clean();
    append_begin(&c, "  directory = %R\n  maildir_format\n  maildir_tag = ,S=$message_size\n");
    append_good(&c);
    append_good(&c);
    (void)only_file(&c, "new", name);
    assert_int_equal(append_names(&c, "tmp", NULL, 0), 0);
    (void)snprintf(from, sizeof from, "new/%s", name);
    (void)snprintf(to, sizeof to, "cur/%s:2,S", name);
    assert_int_equal(rename(append_at(&c, from), append_at(&c, to)), 0);
    c.message.received_time -= 60;
    append_good(&c);
    assert_int_equal(append_names(&c, "new", NULL, 0), 1); /* another time, another message */
    (void)only_file(&c, "new", name);
    (void)snprintf(from, sizeof from, "new/%s", name);
    (void)snprintf(to, sizeof to, "cur/%s:2,", name);
    assert_int_equal(rename(append_at(&c, from), append_at(&c, to)), 0);
    append_good(&c);
    assert_int_equal(append_names(&c, "new", NULL, 0), 0);
    c.address.text = STR_LIT("v@d");
    append_good(&c);
    assert_int_equal(append_names(&c, "new", NULL, 0), 1);
    append_end(&c);
}

static const struct {
    const char *tag, *end;
} tags[] = {
    {"abc\\td/ef", "host.example:abcdef"},
    {"${if eq{a}{b}{x}fail}", "host.example"},
    {"/", "host.example"},
    {"${sg{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}{x}{xxxxx}}",
     "host.example"},
};

static void
test_tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        struct append_case c;
        char name[256], options[300];
        append_clean();
        (void)snprintf(options, sizeof options,
                       "  directory = %%R\n  maildir_format\n  maildir_tag = %s\n",
                       tags[i].tag);
        append_begin(&c, options);
        append_good(&c);
        (void)only_file(&c, "new", name);
        assert_true(str_ends(str_from_cstr(name), str_from_cstr(tags[i].end)));
        append_end(&c);
    }
}

static void
test_maildir_folders(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    append_begin(&c, "  directory = %R/m\n  maildir_format\n  no_create_directory\n");
    assert_non_null(strstr(append_run(&c), "stat() error for "));
    assert_int_equal(c.answer.why.sys_errno, ENOENT);
    append_end(&c);
    append_begin(&c, "  directory = %R/m\n  maildir_format\n");
    append_write_file(&c, "m", "", 0600);
    assert_non_null(strstr(append_run(&c), "/m is not a directory"));
    assert_int_equal(c.answer.why.sys_errno, WHY_NOT_FOLDER);
    append_end(&c);
    append_begin(&c, "  directory = %R/.f\n  maildir_format\n  maildirfolder_create_regex = "
                     "/[.][^/]+$\n");
    append_good(&c);
    assert_string_equal(append_content(&c, ".f/maildirfolder"), "");
    append_end(&c);
    append_begin(&c, "  directory = %R/z\n  maildir_format\n  create_file = /usr\n");
    assert_non_null(strstr(append_run(&c), "tried to create file in "));
    assert_int_equal(c.answer.why.sys_errno, WHY_CREATE_PLACE);
    append_end(&c);
}

static void
test_mailstore(void **state)
{
    (void)state;
    struct append_case c;
    char name[256];
    append_clean();
    append_begin(&c, "  directory = %R/m\n  mailstore_format\n  mailstore_prefix = pre\n"
                     "  mailstore_suffix = ${if eq{a}{b}{x}fail}\n");
    append_good(&c);
    assert_int_equal(append_names(&c, "m", name, sizeof name), 2);
    char path[300];
    (void)snprintf(path, sizeof path, "m/%.*s.env", (int)(strlen(name) - 4), name);
    assert_string_equal(append_content(&c, path), "pre\ns@e\nu@d\n");
    (void)snprintf(path, sizeof path, "m/%.*s.msg", (int)(strlen(name) - 4), name);
    assert_string_equal(append_content(&c, path), body);
    append_end(&c);
}

/* A quota in front of a mailbox of 100 bytes in one file; the message counts 32 bytes. */
static const struct {
    const char *options;
    const char *which; /* NULL: fits */
} limits[] = {
    {"  quota = 132\n", NULL},
    {"  quota = 131\n", ""},
    {"  quota = 131/no_check\n", NULL},
    {"  quota = 0.131K\n", NULL},
    {"  quota = 0.1K\n", ""},
    {"  quota = 0\n", NULL},
    {"  quota = 100\n  no_quota_is_inclusive\n", NULL},
    {"  quota = 99\n  no_quota_is_inclusive\n", ""},
    {"  quota = 1M\n  quota_filecount = 5\n", NULL},
    {"  quota = 1M\n  quota_filecount = 4\n", " filecount"},
    {"  quota = 1M\n  quota_filecount = 4/no_check\n", NULL},
    {"  quota = 1K\n  mailbox_size = 1000\n", ""},
    {"  quota = 1K\n  mailbox_size = 992\n", NULL},
    {"  quota = 1M\n  mailbox_filecount = 9\n  quota_filecount = 9\n", " filecount"},
    {"  quota = 131\n  quota_size_regex = ^x(\\d+)\n", NULL}, /* x7 is said to have 7 bytes */
};

static void
fill(struct append_case *c)
{
    char text[101];
    memset(text, 'x', 100);
    text[100] = '\0';
    assert_int_equal(mkdir(append_at(c, "new"), 0700), 0);
    append_write_file(c, "new/x7", text, 0600);
}

static void
test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct append_case c;
        char options[300];
        append_clean();
        (void)snprintf(options, sizeof options, "  directory = %%R\n  maildir_format\n%s",
                       limits[i].options);
        append_begin(&c, options);
        fill(&c);
        const char *log = append_run(&c);
        if (limits[i].which == NULL)
            assert_string_equal(log, "");
        else {
            char start[100];
            (void)snprintf(
                start, sizeof start,
                "mailbox is full (MTA-imposed%s quota exceeded while writing to tmp/",
                limits[i].which);
            if (strncmp(log, start, strlen(start)) != 0)
                fail_msg("%s: %s", limits[i].options, log);
            assert_int_equal(c.answer.why.sys_errno, WHY_QUOTA);
            assert_int_equal(append_names(&c, "new", NULL, 0), 1);
        }
        append_end(&c);
    }
}

static void
test_malformed_limits(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"quota = 5x", "Malformed value \"5x\" (expansion of \"5x\") in t transport"},
        {"quota = 5/foo", "Malformed value \"5/foo\" (expansion of \"5/foo\") in t transport"},
        {"quota = ${if",
         "Expansion of \"${if\" in t transport failed: condition name expected, "
         "but found \"\""},
        {"quota = 1M\n  quota_warn_threshold = 120%",
         "Invalid quota_warn_threshold percentage (120) for t transport"},
        {"quota = 99999999999999999999999", "Malformed value \"99999999999999999999999\" "
                                            "(expansion of \"99999999999999999999999\") in t "
                                            "transport"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct append_case c;
        char options[300];
        append_clean();
        (void)snprintf(options, sizeof options, "  directory = %%R/m\n  %s\n", bad[i][0]);
        append_begin(&c, options);
        assert_string_equal(append_run(&c), bad[i][1]);
        assert_int_equal(c.answer.why.outcome, OUT_ERROR);
        assert_int_equal(append_names(&c, ".", NULL, 0), 0);
        append_end(&c);
    }
}

static void
test_size_file(void **state)
{
    (void)state;
    struct append_case c;
    char text[100];
    append_clean();
    append_begin(
        &c, "  directory = %R\n  maildir_format\n  maildir_use_size_file\n  quota = 3000\n");
    fill(&c);
    append_another(&c);
    (void)snprintf(text, sizeof text, "3000S,0C\n100 1\n%d 1\n", BODY_N);
    assert_string_equal(append_content(&c, "maildirsize"), text);
    append_another(&c);
    (void)snprintf(text, sizeof text, "3000S,0C\n100 1\n%d 1\n%d 1\n", BODY_N, BODY_N);
    assert_string_equal(append_content(&c, "maildirsize"), text);
    append_end(&c);
    /* another quota, a broken file: counted anew */
    append_begin(&c, "  directory = %R\n  maildir_format\n  maildir_use_size_file = ${if "
                     "eq{a}{a}{yes}{no}}\n  quota = 4000\n");
    append_another(&c);
    (void)snprintf(text, sizeof text, "4000S,0C\n%d 3\n%d 1\n", 100 + 2 * BODY_N, BODY_N);
    assert_string_equal(append_content(&c, "maildirsize"), text);
    append_write_file(&c, "maildirsize", "4000S,0C\n-5 1\n", 0600);
    append_another(&c);
    (void)snprintf(text, sizeof text, "4000S,0C\n%d 4\n%d 1\n", 100 + 3 * BODY_N, BODY_N);
    assert_string_equal(append_content(&c, "maildirsize"), text);
    append_end(&c);
    /* a folder that does not count has no limit */
    append_begin(
        &c, "  directory = %R/.Trash\n  maildir_format\n  maildir_use_size_file\n  quota = 1\n"
            "  maildirfolder_create_regex = Trash\n"
            "  maildir_quota_directory_regex = ^(?:cur|new|\\.(?!Trash).*)$\n");
    append_good(&c);
    append_end(&c);
}

static void
test_warning(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    append_begin(&c, "  directory = %R\n  maildir_format\n  quota_warn_threshold = 120\n");
    fill(&c);
    append_good(&c);
    assert_true(str_is_set(c.answer.warning));
    assert_true(str_starts(c.answer.warning,
                           "Auto-Submitted: auto-replied\nFrom: Mail Delivery System "
                           "<Mailer-Daemon@host.example>\nTo: u@d\nSubject: Your mailbox\n\n"));
    assert_true(str_eqz(c.answer.warning_to, "u@d"));
    append_another(&c);
    assert_false(str_is_set(c.answer.warning));
    append_end(&c);
}

/* Whichever call fails: the message is there whole, or it is not and nothing is left. */
static void
check_faults(const char *options, const char *folder)
{
    static const int errors[] = {EIO, ENOSPC};
    for (size_t e = 0; e < 2; e++) {
        int failed = 0;
        for (int at = 1;; at++) {
            struct append_case c;
            char name[256];
            append_clean();
            append_begin(&c, options);
            faults_set(at, errors[e]);
            c.job.calls = &faulty;
            (void)append_run(&c);
            bool ok = c.answer.why.outcome == OUT_OK;
            failed += !ok;
            int n = append_names(&c, folder, name, sizeof name);
            if (ok)
                assert_in_range(
                    n, 1,
                    3); /* two of mailstore, and a temporary name that could not be removed */
            else
                assert_true(n <= 0);
            bool reached = faults.calls >= at;
            append_end(&c);
            if (!reached)
                break;
        }
        assert_in_range(failed, 3, 20);
    }
}

static void
test_faults(void **state)
{
    (void)state;
    check_faults("  directory = %R/m\n  maildir_format\n", "m/new");
    check_faults("  directory = %R/m\n", "m");
    check_faults("  directory = %R/m\n  mailstore_format\n", "m");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_plain_taken),
        cmocka_unit_test(test_maildir),
        cmocka_unit_test(test_maildir_again),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_mailstore),
        cmocka_unit_test(test_maildir_folders),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_malformed_limits),
        cmocka_unit_test(test_size_file),
        cmocka_unit_test(test_warning),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, append_setup, append_teardown);
}
