/* Automatic replies: the message, who gets it, once and its file, faults in the reference's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"
#include "filter/filter_run.h"
#include "transport_job_fixture.h"
#include "transports/once_file.h"

static void
begin(struct job_case *c, const char *options)
{
    char text[2048];
    (void)snprintf(text, sizeof text, "driver = autoreply\n%s", options);
    job_begin(c, "bounce_return_size_limit = 4", text);
}

static void
assert_reply(struct job_case *c, const char *to, const char *text)
{
    job_run(c);
    const struct transport_answer *t = &c->answers[0];
    if (t->why.outcome != OUT_OK)
        fail_msg("%.*s", STR_ARG(t->why.log));
    assert_int_equal(str_is_set(t->reply), to != NULL);
    if (to == NULL)
        return;
    if (!str_eqz(t->reply_to, to))
        fail_msg("to %.*s", STR_ARG(t->reply_to));
    if (!str_eqz(t->reply, text))
        fail_msg("%.*s", STR_ARG(t->reply));
}

static void
test_message(void **state)
{
    (void)state;
    struct job_case c;
    begin(
        &c,
        "to = Some One <$sender_address>\ncc = c@d\nbcc = \"\\\"B, b\\\" <b@d>\"\nfrom = f@d\n"
        "reply_to = r@d\nsubject = Re: $h_subject:\nheaders = A: 1\\nB: 2\\n 3\n"
        "text = Hello $local_part");
    assert_true(header_list_add(c.loaded.arena, &c.headers, STR_LIT("Message-ID: <i@d>\n"),
                                HEADER_AT_END));
    assert_true(header_list_add(c.loaded.arena, &c.headers,
                                STR_LIT("References: <a@d>\n <b@d>\n"), HEADER_AT_END));
    assert_reply(&c, "s@e,c@d,b@d",
                 "From: f@d\nReply-To: r@d\nTo: Some One <s@e>\nCc: c@d\nSubject: Re: x\n"
                 "In-Reply-To: <i@d>\nReferences: <a@d> <b@d> <i@d>\n"
                 "Auto-Submitted: auto-replied\nA: 1\nB: 2\n 3\n\nHello u\n");
    job_end(&c);
}

static void
test_references(void **state)
{
    (void)state;
    struct job_case c;
    begin(&c, "to = a@b");
    assert_true(header_list_add(
        c.loaded.arena, &c.headers,
        STR_LIT(
            "References: <1@x> <2@x> <3@x> <4@x> <5@x> <6@x> <7@x> <8@x> <9@x> <10@x> <11@x> "
            "<12@x> <13@x>\n"),
        HEADER_AT_END));
    assert_reply(&c, "a@b",
                 "To: a@b\nReferences: <1@x> <3@x> <4@x> <5@x> <6@x> <7@x> <8@x> <9@x> <10@x> "
                 "<11@x> <12@x> <13@x>\nAuto-Submitted: auto-replied\n\n");
    job_end(&c);
}

static void
put_file(struct job_case *c, const char *name, const char *text)
{
    FILE *f = fopen(job_text(c->loaded.arena, name), "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void
test_file_and_copy(void **state)
{
    (void)state;
    struct job_case c;
    begin(&c, "to = a@b\ntext = T\nfile = %R/f\nfile_expand\nreturn_message\nlog = %R/log");
    put_file(&c, "%R/f", "${lc:LINE}\n${nosuch:x}\n.\nlast");
    assert_reply(&c, "a@b",
                 "To: a@b\nAuto-Submitted: auto-replied\n\nT\nline\n${nosuch:x}\n.\nlast\n"
                 "------ This is a copy of the message, including all the headers.\n\n"
                 "Subject: x\n\nbody");
    assert_true(str_find(job_file(&c, "%R/log"), STR_LIT("\n  To: a@b\n"), 0) != STR_NPOS);
    job_end(&c);
    begin(&c, "to = a@b\nreturn_message\nbody_only");
    assert_reply(
        &c, "a@b",
        "To: a@b\nAuto-Submitted: auto-replied\n\n\n"
        "------ This is a copy of the body of the message, without the headers.\n\nbody");
    job_end(&c);
    begin(&c, "to = a@b\nreturn_message\nheaders_only\nfile = /no/such\nfile_optional");
    assert_reply(&c, "a@b",
                 "To: a@b\nAuto-Submitted: auto-replied\n\n\n"
                 "------ This is a copy of the message's header lines.\n\nSubject: x\n\n");
    job_end(&c);
}

static void
test_nobody(void **state)
{
    (void)state;
    static const char *const options[] = {
        "text = x",
        "to = \ntext = x",
        "to = @@\ntext = x",
        "to = Never <n@d>\nnever_mail = n@d",
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct job_case c;
        begin(&c, options[i]);
        assert_reply(&c, NULL, NULL);
        job_end(&c);
    }
}

static void
test_never_mail(void **state)
{
    (void)state;
    struct job_case c;
    begin(&c, "to = Never <n@d>, Other <o@d>\ncc = p@d, n@d\nbcc = n@d, u\n"
              "never_mail = n@d : u@host.example");
    assert_reply(&c, "o@d,p@d", "To:  Other <o@d>\nCc: p@d\nAuto-Submitted: auto-replied\n\n");
    job_end(&c);
}

static void
test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        enum outcome outcome;
        const char *log;
    } cases[] = {
        {"to = ${nosuch:a}", OUT_FAIL,
         "Expansion of \"${nosuch:a}\" failed in t transport: unknown expansion operator "
         "\"nosuch\""},
        {"to = a@b\nsubject = \"a\\010b\"", OUT_FAIL,
         "Expansion of \"a\bb\" in t transport contains non-printing character 8"},
        {"to = a@b\nsubject = \"a\\nb\"", OUT_FAIL,
         "Expansion of \"a\nb\" in t transport contains non-printing character 10"},
        {"to = a@b\nonce = %R/once\nonce_repeat = abc", OUT_FAIL,
         "Invalid time value \"abc\" for \"once_repeat\" in t transport"},
        {"to = a@b\nfile = /no/such", OUT_DEFER,
         "Failed to open file /no/such when sending message from t transport: No such file or "
         "directory"},
        {"to = a@b\nonce = /no/such/once", OUT_DEFER,
         "Failed to open \"once\" file /no/such/once when sending message from t transport: No "
         "such file or directory"},
        {"to = a@b\nfile = /tmp/$local_part", OUT_DEFER,
         "Tainted '/tmp/u' (file for t transport) not permitted"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job_case c;
        begin(&c, cases[i].options);
        job_run(&c);
        struct str log = c.answers[0].why.log;
        if (c.answers[0].why.outcome != cases[i].outcome || !str_eqz(log, cases[i].log))
            fail_msg("%s: %.*s", cases[i].options, STR_ARG(log));
        assert_false(str_is_set(c.answers[0].reply));
        job_end(&c);
    }
}

/* What a filter asked for counts, and nothing of the options that say what the reply is. */
static void
test_filter_action(void **state)
{
    (void)state;
    struct job_case c;
    struct str argv[FILTER_MAIL_ARGUMENTS] = {
        [FILTER_MAIL_TO] = STR_LIT("v@d"),
        [FILTER_MAIL_SUBJECT] = STR_LIT("one\nBcc: forged@d"),
        [FILTER_MAIL_EXTRA_HEADERS] = STR_LIT("X: 1\n\nbody?\n"),
        [FILTER_MAIL_TEXT] = STR_LIT("text"),
    };
    const struct filter_action action = {
        .id = FILTER_MAIL, .argc = FILTER_MAIL_ARGUMENTS, .argv = argv};
    begin(&c, "to = a@b\ntext = not this\nreturn_message");
    c.address[0].item = ADDRESS_ITEM_REPLY;
    c.address[0].reply = &action;
    assert_reply(&c, "v@d",
                 "To: v@d\nSubject: one Bcc: forged@d\nAuto-Submitted: auto-replied\nX: 1\n"
                 "body?\n\ntext\n\n"
                 "------ This is a copy of the message, including all the headers.\n\n"
                 "Subject: x\n\nbody");
    job_end(&c);
}

/* --- once --- */

static void
test_once(void **state)
{
    (void)state;
    struct job_case c;
    begin(&c, "to = Some <a@b>\nonce = %R/once1");
    job_run(&c);
    assert_true(str_is_set(c.answers[0].reply));
    job_run(&c);
    assert_int_equal(c.answers[0].why.outcome, OUT_OK);
    assert_false(str_is_set(c.answers[0].reply));
    struct str text = job_file(&c, "%R/once1");
    assert_true(str_ends(text, STR_LIT(" a@b\n")));
    assert_int_equal(text.n, 15 + 5);
    job_end(&c);
}

static enum once_answer
ask(struct job_case *c, const char *file, const char *who, int64_t now, int64_t repeat_s,
    int64_t max)
{
    const struct once_question q = {
        .path = job_text(c->loaded.arena, file),
        .mode = 0600,
        .max_size = max,
        .who = str_from_cstr(who),
        .now = now,
        .repeat_s = repeat_s,
    };
    return once_file_ask(c->loaded.arena, &q);
}

static void
test_once_repeat(void **state)
{
    (void)state;
    struct job_case c;
    begin(&c, "");
    assert_int_equal(ask(&c, "%R/r", "a@b", 1000, 10, 0), ONCE_SEND);
    assert_int_equal(ask(&c, "%R/r", "c@d", 1001, 10, 0), ONCE_SEND);
    assert_int_equal(ask(&c, "%R/r", "A@B", 1009, 10, 0), ONCE_ALREADY);
    assert_int_equal(ask(&c, "%R/r", "a@b", 1010, 10, 0), ONCE_SEND);
    assert_int_equal(ask(&c, "%R/r", "a@b", 1011, 10, 0), ONCE_ALREADY);
    assert_true(str_eqz(job_file(&c, "%R/r"), "000000000001010 a@b\n000000000001001 c@d\n"));
    job_end(&c);
}

static void
test_once_limit(void **state)
{
    (void)state;
    struct job_case c;
    begin(&c, "");
    for (int64_t max = 59; max <= 61; max++) { /* an entry has 20 bytes */
        (void)unlink(job_text(c.loaded.arena, "%R/m"));
        assert_int_equal(ask(&c, "%R/m", "1@x", 1, 0, max), ONCE_SEND);
        assert_int_equal(ask(&c, "%R/m", "2@x", 2, 0, max), ONCE_SEND);
        assert_int_equal(ask(&c, "%R/m", "3@x", 3, 0, max), ONCE_SEND);
        assert_int_equal(job_file(&c, "%R/m").n, max >= 60 ? 60 : 40);
        assert_int_equal(ask(&c, "%R/m", "4@x", 4, 0, max), ONCE_SEND);
        assert_int_equal(ask(&c, "%R/m", "4@x", 5, 0, max), ONCE_ALREADY);
        assert_int_equal(ask(&c, "%R/m", "1@x", 6, 0, max), ONCE_SEND);
    }
    assert_int_equal(ask(&c, "%R/tiny", "1@x", 1, 0, 10), ONCE_SEND);
    assert_int_equal(job_file(&c, "%R/tiny").n, 0); /* never larger than its limit */
    job_end(&c);
}

static void
test_once_strange_files(void **state)
{
    (void)state;
    struct job_case c;
    begin(&c, "");
    put_file(&c, "%R/db", "\001binary");
    assert_int_equal(ask(&c, "%R/db", "a@b", 1, 0, 0), ONCE_SEND);
    assert_int_equal(ask(&c, "%R/db", "a@b", 2, 0, 0), ONCE_ALREADY);
    assert_true(str_eqz(job_file(&c, "%R/db"), "\001binary"));
    assert_true(str_eqz(job_file(&c, "%R/db.list"), "000000000000001 a@b\n"));
    put_file(&c, "%R/cut", "000000000000001 a@b\n0000000000");
    assert_int_equal(ask(&c, "%R/cut", "c\nd@b", 2, 0, 0), ONCE_SEND);
    assert_true(
        str_eqz(job_file(&c, "%R/cut"), "000000000000001 a@b\n000000000000002 c?d@b\n"));
    assert_int_equal(ask(&c, "%R", "a@b", 1, 0, 0), ONCE_ERROR);
    job_end(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_file_and_copy),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_never_mail),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_filter_action),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_once_repeat),
        cmocka_unit_test(test_once_limit),
        cmocka_unit_test(test_once_strange_files),
    };
    return cmocka_run_group_tests(tests, job_setup, job_teardown);
}
