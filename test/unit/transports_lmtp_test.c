/* The lmtp transport over a command: what each answer of the server, or the lack of one, means. Texts as the reference logs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"
#include "mail/why_errno.h"
#include "transport_job_fixture.h"
#include "transports/reply_reader.h"

#include <errno.h>
#include <fcntl.h>

static void
put_file(struct job_case *c, const char *name, const char *text, bool fill)
{
    struct arena *a = c->loaded.arena;
    FILE *f = fopen(job_text(a, name), "w");
    assert_non_null(f);
    (void)fputs(fill ? job_text(a, text) : text, f);
    (void)fclose(f);
}

/* Runs a dialogue for three recipients: a line "<" reads one, "." the message, "!" sleeps, others are said. */
static void
converse(struct job_case *c, const char *options, const char *script)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "driver = lmtp\nbatch_max = 10\ntimeout = 2s\n"
                   "command = /usr/bin/python3 %%R/server.py\n%s",
                   options);
    job_begin(c, "", text);
    (void)unlink(job_text(c->loaded.arena, "%R/seen"));
    put_file(c, "%R/script", script, false);
    put_file(c, "%R/server.py",
             "import sys, time\n"
             "i, o = sys.stdin.buffer, sys.stdout.buffer\n"
             "seen = open('%R/seen', 'wb')\n"
             "def take():\n"
             "    line = i.readline()\n"
             "    seen.write(line.replace(b'\\r\\n', b'\\n'))\n"
             "    seen.flush()\n"
             "    return line\n"
             "for line in open('%R/script'):\n"
             "    line = line.rstrip('\\n')\n"
             "    if line == '<':\n"
             "        take()\n"
             "    elif line == '.':\n"
             "        while take() not in (b'.\\r\\n', b''):\n"
             "            pass\n"
             "    elif line == '!':\n"
             "        time.sleep(100)\n"
             "    else:\n"
             "        o.write(line.encode() + b'\\r\\n')\n"
             "        o.flush()\n",
             true);
    c->job.n = 3;
    job_run(c);
}

static void
assert_answer(struct job_case *c, size_t i, enum outcome outcome, int number, const char *log)
{
    const struct transport_answer *t = &c->answers[i];
    struct str text = outcome == OUT_OK ? t->log_note : t->why.log;
    if (t->why.outcome != outcome || t->why.sys_errno != number || !str_eqz(text, log))
        fail_msg("%zu: %d (%d) %.*s", i, t->why.outcome, t->why.sys_errno, STR_ARG(text));
}

#define START "220 hi\n<\n250-hello\n250 IGNOREQUOTA\n<\n250 ok\n"

static void
test_results(void **state)
{
    (void)state;
    struct job_case c;
    converse(
        &c, "ignore_quota",
        START
        "<\n250 ok\n<\n550-no\n550 such user\n<\n250 ok\n<\n354 go\n.\n250-fine\n250 2.0.0 "
        "really\n452 4.2.2 full\n<\n");
    assert_answer(&c, 0, OUT_OK, 0, "C=\"250-fine\\n250 2.0.0 really\"");
    assert_answer(&c, 1, OUT_FAIL, 0,
                  "LMTP error after RCPT TO:<v@d> IGNOREQUOTA: 550-no\n550 such user");
    assert_answer(&c, 2, OUT_DEFER, WHY_DATA_4XX,
                  "LMTP error after end of data: 452 4.2.2 full");
    assert_int_equal(c.answers[1].why.smtp_code, 550);
    assert_true(str_eqz(c.answers[2].why.enhanced, "4.2.2"));
    assert_true(str_eqz(job_file(&c, "%R/seen"),
                        "LHLO host.example\nMAIL FROM:<s@e>\nRCPT TO:<u@d> IGNOREQUOTA\n"
                        "RCPT TO:<v@d> IGNOREQUOTA\nRCPT TO:<w@d> IGNOREQUOTA\nDATA\n"
                        "Subject: x\n\nbody\n.\nQUIT\n"));
    job_end(&c);
}

static void
test_all_alike(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        enum outcome outcome;
        int number;
        const char *log;
    } cases[] = {
        {"!\n", OUT_DEFER, WHY_UNKNOWN, "LMTP timeout after initial connection"},
        {"440 not now\n", OUT_DEFER, WHY_UNKNOWN,
         "LMTP error after initial connection: 440 not now"},
        {"554 no\n", OUT_FAIL, 0, "LMTP error after initial connection: 554 no"},
        {"220 hi\n<\ngarbage line\n", OUT_DEFER, WHY_BAD_REPLY,
         "Malformed LMTP response after LHLO host.example: garbage line"},
        {"220 hi\n<\n", OUT_DEFER, WHY_UNKNOWN,
         "LMTP connection closed after LHLO host.example"},
        {"220 hi\n<\n250 x\n<\n450 later\n", OUT_DEFER, WHY_MAIL_4XX,
         "LMTP error after MAIL FROM:<s@e>: 450 later"},
        {"220 hi\n<\n250 x\n<\n550 never\n", OUT_FAIL, 0,
         "LMTP error after MAIL FROM:<s@e>: 550 never"},
        {START "<\n250 a\n<\n250 b\n<\n450 c\n<\n!\n", OUT_DEFER, WHY_UNKNOWN,
         "LMTP timeout after DATA"},
        {START "<\n250 a\n<\n250 b\n<\n250 c\n<\n450 no room\n", OUT_DEFER, WHY_DATA_4XX,
         "LMTP error after DATA: 450 no room"},
        {START "<\n450 a\n<\n450 a\n<\n", OUT_DEFER, WHY_UNKNOWN,
         "LMTP connection closed after RCPT TO:<w@d>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job_case c;
        converse(&c, "", cases[i].script);
        for (size_t k = 0; k < 3; k++)
            assert_answer(&c, k, cases[i].outcome, cases[i].number, cases[i].log);
        job_end(&c);
    }
}

/* A server that goes after some results: those hold, the others are deferred. */
static void
test_cut_off(void **state)
{
    (void)state;
    struct job_case c;
    converse(&c, "", START "<\n250 a\n<\n250 b\n<\n250 c\n<\n354 go\n.\n250 stored\n");
    assert_answer(&c, 0, OUT_OK, 0, "C=\"250 stored\"");
    assert_answer(&c, 1, OUT_DEFER, WHY_UNKNOWN,
                  "LMTP connection closed after end of data (23 bytes written)");
    assert_answer(&c, 2, OUT_DEFER, WHY_UNKNOWN,
                  "LMTP connection closed after end of data (23 bytes written)");
    job_end(&c);
}

static void
test_no_server(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        enum outcome outcome;
        const char *log;
    } cases[] = {
        {"socket = /no/such/socket", OUT_DEFER,
         "Failed to connect to socket /no/such/socket for t transport: No such file or "
         "directory"},
        {"socket = ${nosuch:a}", OUT_DEFER,
         "Expansion of \"${nosuch:a}\" (socket setting for t transport) failed: unknown "
         "expansion "
         "operator \"nosuch\""},
        {"command = /no/such/command", OUT_DEFER,
         "LMTP connection closed after initial connection"},
        {"command = /no/such ${nosuch:a}", OUT_ERROR,
         "Expansion of \"${nosuch:a}\" from command \"/no/such ${nosuch:a}\" in t transport "
         "failed: "
         "unknown expansion operator \"nosuch\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job_case c;
        char text[512];
        (void)snprintf(text, sizeof text, "driver = lmtp\n%s", cases[i].options);
        job_begin(&c, "", text);
        job_run(&c);
        assert_answer(&c, 0, cases[i].outcome, WHY_UNKNOWN, cases[i].log);
        job_end(&c);
    }
}

/* --- replies --- */

static enum reply_end
read_one(struct arena *a, const char *text, size_t n, struct smtp_reply *out)
{
    int p[2];
    struct reply_reader r;
    assert_int_equal(pipe(p), 0);
    assert_int_equal(fcntl(p[1], F_SETPIPE_SZ, 1 << 20) >= 0, 1);
    assert_int_equal(write(p[1], text, n), (ssize_t)n);
    close(p[1]);
    reply_reader_start(a, &r, p[0]);
    enum reply_end end = reply_reader_next(a, &r, 5000, out);
    close(p[0]);
    return end;
}

static void
test_reader(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct smtp_reply r;
    assert_int_equal(read_one(a, "220\r\n", 5, &r), REPLY_READ);
    assert_int_equal(r.code, 220);
    assert_int_equal(read_one(a, "250-a\r\n250 b\r\nrest", 18, &r), REPLY_READ);
    assert_true(str_eqz(r.text, "250-a\n250 b"));
    assert_int_equal(read_one(a, "250-a\r\n", 7, &r), REPLY_CLOSED);
    assert_int_equal(read_one(a, "what\r\n", 6, &r), REPLY_BAD);
    assert_true(str_eqz(r.text, "what"));
    /* a line at its longest, and one byte more */
    char *line = arena_alloc(a, SMTP_REPLY_LINE_MAX + 3);
    for (size_t n = SMTP_REPLY_LINE_MAX - 1; n <= SMTP_REPLY_LINE_MAX + 1; n++) {
        memset(line, 'x', n);
        memcpy(line, "250 ", 4);
        memcpy(line + n, "\r\n", 2);
        assert_int_equal(read_one(a, line, n + 2, &r),
                         n <= SMTP_REPLY_LINE_MAX ? REPLY_READ : REPLY_BAD);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results), cmocka_unit_test(test_all_alike),
        cmocka_unit_test(test_cut_off), cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_reader),
    };
    return cmocka_run_group_tests(tests, job_setup, job_teardown);
}
