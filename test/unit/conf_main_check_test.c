/* Unit tests of conf/main_check.c: values of main options that are judged together. Errors in Exim's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

static void
good(const char *text)
{
    struct loaded l = load_text(text);
    assert_string_equal(load_exim_error(&l), "");
    load_free(&l);
}

/* The error holds `words`. */
static void
bad(const char *text, const char *words)
{
    struct loaded l = load_text(text);
    const char *got = load_exim_error(&l);
    if (strstr(got, words) == NULL)
        fail_msg("%s: %s", text, got);
    load_free(&l);
}

static void
addresses(void **state)
{
    (void)state;
    good("errors_reply_to = a@b.example\n");
    good("errors_reply_to = A B <a@b.example>\n");
    bad("errors_reply_to = a b@c\n", "error in errors_reply_to (a b@c):");
    bad("errors_reply_to = a\n", "errors_reply_to (a) does not contain a domain");
    good("allow_domain_literals\nerrors_reply_to = a@[1.2.3.4]\n");
}

static void
rates(void **state)
{
    (void)state;
    good("smtp_ratelimit_hosts = *\nsmtp_ratelimit_mail = 2,0.5s,1.05,4m\n");
    good("smtp_ratelimit_rcpt = 4,0.25s,1.015,4m\nsmtp_ratelimit_hosts = *\n");
    bad("smtp_ratelimit_hosts = *\nsmtp_ratelimit_mail = 2,x,1.05,4m\n",
        "malformed ratelimit data: 2,x,1.05,4m");
    bad("smtp_ratelimit_hosts = *\nsmtp_ratelimit_rcpt = 2\n", "malformed ratelimit data: 2");
}

static void
senders(void **state)
{
    (void)state;
    good("local_sender_retain\nno_local_from_check\n");
    bad("local_sender_retain\n", "both local_from_check and local_sender_retain are set");
}

static void
diffie_hellman(void **state)
{
    (void)state;
    good("tls_dh_max_bits = 1024\n");
    bad("tls_dh_max_bits = 1023\n", "tls_dh_max_bits is too small, must be at least 1024");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(rates),
        cmocka_unit_test(senders),
        cmocka_unit_test(diffie_hellman),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
