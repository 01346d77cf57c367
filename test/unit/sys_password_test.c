/* Password hashes: the kinds, and what must never match. More in filter_fn_sign_test.c. */
#include "sys/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static enum password_answer
check(const char *plain, const char *stored)
{
    return password_check(str_from_cstr(plain), str_from_cstr(stored));
}

static void
kinds(void **state)
{
    (void)state;
    assert_int_equal(check("test", "{MD5}CY9rzUYh03PK3k6DJie09g=="), PASSWORD_YES);
    assert_int_equal(check("tesT", "{MD5}CY9rzUYh03PK3k6DJie09g=="), PASSWORD_NO);
    assert_int_equal(check("test", "{sha1}qUqP5cyxm6YcTAhz05Hph5gvu9M="), PASSWORD_YES);
    assert_int_equal(check("secret", "abNANd1rDfiNc"), PASSWORD_YES);
    assert_int_equal(check("secret", "{crypt}abNANd1rDfiNc"), PASSWORD_YES);
    assert_int_equal(check("secretpassword12", "{crypt16}abSsy3GvmHpeQiSZA.lw9pZw"),
                     PASSWORD_YES);
    assert_int_equal(check("secret", "{sha256}x"), PASSWORD_UNKNOWN);
    assert_int_equal(check("Hello world!",
                           "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQ"
                           "JuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"),
                     PASSWORD_YES);
}

static void
never(void **state)
{
    (void)state;
    char many[2000];
    memset(many, 'a', sizeof many);
    assert_int_equal(check("", ""), PASSWORD_NO);
    assert_int_equal(check("x", "*0"), PASSWORD_NO);
    assert_int_equal(check("x", "*1"), PASSWORD_NO);
    assert_int_equal(check("x", "!"), PASSWORD_NO);
    assert_int_equal(check("x", "{crypt}"), PASSWORD_NO);
    assert_int_equal(check("longer than eight", "{crypt16}*0"), PASSWORD_NO);
    /* a NUL would cut the password short */
    assert_int_equal(password_check(str_from("secret\0x", 8), STR_LIT("abNANd1rDfiNc")),
                     PASSWORD_NO);
    assert_int_equal(password_check(str_from(many, sizeof many), STR_LIT("abNANd1rDfiNc")),
                     PASSWORD_NO);
    assert_int_equal(password_check(STR_LIT("x"), str_from(many, sizeof many)), PASSWORD_NO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
