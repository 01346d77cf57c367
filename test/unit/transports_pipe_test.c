/* The pipe transport: which command runs, with which environment, and what its end means. Texts as the reference logs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"
#include "transport_job_fixture.h"

struct pipe_case {
    const char *options;
    const char *address; /* text of a pipe address, or NULL */
    enum outcome outcome;
    const char *log; /* "" : none */
};

static void
check(const struct pipe_case *k)
{
    struct job_case c;
    job_begin(&c, "", k->options);
    if (k->address != NULL) {
        c.address[0].item = ADDRESS_ITEM_PIPE;
        c.address[0].text = str_from_cstr(k->address);
    }
    job_run(&c);
    struct str log = c.answers[0].why.log;
    if (c.answers[0].why.outcome != k->outcome || !str_eqz(log, k->log))
        fail_msg("%s\n  gave %d \"%.*s\"", k->options, c.answers[0].why.outcome, STR_ARG(log));
    job_end(&c);
}

#define CHILD "Child process of t transport "

static void
test_ends(void **state)
{
    (void)state;
    static const struct pipe_case cases[] = {
        {"driver = pipe\ncommand = /bin/true", NULL, OUT_OK, ""},
        {"driver = pipe\ncommand = true", NULL, OUT_OK, ""},
        {"driver = pipe\ncommand = /bin/sh -c 'exit 3'", NULL, OUT_FAIL,
         CHILD "returned 3 from command: /bin/sh"},
        {"driver = pipe\ncommand = /bin/sh -c 'exit 3'\nignore_status", NULL, OUT_OK, ""},
        {"driver = pipe\ncommand = /bin/sh -c 'exit 3'\ntemp_errors = 1:3", NULL, OUT_DEFER,
         CHILD "returned 3 from command: /bin/sh"},
        {"driver = pipe\ncommand = /bin/sh -c 'exit 3'\ntemp_errors = *", NULL, OUT_DEFER,
         CHILD "returned 3 from command: /bin/sh"},
        {"driver = pipe\ncommand = /bin/sh -c 'exit 75'", NULL, OUT_DEFER,
         CHILD "returned 75 (could mean temporary error) from command: /bin/sh"},
        {"driver = pipe\ncommand = /bin/sh -c 'exit 137'", NULL, OUT_FAIL,
         CHILD "returned 137 (could mean shell command ended by signal 9 (Killed)) from "
               "command: /bin/sh"},
        {"driver = pipe\ncommand = /no/such/command x", NULL, OUT_FAIL,
         CHILD "returned 127 (could mean unable to exec or command does not exist) from "
               "command: /no/such/command"},
        {"driver = pipe\ncommand = /no/such/command\nfreeze_exec_fail\nignore_status", NULL,
         OUT_DEFER, "pipe process failed to exec \"/no/such/command\""},
        {"driver = pipe\ncommand = /bin/sh -c 'kill -9 \\$\\$'", NULL, OUT_FAIL,
         CHILD "(running command \"/bin/sh -c 'kill -9 \\$\\$'\") was terminated by signal 9 "
               "(Killed)"},
        {"driver = pipe\ncommand = /bin/sh -c 'kill -9 \\$\\$'\nfreeze_signal", NULL, OUT_DEFER,
         CHILD "(running command \"/bin/sh -c 'kill -9 \\$\\$'\") was terminated by signal 9 "
               "(Killed)"},
        {"driver = pipe\ncommand = /bin/sleep 100\ntimeout = 1s", NULL, OUT_FAIL,
         "pipe delivery process timed out"},
        {"driver = pipe\ncommand = /bin/sleep 100\ntimeout = 1s\ntimeout_defer", NULL,
         OUT_DEFER, "pipe delivery process timed out"},
        {"driver = pipe\ncommand = /usr/bin/head -c 1000000 /dev/zero\nmax_output = 1K", NULL,
         OUT_FAIL,
         CHILD
         "(running command \"/usr/bin/head -c 1000000 /dev/zero\") was terminated by signal 9 "
         "(Killed)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&cases[i]);
}

static void
test_commands(void **state)
{
    (void)state;
    static const struct pipe_case cases[] = {
        {"driver = pipe", NULL, OUT_DEFER, "no command specified for t transport"},
        {"driver = pipe\ncommand = nosuchcmd", NULL, OUT_FAIL,
         "\"nosuchcmd\" command not found for t transport"},
        {"driver = pipe\ncommand = true\npath = /nowhere", NULL, OUT_FAIL,
         "\"true\" command not found for t transport"},
        {"driver = pipe\ncommand = /bin/echo hello\nrestrict_to_path", NULL, OUT_FAIL,
         "\"/\" found in \"/bin/echo hello\" (command for t transport) - failed for security "
         "reasons"},
        {"driver = pipe\nrestrict_to_path", "|true", OUT_OK, ""},
        {"driver = pipe\ncommand = /bin/echo hello\nallow_commands = /bin/cat : /bin/true",
         NULL, OUT_FAIL, "\"/bin/echo\" command not permitted by t transport"},
        {"driver = pipe\nallow_commands = /bin/cat : /bin/true", "| /bin/true x", OUT_OK, ""},
        {"driver = pipe\nallow_commands = /bin/true\nrestrict_to_path", "|/bin/true", OUT_OK,
         ""},
        {"driver = pipe\nallow_commands = /bin/cat\nrestrict_to_path", "|true", OUT_OK, ""},
        {"driver = pipe\ncommand = /bin/echo ${if eq{a}{b}{c}fail}", NULL, OUT_ERROR,
         "Expansion of \"${if\" from command \"/bin/echo ${if eq{a}{b}{c}fail}\" in t "
         "transport "
         "failed: condition name expected, but found \"\""},
        {"driver = pipe\ncommand = /bin/echo $local_part", NULL, OUT_FAIL,
         "Tainted arg 1 for t transport command: 'u'"},
        {"driver = pipe\ncommand = $local_part", NULL, OUT_ERROR,
         "Tainted 'u' (command for t transport) not permitted"},
        {"driver = pipe\ncommand = /bin/false", "|/bin/true", OUT_OK, ""},
        {"driver = pipe\ncommand = /bin/false\nforce_command", "|/bin/true", OUT_FAIL,
         CHILD "returned 1 from command: /bin/false"},
        {"driver = pipe\ncommand = exit 5\nuse_shell", NULL, OUT_FAIL,
         CHILD "returned 5 from command: /bin/sh"},
        {"driver = pipe\ncommand = /bin/true\nenvironment = ${nosuch:a}", NULL, OUT_DEFER,
         "failed to expand string \"${nosuch:a}\" for t transport: unknown expansion operator "
         "\"nosuch\""},
        {"driver = pipe\ncommand = /bin/true\nmessage_prefix = ${nosuch:a}", NULL, OUT_ERROR,
         "Expansion of \"${nosuch:a}\" (prefix for t transport) failed: unknown expansion "
         "operator \"nosuch\""},
        {"driver = pipe\ncommand = /bin/cat\ntransport_filter = /no/such", NULL, OUT_ERROR,
         "Transport filter process failed (127): unable to execute command"},
        {"driver = pipe\ncommand = /bin/cat\ntransport_filter = /bin/sh -c 'cat; exit 3'", NULL,
         OUT_ERROR, "Transport filter process failed (3)"},
        {"driver = pipe\ncommand = /bin/cat\ntransport_filter = /bin/sleep 100\n"
         "transport_filter_timeout = 1s",
         NULL, OUT_FAIL, "transport filter timeout while writing to pipe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&cases[i]);
}

/* Commands from strangers' data never run. */
static void
test_tainted_address(void **state)
{
    (void)state;
    struct job_case c;
    job_begin(&c, "", "driver = pipe");
    c.address[0].item = ADDRESS_ITEM_PIPE;
    c.address[0].text = str_tainted(STR_LIT("|/bin/echo"));
    job_run(&c);
    assert_int_equal(c.answers[0].why.outcome, OUT_ERROR);
    assert_true(str_eqz(c.answers[0].why.log,
                        "Tainted '/bin/echo' (command for t transport) not permitted"));
    job_end(&c);
}

static void
test_message_and_arguments(void **state)
{
    (void)state;
    struct job_case c;
    job_begin(&c, "",
              "driver = pipe\nbatch_max = 10\nuse_shell = false\nmessage_suffix = end\\n\n"
              "message_prefix = begin\\n\nreturn_path_add\n"
              "command = /bin/sh -c 'cat >%R/out; echo \\$# \\$1 \\$2 >>%R/out' x "
              "$pipe_addresses");
    c.job.n = 2;
    job_run(&c);
    assert_int_equal(c.answers[0].why.outcome, OUT_OK);
    assert_int_equal(c.answers[1].why.outcome, OUT_OK);
    assert_true(str_eqz(job_file(&c, "%R/out"),
                        "begin\nReturn-path: <s@e>\nSubject: x\n\nbody\n"
                        "end\n2 u@d v@d\n"));
    job_end(&c);
}

/* The words of the user's command stay words. */
static void
test_forced_command(void **state)
{
    (void)state;
    struct job_case c;
    job_begin(&c, "",
              "driver = pipe\nforce_command\nuse_bsmtp\n"
              "command = /bin/sh -c 'echo \"\\$# \\$2\" >%R/forced' x $address_pipe");
    c.address[0].item = ADDRESS_ITEM_PIPE;
    c.address[0].text = STR_LIT("|/bin/prog 'a b' c");
    job_run(&c);
    assert_int_equal(c.answers[0].why.outcome, OUT_OK);
    assert_true(str_eqz(job_file(&c, "%R/forced"), "3 a b\n"));
    job_end(&c);
}

static void
test_environment(void **state)
{
    (void)state;
    struct job_case c;
    job_begin(&c, "timezone = Europe/Berlin",
              "driver = pipe\ncommand = /usr/bin/env\nreturn_output\n"
              "environment = A=b c:D=${lc:X}\npath = /usr/bin:/bin\n");
    c.address[0].prefix = STR_LIT("pre-");
    c.address[0].host = STR_LIT("h.example");
    c.job.home = STR_LIT("/home/u");
    job_run(&c);
    assert_int_equal(c.answers[0].why.outcome, OUT_FAIL);
    assert_true(str_eqz(c.answers[0].why.log, "return message generated"));
    static const char *const lines[] = {
        "LOCAL_PART=u\n",
        "LOGNAME=u\n",
        "USER=u\n",
        "LOCAL_PART_PREFIX=pre-\n",
        "LOCAL_PART_SUFFIX=\n",
        "DOMAIN=d\n",
        "RECIPIENT=pre-u@d\n",
        "HOST=h.example\n",
        "HOME=/home/u\n",
        "MESSAGE_ID=1xVNEb-000000079s2-0001\n",
        "PATH=/usr/bin:/bin\n",
        "QUALIFY_DOMAIN=host.example\n",
        "SENDER=s@e\n",
        "SHELL=/bin/sh\n",
        "TZ=Europe/Berlin\n",
        "A=b c\n",
        "D=x\n",
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct str line = str_from_cstr(lines[i]);
        if (str_find(c.answers[0].output, line, 0) == STR_NPOS)
            fail_msg("%s is missing", lines[i]);
        n += line.n;
    }
    assert_int_equal(c.answers[0].output.n, n); /* and nothing else */
    job_end(&c);
}

static void
check_output(const char *options, bool bounce, enum outcome outcome, bool returned, bool logged)
{
    struct job_case c;
    job_begin(&c, "", options);
    c.job.return_to_nobody = bounce;
    job_run(&c);
    struct transport_answer *t = &c.answers[0];
    if (t->why.outcome != outcome || str_is_set(t->output) != returned ||
        str_is_set(t->log_line) != logged)
        fail_msg("%s: %d %d %d", options, t->why.outcome, str_is_set(t->output),
                 str_is_set(t->log_line));
    if (returned)
        assert_true(str_eqz(t->output, "one \ntwo\n"));
    if (logged)
        assert_true(str_eqz(t->log_line, "one"));
    job_end(&c);
}

#define SAYS(code)                                                                             \
    "driver = pipe\ncommand = /bin/sh -c 'echo \"one \"; echo two >&2; exit " code "'\n"

static void
test_output(void **state)
{
    (void)state;
    check_output(SAYS("0"), false, OUT_OK, false, false);
    check_output(SAYS("0") "return_output", false, OUT_FAIL, true, false);
    check_output(SAYS("0") "return_output", true, OUT_OK, false, false);
    check_output(SAYS("75") "return_output", false, OUT_FAIL, true, false);
    check_output(SAYS("0") "return_fail_output", false, OUT_OK, false, false);
    check_output(SAYS("1") "return_fail_output", false, OUT_FAIL, true, false);
    check_output(SAYS("75") "return_fail_output", false, OUT_DEFER, false, false);
    check_output(SAYS("0") "log_output", false, OUT_OK, false, true);
    check_output(SAYS("0") "log_fail_output", false, OUT_OK, false, false);
    check_output(SAYS("1") "log_fail_output", true, OUT_FAIL, false, true);
    check_output(SAYS("75") "log_defer_output", false, OUT_DEFER, false, true);
    check_output(SAYS("1") "log_defer_output", false, OUT_FAIL, false, false);
}

/* Output of just max_output bytes is fine, one more is not. */
static void
test_output_cap(void **state)
{
    (void)state;
    for (int over = -1; over <= 1; over++) {
        struct job_case c;
        char options[200];
        (void)snprintf(options, sizeof options,
                       "driver = pipe\nmax_output = 1000\nreturn_output\n"
                       "command = /usr/bin/head -c %d /dev/zero",
                       1000 + over);
        job_begin(&c, "", options);
        job_run(&c);
        struct str text = c.answers[0].output;
        static const char note[] = "\n\n*** Too much output - remainder discarded ***\n";
        assert_int_equal(str_ends(text, str_from_cstr(note)), over > 0);
        assert_int_equal(text.n, over > 0 ? 1000 + sizeof note - 1 : 1000 + (size_t)over);
        job_end(&c);
    }
}

/* A message larger than any pipe, to a command that does not read it, and to one that says it all again. */
static void
test_large(void **state)
{
    (void)state;
    enum { N = 3 * 1024 * 1024 };
    static const char *const commands[] = {
        "driver = pipe\ncommand = /bin/true",
        "driver = pipe\ncommand = /bin/cat\nmax_output = 8M",
        "driver = pipe\ncommand = /bin/sh -c 'exec <&-; exec sleep 1'"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct job_case c;
        job_begin(&c, "", commands[i]);
        char *body = arena_alloc(c.loaded.arena, N);
        memset(body, 'x', N);
        body[N - 1] = '\n';
        c.message.body_text = str_from(body, N);
        job_run(&c);
        assert_int_equal(c.answers[0].why.outcome, OUT_OK);
        job_end(&c);
    }
}

/* -N: everything but the command itself. */
static void
test_not_delivered(void **state)
{
    (void)state;
    struct job_case c;
    job_begin(&c, "", "driver = pipe\ncommand = /bin/false");
    c.job.dont_deliver = true;
    job_run(&c);
    assert_int_equal(c.answers[0].why.outcome, OUT_OK);
    job_end(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_tainted_address),
        cmocka_unit_test(test_message_and_arguments),
        cmocka_unit_test(test_forced_command),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_output_cap),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_not_delivered),
    };
    return cmocka_run_group_tests(tests, job_setup, job_teardown);
}
