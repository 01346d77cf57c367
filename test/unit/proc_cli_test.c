/* The command line: forms of options, values, names of the program, combinations, texts of errors. */
#include "proc/cli.h"

#include "base/arena.h"
#include "conf/debug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { WORDS_MAX = 16 };

static struct arena *a;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

/* Words separated by | (an empty one stays). */
static bool
parse(const char *line, struct cli *cli)
{
    char *copy = str_cstr(a, str_from_cstr(line));
    char **argv = ARENA_ARRAY(a, char *, WORDS_MAX + 1);
    int argc = 0;
    for (char *p = copy; p != NULL && argc < WORDS_MAX;) {
        char *bar = strchr(p, '|');
        if (bar != NULL)
            *bar++ = '\0';
        argv[argc++] = p;
        p = bar;
    }
    return cli_parse(a, argc, argv, cli);
}

static void
accept_mode(const char *line, enum cli_mode mode)
{
    struct cli cli;
    if (!parse(line, &cli))
        fail_msg("%s: %.*s", line, STR_ARG(cli.error));
    if (cli.mode != mode)
        fail_msg("%s: mode %d", line, (int)cli.mode);
}

static void
refuse(const char *line, const char *want)
{
    struct cli cli;
    if (parse(line, &cli))
        fail_msg("%s was accepted", line);
    if (!str_eqz(cli.error, want))
        fail_msg("%s: %.*s", line, STR_ARG(cli.error));
}

static void
test_modes(void **state)
{
    (void)state;
    accept_mode("remex", CLI_RECEIVE);
    accept_mode("remex|a@b", CLI_RECEIVE);
    accept_mode("remex|-be", CLI_EXPAND);
    accept_mode("remex|-bem|f", CLI_EXPAND);
    accept_mode("remex|-bP|-bV", CLI_VERSION);
    accept_mode("remex|-bV|-bP|x", CLI_VERSION);
    accept_mode("remex|--version", CLI_VERSION);
    accept_mode("remex|-brt|-brw|x", CLI_RETRY);
    accept_mode("remex|-bs|-be|x", CLI_EXPAND);
    accept_mode("remex|-be|-bt|x", CLI_ROUTE);
    accept_mode("remex|-q|-bp", CLI_QUEUE_LIST);
    accept_mode("remex|-q30m", CLI_DAEMON);
    accept_mode("remex|-qqff", CLI_QUEUE_RUN);
    accept_mode("remex|-qqff30m", CLI_DAEMON);
    accept_mode("remex|-qGname/1h", CLI_DAEMON);
    accept_mode("remex|-qGname", CLI_QUEUE_RUN);
    accept_mode("remex|-bI:sieve", CLI_INFO_SIEVE);
    accept_mode("remex|-bI:nothing", CLI_INFO_OTHER);
    accept_mode("remex|-Mt|1xVLr4-0002nD-3C", CLI_MESSAGE);
    accept_mode("remex|-bd|-q1h", CLI_DAEMON);
}

static void
test_names(void **state)
{
    (void)state;
    struct cli cli;
    accept_mode("/usr/bin/mailq", CLI_QUEUE_LIST);
    accept_mode("runq", CLI_QUEUE_RUN);
    accept_mode("newaliases", CLI_ALIASES);
    accept_mode("rsmtp", CLI_BATCH_SMTP);
    accept_mode("rmail|x", CLI_RECEIVE);
    assert_true(parse("rmail|x", &cli));
    assert_true(cli_has(&cli, "-i") && cli_has(&cli, "-oee"));
    assert_true(cli.called_as_exim);
    assert_true(parse("/x/sendmail|-bV", &cli));
    assert_true(cli.called_as_exim);
    assert_string_equal(cli.program, "exim");
    assert_true(parse("/x/remex|-bV", &cli));
    assert_false(cli.called_as_exim);
    refuse("exim|-xyz", "exim abandoned: unknown, malformed, or incomplete option -xyz");
    refuse("remex|-xyz", "remex abandoned: unknown, malformed, or incomplete option -xyz");
}

static void
test_values(void **state)
{
    (void)state;
    struct cli cli;
    assert_true(parse("remex|-C|/a:/b|-f|<a@b>|-F|Me|-v|-n|-be|x|-bP", &cli));
    assert_true(str_eqz(cli.config_list, "/a:/b"));
    assert_true(str_is_tainted(cli.config_list));
    assert_true(str_eqz(cli.sender, "a@b"));
    assert_true(str_eqz(cli_value(&cli, "-F"), "Me"));
    assert_true(cli.verbose && cli.values_only);
    assert_int_equal(cli.args.n, 2);
    assert_true(str_eqz(cli.args.v[1], "-bP"));
    assert_true(str_is_tainted(cli.args.v[0]));
    assert_true(parse("remex|-C/a|-fx|-f|<>", &cli));
    assert_true(str_eqz(cli.config_list, "/a"));
    assert_true(str_is_set(cli.sender));
    assert_int_equal(cli.sender.n, 0);
    assert_true(parse("remex|-be|--|-x", &cli));
    assert_int_equal(cli.args.n, 1);
    assert_true(parse("remex|-oMa|192.0.2.1.25|-oMi|[::1]:26|-pA:b", &cli));
    assert_true(str_eqz(cli_value(&cli, "-p"), "A:b"));
}

static void
test_macros(void **state)
{
    (void)state;
    struct cli cli;
    assert_true(parse("remex|-DA|-DB=|-DC=x y|-D D1 = z ", &cli));
    assert_int_equal(cli.macros.n, 4);
    assert_int_equal(cli.macros.v[0].text.n, 0);
    assert_int_equal(cli.macros.v[1].text.n, 0);
    assert_true(str_eqz(cli.macros.v[2].text, "x y"));
    assert_true(str_eqz(cli.macros.v[3].name, "D1"));
    assert_true(str_eqz(cli.macros.v[3].text, "z "));
    refuse("exim|-D", "exim: macro name set by -D must start with an upper case letter");
    refuse("exim|-Dx=1", "exim: macro name set by -D must start with an upper case letter");
    refuse("exim|-DX-Y=1", "exim abandoned: unknown, malformed, or incomplete option -DX-Y=1");
    refuse("exim|-DX=1|-DX=2", "exim: duplicated -D in command line");
    assert_true(parse("exim|-DA|-DB|-DC|-DE|-DF|-DG|-DH|-DI|-DJ|-DK", &cli));
    refuse("exim|-DA|-DB|-DC|-DE|-DF|-DG|-DH|-DI|-DJ|-DK|-DL",
           "exim: too many -D options on command line");
}

static void
test_incomplete(void **state)
{
    (void)state;
    refuse("exim|-C", "exim abandoned: unknown, malformed, or incomplete option -C");
    refuse("exim|-f", "exim abandoned: unknown, malformed, or incomplete option -f");
    refuse("exim|-bem", "exim abandoned: unknown, malformed, or incomplete option -bem");
    refuse("exim|-bf", "exim: file name expected after -bf");
    refuse("exim|-bfd", "exim: string expected after -bfd");
    refuse("exim|-oMa", "exim: data expected after -oMa");
    refuse("exim|-oMx", "exim: data expected after -oMx");
    refuse("exim|-z", "exim: file name expected after -z");
    refuse("exim|-O", "exim: string expected after -O");
    refuse("exim|-M", "exim: no message ids given after -M option");
    refuse("exim|-M|xx", "exim: malformed message id xx after -M option");
    refuse("exim|-Mf|1xVLr4-0002nD-3C|-bp", "exim: malformed message id -bp after -Mf option");
    refuse("exim|-q5x", "exim: bad time value -q5x: abandoned");
    refuse("exim|-or|5x", "exim: bad time value 5x: abandoned");
    refuse("exim|-oMa|xx", "exim abandoned: \"xx\" is not an IP address");
    refuse("exim|-oMm|x", "exim: -oMm must be a valid message ID");
    refuse("exim|-pa|-oMr|b", "received_protocol is set already");
    refuse("exim|-oez", "exim abandoned: unknown, malformed, or incomplete option -oez");
    refuse("exim|-ex", "exim abandoned: unknown, malformed, or incomplete option -ex");
    refuse("exim|-vv", "exim abandoned: unknown, malformed, or incomplete option -vv");
    refuse("exim|-d+foo", "exim: unknown debug_selector setting: +foo");
    refuse("exim|-MCS", "exim: option -MCS is for the program's own use");
}

static void
test_combinations(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "exim|-bd|-bt|x",  "exim|-bd|-be",        "exim|-bp|-bd",  "exim|-bi|-be|x",
        "exim|-bf|/x|-bt", "exim|-bd|-q1h|-bP|x", "exim|-bs|-t",   "exim|-bt|-bv",
        "exim|-bS|-q",     "exim|-be|-bP",        "exim|-q1h|-bs", "exim|-bP|-bh|1.2.3.4",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i], "exim: incompatible command-line options or arguments");
    accept_mode("exim|-bd|-bV", CLI_VERSION);
    accept_mode("exim|-bm|-be|a", CLI_EXPAND);
}

static void
test_debug(void **state)
{
    (void)state;
    struct cli cli;
    assert_true(parse("exim|-d", &cli));
    assert_true(cli.debug && cli.verbose);
    assert_int_equal(cli.debug_selector, debug_default());
    assert_true(parse("exim|-d-all+lookup", &cli));
    assert_int_equal(cli.debug_selector, DEBUG_BIT(DEBUG_LOOKUP));
    assert_true(parse("exim|-d+expand-acl", &cli));
    assert_int_equal(cli.debug_selector,
                     (debug_default() | DEBUG_BIT(DEBUG_EXPAND)) & ~DEBUG_BIT(DEBUG_ACL));
    assert_true(parse("exim|-d=0x3", &cli));
    assert_int_equal(cli.debug_selector, 3);
    uint64_t s = 0;
    struct str wrong;
    assert_true(debug_select(STR_LIT("+all"), &s, &wrong));
    assert_int_equal(s, DEBUG_BIT(DEBUG_BITS) - 1);
    assert_false(debug_select(STR_LIT("+"), &s, &wrong));
}

static void
test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *address; /* NULL: refused */
        int port;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", 0},
        {"192.0.2.1.25", "192.0.2.1", 25},
        {"[192.0.2.1]:25", "192.0.2.1", 25},
        {"[192.0.2.1]", "192.0.2.1", 0},
        {"::1", "::1", 0},
        {"::1.25", "::1", 25},
        {"[::1]:65535", "::1", 65535},
        {"[::1]:65536", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]x", NULL, 0},
        {"", NULL, 0},
        {"192.0.2", NULL, 0},
        {"192.0.2.1.", NULL, 0},
        {"192.0.2.1.123456", NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str address;
        int port;
        bool ok = cli_split_address(a, str_from_cstr(rows[i].text), &address, &port);
        if (ok != (rows[i].address != NULL))
            fail_msg("%s", rows[i].text);
        if (ok && (!str_eqz(address, rows[i].address) || port != rows[i].port))
            fail_msg("%s: %.*s %d", rows[i].text, STR_ARG(address), port);
    }
}

static void
test_message_ids(void **state)
{
    (void)state;
    assert_true(cli_is_message_id(STR_LIT("1xVLr4-0002nD-3C")));
    assert_true(cli_is_message_id(STR_LIT("10HmaX-000000005vi-0000")));
    assert_false(cli_is_message_id(STR_LIT("1xVLr4-0002nD-3")));
    assert_false(cli_is_message_id(STR_LIT("1xVLr4_0002nD-3C")));
    assert_false(cli_is_message_id(STR_LIT("1xVLr4-0002nD-/C")));
    assert_false(cli_is_message_id(STR_EMPTY));
}

/* Every row is documented with a sentence and found by its own name. */
static void
test_rows(void **state)
{
    (void)state;
    size_t n;
    const struct cli_row *rows = cli_rows(&n);
    assert_in_range(n, 175, 200);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(rows[i].doc);
        assert_true(len > 10 && rows[i].doc[len - 1] == '.');
        assert_int_equal(rows[i].name[0], '-');
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),      cmocka_unit_test(test_macros),
        cmocka_unit_test(test_incomplete),  cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_debug),       cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_message_ids), cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
