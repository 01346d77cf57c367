/* DMARC: records, the addresses of reports, alignment, and what a policy asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mail/dmarc.h"

#include <stdio.h>
#include <string.h>

static struct dmarc_record
good(const char *text)
{
    struct dmarc_record r;
    assert_true(dmarc_record_parse(str_from_cstr(text), &r));
    return r;
}

static void
assert_none(const char *text)
{
    struct dmarc_record r;
    assert_false(dmarc_record_parse(str_from_cstr(text), &r));
}

static void
test_record(void **state)
{
    (void)state;
    struct dmarc_record r = good("v=DMARC1; p=none");
    assert_int_equal(r.policy, DMARC_NONE);
    assert_int_equal(r.subdomains, DMARC_UNSAID);
    assert_false(r.strict_dkim || r.strict_spf);
    assert_int_equal(r.percent, 100);
    assert_int_equal(r.report, DMARC_REPORT_ALL);
    assert_int_equal(r.rua.n, 0);
    r = good("v=DMARC1;p=Reject;sp=quarantine;adkim=s;aspf=s;pct=20;fo=1:d:s;"
             "rua=mailto:a@b.example!5m , https://c.example/x;ruf=mailto:d@e.example;x=y;");
    assert_int_equal(r.policy, DMARC_REJECT);
    assert_int_equal(r.subdomains, DMARC_QUARANTINE);
    assert_true(r.strict_dkim && r.strict_spf);
    assert_int_equal(r.percent, 20);
    assert_int_equal(r.report, DMARC_REPORT_ANY | DMARC_REPORT_DKIM | DMARC_REPORT_SPF);
    assert_int_equal(r.rua.n, 2);
    assert_true(str_eqz(r.rua.v[0], "mailto:a@b.example!5m"));
    assert_true(str_eqz(r.rua.v[1], "https://c.example/x"));
    assert_true(str_eqz(r.ruf.v[0], "mailto:d@e.example"));
}

static void
test_bad_record(void **state)
{
    (void)state;
    assert_none("");
    assert_none("p=reject; v=DMARC1");
    assert_none("v=DMARC2; p=reject");
    assert_none("v=dmarc1; p=reject");
    assert_none("v=DMARC10; p=reject");
    assert_none("v=DMARC1");
    assert_none("v=DMARC1; p=perhaps");
    /* with somebody to report to, it asks for nothing else */
    struct dmarc_record r = good("v=DMARC1; p=perhaps; rua=mailto:a@b.example");
    assert_int_equal(r.policy, DMARC_NONE);
    r = good("v=DMARC1; p=reject; sp=perhaps; rua=mailto:a@b.example");
    assert_int_equal(r.policy, DMARC_NONE);
    assert_int_equal(r.subdomains, DMARC_NONE);
    assert_none("v=DMARC1; p=perhaps; rua=nonsense");
    /* what is not understood is as if it were not there */
    r = good(" v = DMARC1 ;; p = reject ; pct=101; pct=x; adkim=t; fo=9; \t; = ;nonsense");
    assert_int_equal(r.policy, DMARC_REJECT);
    assert_int_equal(r.percent, 100);
    assert_false(r.strict_dkim);
    assert_int_equal(r.report, DMARC_REPORT_ALL);
}

/* A record of exactly n bytes. */
static bool
parses_with_size(size_t n)
{
    static char text[DMARC_RECORD_MAX + 2];
    struct dmarc_record r;
    memset(text, 'x', sizeof text);
    memcpy(text, "v=DMARC1;p=reject;x=", 20);
    return dmarc_record_parse(str_from(text, n), &r);
}

static void
test_caps(void **state)
{
    (void)state;
    assert_true(parses_with_size(DMARC_RECORD_MAX - 1));
    assert_true(parses_with_size(DMARC_RECORD_MAX));
    assert_false(parses_with_size(DMARC_RECORD_MAX + 1));
    for (size_t n = DMARC_ADDRESSES_MAX - 1; n <= DMARC_ADDRESSES_MAX + 1; n++) {
        char text[1024] = "v=DMARC1;p=none;rua=mailto:a@b.example";
        for (size_t i = 1; i < n; i++)
            strncat(text, ",mailto:a@b.example", sizeof text - strlen(text) - 1);
        struct dmarc_record r = good(text);
        assert_int_equal(r.rua.n, n > DMARC_ADDRESSES_MAX ? DMARC_ADDRESSES_MAX : n);
    }
}

static void
test_mailto(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *want; /* NULL: it is not one */
    } rows[] = {
        {"mailto:a@b.example", "a@b.example"},
        {"MAILTO:a@b.example!10m", "a@b.example"},
        {"mailto:a%21x@b.example", "a!x@b.example"},
        {"mailto:a@b.example?subject=x", "a@b.example"},
        {"mailto:a", NULL},
        {"mailto:", NULL},
        {"mailto:@b.example", NULL},
        {"mailto:a%4", NULL},
        {"mailto:a%zz@b.example", NULL},
        {"mailto:a%0D%0ABcc:x@b.example", NULL},
        {"https://b.example/", NULL},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str address = STR_NULL;
        bool is = dmarc_mailto(a, str_from_cstr(rows[i].uri), &address);
        assert_int_equal(is, rows[i].want != NULL);
        if (is)
            assert_string_equal(str_cstr(a, address), rows[i].want);
    }
    arena_free(a);
}

static void
test_alignment(void **state)
{
    (void)state;
    struct str org = STR_LIT("b.example"), from = STR_LIT("x.b.example");
    struct str other = STR_LIT("Y.b.Example"), foreign = STR_LIT("c.example");
    assert_true(dmarc_is_aligned(false, from, org, other, org));
    assert_false(dmarc_is_aligned(true, from, org, other, org));
    assert_true(dmarc_is_aligned(true, from, org, STR_LIT("X.B.example"), org));
    assert_false(dmarc_is_aligned(false, from, org, foreign, foreign));
    assert_false(dmarc_is_aligned(false, from, org, STR_EMPTY, STR_EMPTY));
    assert_false(dmarc_is_aligned(false, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY));
}

static void
test_policy(void **state)
{
    (void)state;
    struct dmarc_record r = good("v=DMARC1; p=reject; sp=none");
    assert_int_equal(dmarc_policy_for(&r, false), DMARC_REJECT);
    assert_int_equal(dmarc_policy_for(&r, true), DMARC_NONE);
    r = good("v=DMARC1; p=reject");
    assert_int_equal(dmarc_policy_for(&r, true), DMARC_REJECT);
    assert_int_equal(dmarc_fail(DMARC_REJECT, 100, 99), DMARC_FAIL_REJECT);
    assert_int_equal(dmarc_fail(DMARC_REJECT, 20, 19), DMARC_FAIL_REJECT);
    assert_int_equal(dmarc_fail(DMARC_REJECT, 20, 20), DMARC_FAIL_QUARANTINE);
    assert_int_equal(dmarc_fail(DMARC_QUARANTINE, 0, 0), DMARC_FAIL_NONE);
    assert_int_equal(dmarc_fail(DMARC_NONE, 0, 99), DMARC_FAIL_NONE);
}

static void
test_words(void **state)
{
    (void)state;
    static const char *const statuses[] = {
        "", "off", "nofrom", "temperror", "norecord", "accept", "none", "quarantine", "reject"};
    for (enum dmarc_verdict v = DMARC_NOT_CHECKED; v <= DMARC_FAIL_REJECT; v++)
        assert_true(str_eqz(dmarc_verdict_status(v), statuses[v]));
    assert_false(str_is_set(dmarc_verdict_result(DMARC_OFF)));
    assert_true(str_eqz(dmarc_verdict_result(DMARC_PASS), "pass"));
    assert_true(str_eqz(dmarc_verdict_result(DMARC_FAIL_REJECT), "fail"));
    assert_true(str_eqz(dmarc_verdict_text(DMARC_FAIL_NONE), "None, Accept"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),    cmocka_unit_test(test_bad_record),
        cmocka_unit_test(test_caps),      cmocka_unit_test(test_mailto),
        cmocka_unit_test(test_alignment), cmocka_unit_test(test_policy),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
