/* What servers offer: keywords in any case, numbers within bounds, nothing of the first line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mail/ehlo.h"

static struct ehlo
read(struct arena *a, const char *text)
{
    struct smtp_reply r;
    struct ehlo e;
    size_t used;
    assert_int_equal(smtp_reply_parse(a, str_from_cstr(text), &used, &r), SMTP_REPLY_DONE);
    ehlo_read(&r, &e);
    return e;
}

static void
test_keywords(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    struct ehlo e =
        read(a, "250-PIPELINING CHUNKING\r\n250-pipelining\r\n250-Prdr\r\n250-DSN\r\n"
                "250-8BITMIME\r\n250-SMTPUTF8\r\n250-STARTTLS\r\n250-X-DSNX\r\n"
                "250-IGNOREQUOTA\r\n250 AUTH PLAIN  LOGIN\r\n");
    assert_true(e.pipelining && e.prdr && e.dsn && e.eightbit && e.smtputf8 && e.starttls &&
                e.ignore_quota && e.auth);
    assert_false(e.chunking || e.size || e.limits);
    assert_true(str_eqz(e.auth_mechanisms, "PLAIN  LOGIN"));
    e = read(a, "250-x\r\n250 AUTH=CRAM-MD5\r\n");
    assert_true(e.auth && str_eqz(e.auth_mechanisms, "CRAM-MD5"));
    e = read(a, "250 PIPELINING\r\n");
    assert_false(e.pipelining);
    arena_free(a);
}

static void
test_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t size, mail, rcpt, domains;
    } rows[] = {
        {"250-x\r\n250 SIZE\r\n", 0, 0, 0, 0},
        {"250-x\r\n250 SIZE 1000\r\n", 1000, 0, 0, 0},
        {"250-x\r\n250 size 99999999999999999999999999\r\n", INT64_MAX / 100, 0, 0, 0},
        {"250-x\r\n250 SIZE -5\r\n", 0, 0, 0, 0},
        {"250-x\r\n250 LIMITS MAILMAX=5 rcptmax=100 RCPTDOMAINMAX=1 X=9\r\n", 0, 5, 100, 1},
        {"250-x\r\n250 LIMITS RCPTMAX=999999\r\n", 0, 0, 999999, 0},
        {"250-x\r\n250 LIMITS RCPTMAX=1000000\r\n", 0, 0, 1000000, 0},
        {"250-x\r\n250 LIMITS RCPTMAX=1000001\r\n", 0, 0, 1000000, 0},
        {"250-x\r\n250 LIMITS RCPTMAX= MAILMAX=x\r\n", 0, 0, 0, 0},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ehlo e = read(a, rows[i].text);
        assert_int_equal(e.size_max, rows[i].size);
        assert_int_equal(e.mail_max, rows[i].mail);
        assert_int_equal(e.rcpt_max, rows[i].rcpt);
        assert_int_equal(e.rcpt_domain_max, rows[i].domains);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keywords),
                                       cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
