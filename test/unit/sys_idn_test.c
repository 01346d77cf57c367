/* A-labels: examples of RFC 3492, limits, marks. More in filter_fn_mail_test.c. */
#include "base/arena.h"
#include "sys/idn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
examples(void **state)
{
    static const char *const pairs[][2] = {
        {"b\xc3\xbc"
         "cher",
         "xn--bcher-kva"},
        {"\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d\xe8\xaf\xb4"
         "\xe4\xb8\xad\xe6\x96\x87",
         "xn--ihqwcrb4cv8a8dqg056pqjye"},
        {"\xf0\x9f\x98\x80", "xn--e28h"},
    };
    struct str out;
    const char *error;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct str u = str_tainted(str_from_cstr(pairs[i][0]));
        struct str label = str_from_cstr(pairs[i][1]);
        assert_true(idn_localpart_to_alabel(*state, u, &out, &error));
        assert_true(str_eq(out, label) && str_is_tainted(out));
        assert_true(idn_localpart_from_alabel(*state, label, &out, &error));
        assert_true(str_eq(out, u));
    }
}

static void
malformed(void **state)
{
    static const char *const bad[] = {
        "xn--\xff", "xn--99zzz999", "xn--!", "xn--a-!", "xn--zzzzzzzzzzzzzzzzzzzz", "x"};
    struct str out;
    const char *error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(idn_localpart_from_alabel(*state, str_from_cstr(bad[i]), &out, &error));
    assert_false(idn_localpart_to_alabel(*state, STR_LIT("a\xff"), &out, &error));
    assert_false(idn_domain_to_alabel(*state, STR_LIT("a\xff.com"), &out, &error));
    assert_false(idn_domain_to_alabel(*state, str_from("\xc3\xbc\0", 3), &out, &error));
}

/* IDN_MAX bytes are taken, one more is not */
static void
limits(void **state)
{
    static char text[IDN_MAX + 1];
    struct str out;
    const char *error;
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    text[IDN_MAX] = 'a';
    assert_true(idn_localpart_to_alabel(*state, str_from(text, IDN_MAX), &out, &error));
    struct str back;
    assert_true(out.n <= IDN_MAX);
    assert_true(idn_localpart_from_alabel(*state, out, &back, &error));
    assert_true(str_eq(back, str_from(text, IDN_MAX)));
    assert_false(idn_localpart_to_alabel(*state, str_from(text, IDN_MAX + 1), &out, &error));
    assert_false(idn_domain_to_alabel(*state, str_from(text, IDN_MAX + 1), &out, &error));
}

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(malformed),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
