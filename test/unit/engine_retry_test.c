/* The retry section: what is read, the texts of faults, and which rule is chosen. */
#include "engine/retry.h"

#include "base/arena.h"
#include "base/buf.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

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

/* Lines separated by newlines. */
static struct retry_rules *
parse(const char *text, struct diags *d)
{
    struct conf_line lines[64];
    size_t n = 0;
    struct str s = str_from_cstr(text);
    for (size_t at = 0; at < s.n && n < 64;) {
        size_t end = str_chr(s, '\n', at);
        end = end == STR_NPOS ? s.n : end;
        lines[n] =
            (struct conf_line){.text = str_sub(s, at, end - at), .line = (uint32_t)n + 1};
        n++;
        at = end + 1;
    }
    void *result = NULL;
    bool ok = retry_section.parse(a, lines, n, d, &result);
    assert_int_equal(ok, diags_total(d) == 0);
    return result;
}

static void
check_shown(const char *line, const char *want)
{
    struct diags *d = diags_new(a, 0);
    struct retry_rules *r = parse(line, d);
    if (diags_total(d) != 0)
        fail_msg("%s: %.*s", line, STR_ARG(diags_at(d, 0)->text));
    struct buf out = buf_in(a, 0);
    retry_rule_add(&out, &r->v.v[0]);
    if (!str_eqz(buf_str(&out), want))
        fail_msg("%s: %.*s", line, STR_ARG(buf_str(&out)));
}

static void
check_fault(const char *line, const char *want)
{
    struct diags *d = diags_new(a, 0);
    parse(line, d);
    assert_int_equal(diags_total(d), 1);
    if (!str_eqz(diags_at(d, 0)->exim, want))
        fail_msg("%s: %.*s", line, STR_ARG(diags_at(d, 0)->exim));
}

static void
test_rules(void **state)
{
    (void)state;
    check_shown("* * F,1h,10m", "Retry rule: *  *  F,1h,10m; \n");
    check_shown("* *", "Retry rule: *  *  \n");
    check_shown("\"a : b\" * f,1h,10m ; G,2d,1h,1.5;",
                "Retry rule: a : b  *  F,1h,10m; G,2d,1h,1.5; \n");
    check_shown("* * H,10d,10m,2", "Retry rule: *  *  H,1w3d,10m; \n");
    check_shown("* * G,1h,10m,2.12345", "Retry rule: *  *  G,1h,10m,2.123; \n");
    check_shown("x rcpt_45x senders=\"a : b\" F,1h,1m", "Retry rule: x  *  F,1h,1m; \n");
    check_shown("x timeout_connect_MX F,1h,1m",
                "Retry rule: x  timeout_connect_MX  F,1h,1m; \n");
    check_shown("x QUOTA_36h F,1h,1m", "Retry rule: x  quota_1d12h  F,1h,1m; \n");
    check_shown("x refused_ F,1h,1m", "Retry rule: x  refused  F,1h,1m; \n");
}

static void
test_faults(void **state)
{
    (void)state;
    check_fault("*", "missing error type in retry rule");
    check_fault("* * X", "comma expected");
    check_fault("* * X,1h", "unknown retry rule letter");
    check_fault("* * F,1h", "comma expected");
    check_fault("* * F,1h,", "bad parameters for retry rule");
    check_fault("* * F,0s,10m", "bad parameters for retry rule");
    check_fault("* * G,1h,10m,0.5", "bad parameters for retry rule");
    check_fault("* * F,1h,10m,5", "semicolon expected");
    check_fault("* * F,1h,10m:", "comma or semicolon expected");
    check_fault("* foo F,1h,10m", "unknown or malformed retry error \"foo\"");
    check_fault("* timeout_x F,1h,1m",
                "\"A\", \"MX\", or \"connect\" expected after \"timeout\"");
    check_fault("* refused_X F,1h,1m", "A or MX expected after \"refused\"");
    check_fault("* quota_3x F,1h,1m", "bad time value");
    check_fault(
        "* rcpt_4x5 F,1h,1m",
        "rcpt_4 must be followed by xx, dx, or dd, where x is literal and d is any digit");
    check_fault("* * senders F,1h,1m", "\"=\" expected after \"senders\" in retry rule");
}

/* All faults of a section in one run. */
static void
test_several_faults(void **state)
{
    (void)state;
    struct diags *d = diags_new(a, 0);
    struct retry_rules *r = parse("*\n* * F,1h,1m\n* foo F,1h,1m", d);
    assert_int_equal(diags_total(d), 2);
    assert_int_equal(diags_at(d, 1)->at.last_line, 3);
    assert_int_equal(r->v.n, 1);
}

static void
check_error(const char *rule, const char *happened, bool want)
{
    struct diags *d = diags_new(a, 0);
    struct wiring w = wire_command_line(a, NULL);
    struct str line = str_printf(a, "* %s F,1h,1m", rule), fault;
    struct retry_rules *r = parse(str_cstr(a, line), d);
    struct retry_question q = {.key = STR_LIT("a@b"), .second = STR_NULL, .sender = STR_NULL};
    assert_true(retry_error_parse(a, str_from_cstr(happened), &q.error, &fault));
    bool got = retry_find(r, w.eval, w.vm, &q, NULL) != NULL;
    if (got != want)
        fail_msg("rule %s, error %s", rule, happened);
}

static void
test_errors(void **state)
{
    (void)state;
    check_error("*", "lookup", true);
    check_error("lookup", "*", false);
    check_error("rcpt_45x", "rcpt_451", true);
    check_error("rcpt_45x", "rcpt_461", false);
    check_error("rcpt_45x", "rcpt_4xx", false);
    check_error("rcpt_4xx", "mail_451", false);
    check_error("timeout", "timeout_connect_MX", true);
    check_error("timeout_connect", "timeout_MX", false);
    check_error("timeout_MX", "timeout_connect_MX", true);
    check_error("timeout_A", "timeout_MX", false);
    check_error("refused_MX", "refused", false);
    check_error("refused", "refused_A", true);
    check_error("quota_1d", "quota_2d", true);
    check_error("quota_1d", "quota_1d", true);
    check_error("quota_1d", "quota_23h", false);
    check_error("quota", "quota_23h", true);
}

static const char *
chosen(const char *rules, const char *key, const char *second, struct str sender)
{
    struct diags *d = diags_new(a, 0);
    struct wiring w = wire_command_line(a, NULL);
    struct retry_rules *r = parse(rules, d);
    struct retry_question q = {
        .key = str_from_cstr(key), .second = str_from_cstr(second), .sender = sender};
    const struct retry_rule *one = retry_find(r, w.eval, w.vm, &q, NULL);
    return one != NULL ? str_cstr(a, one->pattern) : "none";
}

static void
test_patterns(void **state)
{
    (void)state;
    static const char rules[] = "foo@a.b *\nb.c *\n^\\N^\\*@x\\N *\n*@*.z *\nsend * senders=:\n"
                                "send * senders=a@b\n!*.n *";
    assert_string_equal(chosen(rules, "foo@a.b", NULL, STR_NULL), "foo@a.b");
    assert_string_equal(chosen(rules, "Foo@a.b", NULL, STR_NULL), "foo@a.b");
    assert_string_equal(chosen(rules, "a.b", NULL, STR_NULL), "!*.n");
    assert_string_equal(chosen(rules, "q@b.c", NULL, STR_NULL), "b.c");
    assert_string_equal(chosen(rules, "q.r", "b.c", STR_NULL), "b.c");
    assert_string_equal(chosen(rules, "x.y", NULL, STR_NULL), "^\\N^\\*@x\\N");
    assert_string_equal(chosen(rules, "q.z", NULL, STR_NULL), "*@*.z");
    assert_string_equal(chosen(rules, "y.n", NULL, STR_NULL), "none");
    assert_string_equal(chosen(rules, "send", NULL, STR_NULL), "!*.n");
    assert_string_equal(chosen(rules, "send", NULL, STR_EMPTY), "send");
    assert_string_equal(chosen(rules, "send", NULL, STR_LIT("a@b")), "send");
    assert_string_equal(chosen(rules, "send", NULL, STR_LIT("b@b")), "!*.n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),          cmocka_unit_test(test_faults),
        cmocka_unit_test(test_several_faults), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
