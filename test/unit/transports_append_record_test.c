/* Records of appending: their text, torn messages, messages that are there already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

#include "append_fixture.h"
#include "durable_faults.h"
#include "sys/user_file.h"
#include "transports/append_record.h"

#include <sys/wait.h>

static const char options[] = "  file = %R/m\n  message_prefix = \"From x\\n\"\n";
static const char one[] = "From x\nSubject: x\nTo: u@d\n\n>From x\nbody\n\n";

static void
test_text(void **state)
{
    (void)state;
    struct append_records r = {.n = 0}, back;
    char text[APPEND_RECORD_BYTES];
    for (int64_t i = 0; i < APPEND_RECORDS + 2; i++)
        append_records_push(&r, (struct append_record){.hash = (uint64_t)i << 60,
                                                       .at = INT64_MAX - i,
                                                       .n = i == 0 ? -1 : INT64_MAX - i,
                                                       .by = i == 3 ? 0 : INT64_MAX - i});
    assert_int_equal(r.n, APPEND_RECORDS);
    size_t n = append_records_format(&r, text);
    append_records_parse(str_from(text, n), &back);
    assert_int_equal(back.n, APPEND_RECORDS);
    assert_memory_equal(back.v, r.v, sizeof r.v);
    static const char *const bad[] = {"",
                                      "x",
                                      "0123456789abcdef 1 2",
                                      "0123456789abcdef  2\n",
                                      "0123456789abcdeg 1 2\n",
                                      "0123456789abcdef -1 2\n",
                                      "0123456789abcdef 1 -2\n",
                                      "0123456789abcdef 1 2 -3\n",
                                      "0123456789abcdef 1 2 3x\n",
                                      "0123456789abcdef 1 2 3 4\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        append_records_parse(str_from_cstr(bad[i]), &back);
        assert_int_equal(back.n, 0);
    }
}

static bool
has_notes(void)
{
    int fd = open(append_root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char text[8];
    user_file_note_write(fd, "user.remex.test", "x", 1);
    bool has = user_file_note_read(fd, "user.remex.test", text, sizeof text) == 1;
    close(fd);
    return has;
}

/* One record for each deliverer, however often it comes; those of others stay, and those of nobody known. */
static void
test_deliverers(void **state)
{
    (void)state;
    struct append_records r = {.n = 0};
    append_records_push(&r, (struct append_record){.hash = 1, .by = 1});
    append_records_push(&r, (struct append_record){.hash = 2, .by = 0});
    append_records_push(&r, (struct append_record){.hash = 3, .by = 0});
    for (uint64_t i = 10; i < 1000; i++)
        append_records_push(&r, (struct append_record){.hash = i, .by = 2});
    assert_int_equal(r.n, 4);
    assert_int_equal(r.v[0].hash, 1);
    assert_int_equal(r.v[2].hash, 3);
    assert_int_equal(r.v[3].hash, 999);
}

static bool
nobody(void *ctx)
{
    (void)ctx;
    return false;
}

/* Who asked is gone: the mailbox stays as it is. */
static void
test_not_wanted(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    append_begin(&c, options);
    c.job.wanted = nobody;
    assert_non_null(strstr(append_run(&c), "is not asked for any more"));
    assert_int_equal(c.answer.why.outcome, OUT_DEFER);
    assert_string_equal(append_content(&c, "m"), "");
    c.job.wanted = NULL;
    append_good(&c);
    append_end(&c);
}

/* The message is found however many others were appended meanwhile, by another deliverer. */
static void
test_many_in_between(void **state)
{
    (void)state;
    if (!has_notes())
        skip();
    struct append_case c;
    append_clean();
    append_begin(&c, options);
    struct str id = c.message.id;
    c.job.deliverer = 1;
    append_good(&c);
    c.job.deliverer = 2;
    for (int i = 0; i < 3 * APPEND_RECORDS; i++) {
        c.message.id = append_new_id(c.loaded.arena);
        append_good(&c);
    }
    c.message.id = id;
    c.job.deliverer = 3;
    append_good(&c);
    assert_int_equal(strlen(append_content(&c, "m")), (3 * APPEND_RECORDS + 1) * strlen(one));
    append_end(&c);
}

/* Delivers in a process that dies before its at-th call; false: there are not so many. */
static bool
die_at(struct append_case *c, int at)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        faults_set(at, EIO);
        faults.kill = true;
        c->job.calls = &faulty;
        (void)append_run(c);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status) == 1;
}

/* Wherever the process dies, the next attempt leaves the message there once, behind what was there. */
static void
test_dies(void **state)
{
    (void)state;
    if (!has_notes())
        skip();
    bool more = true;
    for (int at = 1; more; at++) {
        struct append_case c;
        append_clean();
        append_begin(&c, options);
        append_good(&c);
        c.message.id = append_new_id(c.loaded.arena);
        more = die_at(&c, at);
        (void)unlink(append_at(&c, "m.lock"));
        append_good(&c);
        const char *text = append_content(&c, "m");
        assert_int_equal(strlen(text), 2 * strlen(one));
        assert_memory_equal(text, one, strlen(one));
        assert_string_equal(text + strlen(one), one);
        append_end(&c);
    }
}

/* What others wrote behind a torn message is not taken away. */
static void
test_others(void **state)
{
    (void)state;
    if (!has_notes())
        skip();
    static const char others[] = "From y\nSubject: y\n\nbody\n\n";
    struct append_case c;
    append_clean();
    append_begin(&c, options);
    append_write_file(&c, "m", "From x\nSubject: torn\n", 0600);
    int fd = open(append_at(&c, "m"), O_WRONLY | O_APPEND | O_CLOEXEC);
    user_file_note_write(fd, "user.remex.appended", "0123456789abcdef 0 -1\n", 22);
    assert_true(file_write_all(fd, others, strlen(others)));
    close(fd);
    append_good(&c);
    const char *text = append_content(&c, "m");
    assert_memory_equal(text, "From x\nSubject: torn\nFrom y\n", 28);
    assert_string_equal(text + strlen(text) - strlen(one), one);
    append_end(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_deliverers),
        cmocka_unit_test(test_not_wanted), cmocka_unit_test(test_many_in_between),
        cmocka_unit_test(test_dies),       cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, append_setup, append_teardown);
}
