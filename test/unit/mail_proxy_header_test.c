/* Headers of the PROXY protocol: both versions, whole and in part, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mail/proxy_header.h"

#include <stdio.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static void
assert_ends(const struct proxy_header *h, const char *want)
{
    struct arena *a = arena_new();
    struct str from = ip_text(a, &h->from), to = ip_text(a, &h->to);
    struct str got =
        str_printf(a, "%.*s %d %.*s %d", STR_ARG(from), h->from_port, STR_ARG(to), h->to_port);
    assert_true(h->proxied);
    assert_string_equal(str_cstr(a, got), want);
    arena_free(a);
}

/* Every start of it is incomplete, and what follows is left alone. */
static void
assert_good(const char *p, size_t n, const char *want)
{
    struct proxy_header h;
    char text[PROXY_V2_MAX + 8];
    assert_true(n + 4 <= sizeof text);
    memcpy(text, p, n);
    memcpy(text + n, "EHLO", 4);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(proxy_header_parse(str_from(text, i), &h), PROXY_MORE);
    assert_int_equal(proxy_header_parse(str_from(text, n + 4), &h), PROXY_DONE);
    assert_int_equal(h.n, n);
    if (want == NULL)
        assert_false(h.proxied);
    else
        assert_ends(&h, want);
}

static void
test_version_1(void **state)
{
    static const struct {
        const char *text, *want;
    } good[] = {
        {"PROXY TCP4 127.0.0.2 127.42.42.42 64000 25\r\n", "127.0.0.2 64000 127.42.42.42 25"},
        {"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", "2001:db8::1 1 ::1 65535"},
        {"PROXY UNKNOWN\r\n", NULL},
        {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", NULL},
    };
    static const char *const bad[] = {
        "PROXY TCP4 127.0.0.2 127.42.42.42 64000 25\n",
        "PROXY TCP4 127.0.0.2 127.42.42.42 64000\r\n",
        "PROXY TCP4 127.0.0.2 127.42.42.42 64000 25 1\r\n",
        "PROXY TCP4 127.0.0.2 127.42.42.42 65536 25\r\n",
        "PROXY TCP4 127.0.0.2 127.42.42.42 1 025\r\n",
        "PROXY TCP4 127.0.0.2  127.42.42.42 1 25\r\n",
        "PROXY TCP4 ::1 ::1 1 25\r\n",
        "PROXY TCP6 127.0.0.1 127.0.0.2 1 25\r\n",
        "PROXY UDP4 127.0.0.1 127.0.0.2 1 25\r\n",
        "PROXY \r\n",
        "PROXY \n",
        "EHLO client\r\n",
        "P\r",
    };
    struct proxy_header h;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_good(good[i].text, strlen(good[i].text), good[i].want);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(proxy_header_parse(str_from_cstr(bad[i]), &h), PROXY_BAD);
}

/* A line of 107 bytes is the longest. */
static void
test_version_1_cap(void **state)
{
    struct proxy_header h;
    char line[PROXY_V1_MAX + 2];
    (void)state;
    for (int n = PROXY_V1_MAX - 1; n <= PROXY_V1_MAX + 1; n++) {
        memset(line, 'x', sizeof line);
        memcpy(line, "PROXY UNKNOWN ", 14);
        memcpy(line + n - 2, "\r\n", 2);
        assert_int_equal(proxy_header_parse(str_from(line, (size_t)n), &h),
                         n <= PROXY_V1_MAX ? PROXY_DONE : PROXY_BAD);
    }
    assert_int_equal(proxy_header_parse(str_from(line, PROXY_V1_MAX - 1), &h), PROXY_MORE);
    assert_int_equal(proxy_header_parse(str_from(line, PROXY_V1_MAX), &h), PROXY_BAD);
}

static void
test_version_2(void **state)
{
    static const char tcp4[] =
        SIGNATURE "\x21\x11\x00\x0c\x7f\x00\x00\x02\x7f\x2a\x2a\x2a\xc2\x95\x04\x01";
    static const char extra[] = SIGNATURE
        "\x21\x11\x00\x10\x7f\x00\x00\x02\x7f\x2a\x2a\x2a\xc2\x95\x04\x01\x04\x00\x01z";
    static const char tcp6[] = SIGNATURE "\x21\x21\x00\x24 \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x05\x00\x19";
    static const char local[] = SIGNATURE "\x20\x00\x00\x00";
    static const char unspecified[] = SIGNATURE "\x21\x00\x00\x02zz";
    (void)state;
    assert_good(tcp4, sizeof tcp4 - 1, "127.0.0.2 49813 127.42.42.42 1025");
    assert_good(extra, sizeof extra - 1, "127.0.0.2 49813 127.42.42.42 1025");
    assert_good(tcp6, sizeof tcp6 - 1, "2001:db8::1 5 ::1 25");
    assert_good(local, sizeof local - 1, NULL);
    assert_good(unspecified, sizeof unspecified - 1, NULL);
}

static void
test_version_2_bad(void **state)
{
    static const struct {
        unsigned char command, family;
        unsigned n;
    } bad[] = {{0x11, 0x11, 12},
               {0x22, 0x11, 12},
               {0x21, 0x12, 12},
               {0x21, 0x31, 216},
               {0x21, 0x11, 11},
               {0x21, 0x21, 35},
               {0x21, 0x11, PROXY_V2_MAX - 15}};
    struct proxy_header h;
    char text[PROXY_V2_MAX + 16] = SIGNATURE;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        text[12] = (char)bad[i].command;
        text[13] = (char)bad[i].family;
        text[14] = (char)(bad[i].n >> 8);
        text[15] = (char)bad[i].n;
        assert_int_equal(proxy_header_parse(str_from(text, 16 + bad[i].n), &h), PROXY_BAD);
    }
    text[15] = (char)(PROXY_V2_MAX - 16); /* the longest one */
    assert_int_equal(proxy_header_parse(str_from(text, PROXY_V2_MAX - 1), &h), PROXY_MORE);
    assert_int_equal(proxy_header_parse(str_from(text, PROXY_V2_MAX), &h), PROXY_DONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_version_1_cap),
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_version_2_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
