/* Which messages are text and nothing else. */
#include "mail/plain_mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static size_t
body(const char *text)
{
    return plain_mail_body(str_from_cstr(text));
}

static void
test_plain(void **state)
{
    (void)state;
    assert_int_equal(body(""), 0);
    assert_int_equal(body("Subject: x\n"), 11);
    assert_int_equal(body("Subject: x\n\nhello\n"), 12);
    assert_int_equal(body("From a@b Thu\nSubject: x\r\n\r\nhello\r\nworld"), 27);
    assert_int_equal(body("\nhello\n"), 1);
    assert_int_equal(body("Subject: caf\xc3\xa9\n\n\tna\xc3\xafve\n"), 16);
}

static void
test_not_plain(void **state)
{
    static const char *const bodies[] = {
        "begin 644 x.exe\n",
        "  begin-base64 644 x\n",
        "=ybegin line=128\n",
        "--boundary\n",
        "Content-Type: x\n",
        "From: somebody\n",
        "PK\3\4\n",
        "MZ\n",
        "<html>\n",
        "Received: from x\n",
        "(This file must be converted with BinHex 4.0)\n",
        "text\nfrom somebody\n",
        "a\x01z\n",
        "\x7f\x45LF\n",
    };
    char text[200];
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        (void)snprintf(text, sizeof text, "Subject: x\n\n%s", bodies[i]);
        assert_true(body(text) == STR_NPOS);
    }
    assert_true(body("Content-Transfer-Encoding: base64\n\nxxxx\n") == STR_NPOS);
    assert_true(body("content-type: text/html\n\nxxxx\n") == STR_NPOS);
    assert_true(body("MIME-Version: 1.0\n\nxxxx\n") == STR_NPOS);
    assert_true(plain_mail_body(str_from("Subject: x\n\na\0b\n", 16)) == STR_NPOS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_not_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
