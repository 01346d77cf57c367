/* Signed addresses and passwords. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case refused_cases[] = {
    {FN_ITEM, "prvs", {"joe@example.com", "", ""}, VM_ERROR, "prvs third argument must be a single digit"},
    {FN_ITEM, "prvs", {"joe", "sec", "1"}, VM_ERROR, "prvs first argument must be a qualified email address"},
    {FN_ITEM, "prvs", {"joe@example.com", "sec", "x"}, VM_ERROR, "prvs third argument must be a single digit"},
    {FN_ITEM, "prvs", {"joe@example.com", "sec", "12"}, VM_ERROR, "prvs third argument must be a single digit"},
    {FN_ITEM, "prvs", {"", "sec", "1"}, VM_ERROR, "prvs first argument must be a qualified email address"},
    {FN_ITEM, "prvs", {"@example.com", "sec"}, VM_ERROR, "prvs first argument must be a qualified email address"},
    {FN_ITEM, "prvs", {"joe@", "sec"}, VM_ERROR, "prvs first argument must be a qualified email address"},
    {FN_ITEM, "srs_encode", {"secret", "", "fwd.example"}, VM_OK, ""},
    {FN_ITEM, "srs_encode", {"s", "user@", "x"}, VM_ERROR, "domain missing or malformed"},
    {FN_ITEM, "srs_encode", {"s", "@dom", "x"}, VM_ERROR, "no local part"},
    {FN_ITEM, "srs_encode", {"s", "a=b@d=om", "x"}, VM_ERROR, "malformed address: =om may not follow a=b@d"},
    {FN_ITEM, "srs_encode", {"s", " ", "x"}, VM_ERROR, "empty address"},
    {FN_ITEM, "srs_encode", {"s", "bad addr", "x"}, VM_ERROR, "missing or malformed local part (expected word or \"<\")"},
};

static const struct fn_case incoming_cases[] = {
    {FN_COND, "inbound_srs", {"x", "y"}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0=abcd=XX=dom=user", "y"}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0=c22c=jm=DOM.example=User", ""}, VM_OK, ""},
    {FN_COND, "inbound_srs", {"srs0=zzzz=ja=dom=a=b", ""}, VM_OK, ""},
    {FN_COND, "inbound_srs", {"SRS0-c22c-jm-dom.example-user", ""}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0=c22c=jmx=dom.example=user", ""}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0=c22c=j1=dom.example=user", ""}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0=c22c=j=dom.example=user", ""}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"xSRS0=c22c=jm=dom.example=user", ""}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0==jm=dom.example=user", ""}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0=c22c=jm==", ""}, VM_OK, ""},
    {FN_COND, "inbound_srs", {"SRS0=c22c=jm=d", ""}, VM_NO, ""},
    {FN_COND, "inbound_srs", {"SRS0=c22d=jm=dom.example=user", "secret"}, VM_NO, ""},
};

static const struct fn_case passwords_cases[] = {
    {FN_COND, "crypteq", {"test", "{md5}CY9rzUYh03PK3k6DJie09g=="}, VM_OK, ""},
    {FN_COND, "crypteq", {"test", "{MD5}098f6bcd4621d373cade4e832627b4f6"}, VM_OK, ""},
    {FN_COND, "crypteq", {"test", "{MD5}098F6BCD4621D373CADE4E832627B4F6"}, VM_OK, ""},
    {FN_COND, "crypteq", {"test", "{md5}cy9rzUYh03PK3k6DJie09g=="}, VM_NO, ""},
    {FN_COND, "crypteq", {"test", "{md5}CY9r"}, VM_NO, ""},
    {FN_COND, "crypteq", {"test", "{sha1}qUqP5cyxm6YcTAhz05Hph5gvu9M="}, VM_OK, ""},
    {FN_COND, "crypteq", {"test", "{sha1}a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"}, VM_OK, ""},
    {FN_COND, "crypteq", {"test", "{sha1}x"}, VM_NO, ""},
    {FN_COND, "crypteq", {"test", "{foo}x"}, VM_ERROR, "unknown encryption mechanism in \"{foo}x\""},
    {FN_COND, "crypteq", {"test", "{foo"}, VM_ERROR, "unknown encryption mechanism in \"{foo\""},
    {FN_COND, "crypteq", {"test", "{}abc"}, VM_ERROR, "unknown encryption mechanism in \"{}abc\""},
    {FN_COND, "crypteq", {"test", "{crypt}ab"}, VM_NO, ""},
    {FN_COND, "crypteq", {"test", ""}, VM_NO, ""},
    {FN_COND, "crypteq", {"", ""}, VM_NO, ""},
    {FN_COND, "crypteq", {"test", "x"}, VM_NO, ""},
    {FN_COND, "crypteq", {"test", "*0"}, VM_NO, ""},
    {FN_COND, "crypteq", {"test", "{crypt16}x"}, VM_NO, ""},
    {FN_COND, "crypteq", {"secret", "abNANd1rDfiNc"}, VM_OK, ""},
    {FN_COND, "crypteq", {"secretx", "abNANd1rDfiNc"}, VM_NO, ""},
    {FN_COND, "crypteq", {"secret", "{crypt}abNANd1rDfiNc"}, VM_OK, ""},
    {FN_COND, "crypteq", {"secret", "{crypt16}abNANd1rDfiNc"}, VM_OK, ""},
    {FN_COND, "crypteq", {"secretpassword12", "{crypt16}abSsy3GvmHpeQiSZA.lw9pZw"}, VM_OK, ""},
    {FN_COND, "crypteq", {"longsecretpasswordovers16", "{CRYPT16}abVfOxKg5ezyc.V1E4SgCkOc"}, VM_OK, ""},
    {FN_COND, "crypteq", {"secretpassword13", "{crypt16}abSsy3GvmHpeQiSZA.lw9pZw"}, VM_NO, ""},
};

/* clang-format on */

static void
refused(void **state)
{
    fn_case_run(*state, refused_cases, sizeof refused_cases / sizeof *refused_cases);
}

static void
incoming(void **state)
{
    fn_case_run(*state, incoming_cases, sizeof incoming_cases / sizeof *incoming_cases);
}

static void
passwords(void **state)
{
    fn_case_run(*state, passwords_cases, sizeof passwords_cases / sizeof *passwords_cases);
}

/* Made today, read today. */
static void
prvs_round(void **state)
{
    struct str out;
    struct str decoded;
    struct str argv[] = {STR_INIT("Joe+x@EXAMPLE.com"), STR_INIT("sec"), STR_INIT("3")};
    assert_int_equal(fn_item_prvs(*state, argv, 3, &out), VM_OK);
    assert_true(str_starts(out, "prvs=3") && str_ends(out, STR_LIT("=Joe+x@EXAMPLE.com")));
    assert_int_equal(fn_item_prvscheck_decode(*state, &out, 1, &decoded), VM_OK);
    assert_true(str_eqz(vm_checked(*state)->prvs_address, "Joe+x@EXAMPLE.com"));
    assert_true(str_eqz(vm_checked(*state)->prvs_keynum, "3"));
    struct str check[] = {decoded, STR_INIT("sec")};
    assert_int_equal(fn_item_prvscheck_check(*state, check, 2, &out), VM_OK);
    assert_true(str_eqz(out, "Joe+x@EXAMPLE.com"));
    assert_true(str_eqz(vm_checked(*state)->prvs_result, "1"));
    check[1] = STR_LIT("other");
    assert_int_equal(fn_item_prvscheck_check(*state, check, 2, &out), VM_OK);
    assert_int_equal(vm_checked(*state)->prvs_result.n, 0);
}

static void
prvs_malformed(void **state)
{
    static const char *const bad[] = {
        "joe@example.com",
        "prvs=joe/178708a5d1@example.com",
        "prvs=178708a5d1=@example.com",
        "prvs=178708a5d1=joe@",
        "prvs=178708a5d1=joe",
        "prvs=1787x8a5dg=joe@b",
        "prvs=178708a5d=joe@b",
        "prvs=178708a5d1",
        "prvs=",
        "",
    };
    struct str out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct str s = str_from_cstr(bad[i]);
        assert_int_equal(fn_item_prvscheck_decode(*state, &s, 1, &out), VM_NO);
        assert_int_equal(out.n, 0);
    }
}

static void
srs_round(void **state)
{
    struct str out;
    struct str argv[] = {STR_INIT("secret"), STR_INIT("User@DOM.example"),
                         STR_INIT("fwd.example")};
    assert_int_equal(fn_item_srs_encode(*state, argv, 3, &out), VM_OK);
    assert_true(str_starts(out, "SRS0=c22c=") &&
                str_ends(out, STR_LIT("=DOM.example=User@fwd.example")));
    struct str in[] = {str_sub(out, 0, str_rchr(out, '@')), STR_INIT("secret")};
    assert_int_equal(fn_cond_inbound_srs(*state, in, 2, &out), VM_OK);
    assert_true(str_eqz(vm_checked(*state)->srs_recipient, "user@dom.example"));
    in[1] = STR_LIT("guess");
    assert_int_equal(fn_cond_inbound_srs(*state, in, 2, &out), VM_NO);
    argv[1] = STR_LIT("\"a b\"@dom.example");
    argv[0] = STR_LIT("s");
    assert_int_equal(fn_item_srs_encode(*state, argv, 3, &out), VM_OK);
    assert_true(str_starts(out, "\"SRS0=9cd0=") &&
                str_ends(out, STR_LIT("=dom.example=a b\"@fwd.example")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),        cmocka_unit_test(incoming),
        cmocka_unit_test(passwords),      cmocka_unit_test(prvs_round),
        cmocka_unit_test(prvs_malformed), cmocka_unit_test(srs_round),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
