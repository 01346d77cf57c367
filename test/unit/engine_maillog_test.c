/* Lines for the logs: stamps, prefixes, what is escaped or cut, durations, the log of one message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "conf/model.h"
#include "engine/maillog.h"
#include "mail/header.h"

#include <errno.h>

static struct engine_case *c;

static int
teardown(void **state)
{
    (void)state;
    engine_case_free(c);
    return 0;
}

/* The text behind the stamp of a log's only line. */
static const char *
only_line(const char *log)
{
    const char *text = engine_case_read(c, log);
    assert_true(strlen(text) > 20);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    return text + 20;
}

static void
test_line(void **state)
{
    (void)state;
    c = engine_case_new("");
    maillog(&c->engine, MAILLOG_MAIN, STR_LIT("1xVNEb-00079s-2P"), "%s",
            "one\r\ntwo\tthree\x01");
    assert_string_equal(only_line("mainlog"), "1xVNEb-00079s-2P one\\r\\ntwo\\tthree\\001\n");
    assert_string_equal(engine_case_read(c, "paniclog"), "");
    assert_string_equal(engine_case_read(c, "rejectlog"), "");
}

/* A character that needs escapes is found wherever it stands, and no other is taken for one. */
static void
test_bytes_at_all_places(void **state)
{
    (void)state;
    c = engine_case_new("");
    for (unsigned byte = 1; byte < 256; byte++) {
        bool plain = byte >= ' ' && byte < 0x7f && byte != '\\';
        for (size_t at = 0; at < 20; at++) {
            char text[] = "~~~~~~~~ [[]]]    !!!", path[200];
            text[at] = (char)byte;
            (void)snprintf(path, sizeof path, "%s/mainlog", c->root);
            if (truncate(path, 0) != 0)
                assert_int_equal(errno, ENOENT);
            maillog_line(&c->engine, MAILLOG_MAIN, STR_NULL, str_from_cstr(text));
            const char *line = engine_case_read(c, "mainlog") + 20;
            if ((strncmp(line, text, strlen(text)) == 0) != (plain || byte == '\\'))
                fail_msg("%u at %zu: %s", byte, at, line);
        }
    }
}

static void
test_empty_line_behind(void **state)
{
    (void)state;
    c = engine_case_new("");
    maillog_line(&c->engine, MAILLOG_MAIN | MAILLOG_BLANK, STR_NULL, STR_LIT("text"));
    assert_string_equal(engine_case_read(c, "mainlog") + 20, "text\n\n");
}

static void
test_pid_and_cut(void **state)
{
    (void)state;
    c = engine_case_new("");
    const char *error;
    struct str wrong;
    assert_true(log_selector_apply(STR_LIT("+pid"), &c->engine.selectors, &error, &wrong));
    char *big = arena_alloc(c->loaded.arena, 20000);
    memset(big, 'x', 20000);
    maillog_line(&c->engine, MAILLOG_MAIN, STR_NULL, str_from(big, 20000));
    const char *line = only_line("mainlog");
    char pid[32];
    (void)snprintf(pid, sizeof pid, "[%d] x", (int)getpid());
    assert_int_equal(strncmp(line, pid, strlen(pid)), 0);
    assert_true(strlen(line) > 8192 && strlen(line) < 8192 + 40);
}

static void
test_reject(void **state)
{
    (void)state;
    c = engine_case_new("");
    struct header_list headers = {0};
    struct message m = {.sender = STR_LIT("s@e"), .headers = &headers};
    assert_true(
        header_list_add(c->loaded.arena, &headers, STR_LIT("Subject: a\n b\n"), HEADER_AT_END));
    vec_push(c->loaded.arena, &m.recipients, ((struct recipient){.address = STR_LIT("x@y")}));
    vec_push(c->loaded.arena, &m.recipients, ((struct recipient){.address = STR_LIT("z@y")}));
    c->engine.eval->message = &m;
    maillog_reject(&c->engine, MAILLOG_MAIN, STR_NULL, STR_LIT("rejected"));
    assert_string_equal(only_line("mainlog"), "rejected\n");
    assert_string_equal(engine_case_read(c, "rejectlog") + 20,
                        "rejected\nEnvelope-from: <s@e>\nEnvelope-to: <x@y>\n    <z@y>\n"
                        "  Subject: a\n b\n");
}

static void
test_durations(void **state)
{
    (void)state;
    c = engine_case_new("");
    const struct {
        int64_t us;
        const char *plain, *exact;
    } rows[] = {
        {0, "0s", "0.000s"},
        {1578000, "1s", "1.578s"},
        {225000000, "3m45s", "3m45s"},
        {90061000000, "1d1h1m1s", "1d1h1m1s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        c->engine.selectors = log_selector_default();
        struct str got = maillog_duration(c->loaded.arena, &c->engine, rows[i].us);
        assert_string_equal(str_cstr(c->loaded.arena, got), rows[i].plain);
    }
    struct timespec now = {.tv_sec = 100, .tv_nsec = 500000000};
    assert_int_equal(maillog_between(99, 250000, now), 1250000);
    assert_int_equal(maillog_between(101, 0, now), 0); /* the clock was set back */
}

static void
test_message_log(void **state)
{
    (void)state;
    c = engine_case_new("");
    struct spool_entry e = engine_case_message(c, "1xVNEb-00079s-2P", "a@b");
    maillog_message(&c->engine, &e, STR_LIT("happened"));
    maillog_message_plain(&c->engine, &e, STR_LIT("*** Frozen"));
    const char *text = engine_case_read(c, "spool/msglog/1xVNEb-00079s-2P");
    assert_string_equal(text + 20, "happened\n*** Frozen\n");
    maillog_message_remove(&c->engine, &e);
    assert_string_equal(engine_case_read(c, "spool/msglog/1xVNEb-00079s-2P"), "");
    spool_close(&e);
}

static void
test_kept_message_log(void **state)
{
    (void)state;
    c = engine_case_new("preserve_message_logs\n");
    struct spool_entry e = engine_case_message(c, "1xVNEb-00079s-2P", "a@b");
    maillog_message(&c->engine, &e, STR_LIT("happened"));
    maillog_message_remove(&c->engine, &e);
    assert_string_equal(engine_case_read(c, "spool/msglog.OLD/1xVNEb-00079s-2P") + 20,
                        "happened\n");
    spool_close(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_line, teardown),
        cmocka_unit_test_teardown(test_bytes_at_all_places, teardown),
        cmocka_unit_test_teardown(test_empty_line_behind, teardown),
        cmocka_unit_test_teardown(test_pid_and_cut, teardown),
        cmocka_unit_test_teardown(test_reject, teardown),
        cmocka_unit_test_teardown(test_durations, teardown),
        cmocka_unit_test_teardown(test_message_log, teardown),
        cmocka_unit_test_teardown(test_kept_message_log, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
