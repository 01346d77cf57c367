/* Answers of spamd and rspamd, good and bad, and the texts of the variables. */
#include "scanners/spamd_answer.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;

static bool
parse(bool rspamd, const char *text, struct spamd_answer *out)
{
    struct str s = str_from_cstr(text);
    return rspamd ? spamd_answer_parse_rspamd(a, s, out) : spamd_answer_parse(a, s, out);
}

static void
test_spamd(void **state)
{
    struct spamd_answer s;
    (void)state;
    assert_true(parse(false,
                      "SPAMD/1.1 0 EX_OK\r\nContent-length: 1\r\nSpam: True ; 12.3 / 5.0\r\n"
                      "\r\nfirst\r\n\r\nsecond\n \r\n",
                      &s));
    assert_int_equal(s.score, 12300);
    assert_int_equal(s.threshold, 5000);
    assert_true(str_eqz(s.report, "first\n \n second"));
    assert_true(str_is_tainted(s.report));
    assert_true(parse(false, "SPAMD/1.5 0 EX_OK\nspam: x ; -0.25 / 5\n\n", &s));
    assert_int_equal(s.score, -250);
    assert_true(str_eqz(s.report, ""));
}

static void
test_bad_spamd(void **state)
{
    static const char *const bad[] = {
        "",
        "SPAMD/1.1 0 EX_OK\r\n\r\nSpam: True ; 1 / 5\r\n",
        "SPAMD/1.1 76 EX_X\r\nSpam: True ; 1 / 5\r\n\r\n",
        "SPAMD/1.1\r\nSpam: True ; 1 / 5\r\n\r\n",
        "RSPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 5\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1e3 / 5\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1,5 / 5\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True ; -- 1 / 5\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True ; / 5\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 99999999999999999999 / 5\r\n\r\n",
        "SPAMD/1.1 0 EX_OK\r\nSpam: True\r\n\r\n",
    };
    struct spamd_answer s;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(parse(false, bad[i], &s));
}

static void
test_rspamd(void **state)
{
    struct spamd_answer s;
    (void)state;
    assert_true(
        parse(true,
              "RSPAMD/1.3 0 EX_OK\r\nX: y\r\nMetric: default; False; 6.50 / 15.00 / 0.0\r\n"
              "Symbol: A(1)\r\nAction: add header\r\n",
              &s));
    assert_int_equal(s.score, 6500);
    assert_int_equal(s.threshold, 15000);
    assert_true(str_eqz(s.action, "add header"));
    assert_true(str_eqz(s.report, "Symbol: A(1)\n Action: add header"));
    assert_true(parse(true, "RSPAMD/1.3 0 OK\nMetric: default; True; 15.1 / 15", &s));
    assert_true(str_eqz(s.action, ""));
    assert_false(parse(true, "RSPAMD/1.3 0 OK\n", &s));
    assert_false(parse(true, "RSPAMD/1.3 1 NO\nMetric: default; True; 15.1 / 15\n", &s));
    assert_false(parse(true, "RSPAMD/1.3 0 OK\nMetric: default; 15.1 / 15\n", &s));
    assert_false(parse(true, "HTTP/1.1 200 OK\r\n\r\n{}", &s));
}

static void
check_texts(int64_t score, const char *text, const char *number, const char *bar)
{
    assert_true(str_eqz(spamd_answer_score(a, score), text));
    assert_true(str_eqz(spamd_answer_score_int(a, score), number));
    assert_true(str_eqz(spamd_answer_bar(a, score), bar));
}

static void
test_texts(void **state)
{
    static const char fifty[] = "++++++++++++++++++++++++++++++++++++++++++++++++++";
    (void)state;
    check_texts(0, "0.0", "0", "/");
    check_texts(49, "0.0", "0", "/");
    check_texts(-49, "0.0", "0", "/");
    check_texts(50, "0.1", "0", "/");
    check_texts(4990, "5.0", "49", "++++");
    check_texts(-3400, "-3.4", "-34", "---");
    check_texts(49999, "50.0", "499", fifty + 1);
    check_texts(50000, "50.0", "500", fifty);
    check_texts(51000, "51.0", "510", fifty);
}

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_spamd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_spamd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rspamd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
