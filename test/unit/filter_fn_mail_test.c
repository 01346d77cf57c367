/* Functions on addresses and header texts. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case addresses_cases[] = {
    {FN_OPER, "address", {"Joe <joe@x.com>"}, VM_OK, "joe@x.com"},
    {FN_OPER, "address", {"a@b,c@d"}, VM_OK, ""},
    {FN_OPER, "address", {"@x:a@b"}, VM_OK, "a@b"},
    {FN_OPER, "address", {""}, VM_OK, ""},
    {FN_OPER, "address", {"<>"}, VM_OK, ""},
    {FN_OPER, "address", {"joe"}, VM_OK, "joe"},
    {FN_OPER, "address", {"g: a@b;"}, VM_OK, ""},
    {FN_OPER, "address", {"a@[1.2.3.4]"}, VM_OK, "a@[1.2.3.4]"},
    {FN_OPER, "address", {"<a@[1.2.3.4]>"}, VM_OK, ""},
    {FN_OPER, "address", {"\303\251@b"}, VM_OK, "\303\251@b"},
    {FN_OPER, "domain", {"a@X.Y"}, VM_OK, "X.Y"},
    {FN_OPER, "domain", {"x"}, VM_OK, ""},
    {FN_OPER, "domain", {"<>"}, VM_OK, ""},
    {FN_OPER, "domain", {"a@[1.2.3.4]"}, VM_OK, "[1.2.3.4]"},
    {FN_OPER, "domain", {"Joe <joe@x.com>"}, VM_OK, "x.com"},
    {FN_OPER, "local_part", {"Joe <joe@x.com>"}, VM_OK, "joe"},
    {FN_OPER, "local_part", {"\"a b\"@x"}, VM_OK, "\"a b\""},
    {FN_OPER, "local_part", {"x"}, VM_OK, "x"},
    {FN_OPER, "local_part", {""}, VM_OK, ""},
    {FN_OPER, "addresses", {"a@b, c@d, Joe <e@f>"}, VM_OK, "a@b:c@d:e@f"},
    {FN_OPER, "addresses", {">+ a@b, c@d"}, VM_OK, "a@b+c@d"},
    {FN_OPER, "addresses", {"> a@b, c@d"}, VM_OK, "a@b c@d"},
    {FN_OPER, "addresses", {">"}, VM_ERROR, "output separator missing in expanding ${addresses:>}"},
    {FN_OPER, "addresses", {">+"}, VM_OK, ""},
    {FN_OPER, "addresses", {">xa@b, c@d"}, VM_OK, "a@bxc@d"},
    {FN_OPER, "addresses", {" >+ a@b, c@d"}, VM_OK, "a@b+c@d"},
    {FN_OPER, "addresses", {"bad addr@, c@d"}, VM_OK, "c@d"},
    {FN_OPER, "addresses", {"g: a@b, c@d;, e@f"}, VM_OK, "a@b:c@d:e@f"},
    {FN_OPER, "addresses", {""}, VM_OK, ""},
    {FN_OPER, "addresses", {"\"a:b\"@c, d@e"}, VM_OK, "\"a::b\"@c:d@e"},
};

static const struct fn_case ip_cases[] = {
    {FN_OPER, "ipv6norm", {"1:0:0::2"}, VM_OK, "1::2"},
    {FN_OPER, "ipv6norm", {"x"}, VM_ERROR, "\"x\" is not an IP address"},
    {FN_OPER, "ipv6norm", {"1.2.3.4"}, VM_OK, "::ffff:102:304"},
    {FN_OPER, "ipv6denorm", {"1.2.3.4"}, VM_OK, "0000:0000:0000:0000:0000:ffff:0102:0304"},
    {FN_OPER, "ipv6denorm", {"x"}, VM_ERROR, "\"x\" is not an IP address"},
    {FN_OPER, "ipv6denorm", {""}, VM_ERROR, "\"\" is not an IP address"},
    {FN_OPER, "mask", {"10.111.131.206/28"}, VM_OK, "10.111.131.192/28"},
    {FN_OPER, "mask", {"10.111.131.206"}, VM_ERROR, "missing mask value in \"10.111.131.206\""},
    {FN_OPER, "mask", {"x/28"}, VM_ERROR, "\"x/28\" is not an IP address"},
    {FN_OPER, "mask", {"10.111.131.206/33"}, VM_ERROR, "mask value too big in \"10.111.131.206/33\""},
    {FN_OPER, "mask", {"3ffe:ffff:836f:0a00:000a:0800:200a:c031/99", "n"}, VM_OK, "3ffe:ffff:836f:a00:a:800:2000::/99"},
    {FN_OPER, "mask", {"3ffe:ffff:836f:0a00:000a:0800:200a:c031/99"}, VM_OK, "3ffe.ffff.836f.0a00.000a.0800.2000.0000/99"},
    {FN_OPER, "mask", {""}, VM_ERROR, "\"\" is not an IP address"},
    {FN_OPER, "mask", {"::1/99", "N"}, VM_OK, "0000.0000.0000.0000.0000.0000.0000.0000/99"},
    {FN_OPER, "reverse_ip", {"192.0.2.4"}, VM_OK, "4.2.0.192"},
    {FN_OPER, "reverse_ip", {"x"}, VM_ERROR, "reverse_ip() not given an IP address [x]"},
    {FN_OPER, "reverse_ip", {"2001:0db8:c42:9:1:abcd:192.0.2.127"}, VM_OK, "f.7.2.0.0.0.0.c.d.c.b.a.1.0.0.0.9.0.0.0.2.4.c.0.8.b.d.0.1.0.0.2"},
};

static const struct fn_case headers_cases[] = {
    {FN_OPER, "rfc2047", {"abc"}, VM_OK, "abc"},
    {FN_OPER, "rfc2047", {"a b\351"}, VM_OK, "=?UTF-8?Q?a_b=E9?="},
    {FN_OPER, "rfc2047", {""}, VM_OK, ""},
    {FN_OPER, "rfc2047d", {"=?iso-8859-1?q?a=20b=e9?="}, VM_OK, "a b\303\251"},
    {FN_OPER, "rfc2047d", {"=?utf-8?b?w6k=?= x"}, VM_OK, "\303\251 x"},
    {FN_OPER, "rfc2047d", {"plain"}, VM_OK, "plain"},
};

static const struct fn_case labels_cases[] = {
    {FN_OPER, "utf8_domain_to_alabel", {"b\303\274cher.de"}, VM_OK, "xn--bcher-kva.de"},
    {FN_OPER, "utf8_domain_to_alabel", {"\377.de"}, VM_ERROR, "error converting utf8 (\\377.de) to alabel: string encoding error"},
    {FN_OPER, "utf8_domain_to_alabel", {""}, VM_OK, ""},
    {FN_OPER, "utf8_domain_to_alabel", {"abc"}, VM_OK, "abc"},
    {FN_OPER, "utf8_domain_to_alabel", {"B\303\234cher.DE"}, VM_OK, "xn--bcher-kva.de"},
    {FN_OPER, "utf8_domain_to_alabel", {"b_\303\274cher.de"}, VM_OK, "xn--b_cher-4ya.de"},
    {FN_OPER, "utf8_domain_to_alabel", {"fa\303\237.de"}, VM_OK, "xn--fa-hia.de"},
    {FN_OPER, "utf8_domain_to_alabel", {"a..b\303\274"}, VM_OK, "a..xn--b-eha"},
    {FN_OPER, "utf8_domain_to_alabel", {"\360\237\230\200.com"}, VM_ERROR, "error converting utf8 (\\360\\237\\230\\200.com) to alabel: string contains a disallowed character"},
    {FN_OPER, "utf8_domain_to_alabel", {"UPPER.Case"}, VM_OK, "UPPER.Case"},
    {FN_OPER, "utf8_domain_from_alabel", {"xn--bcher-kva.de"}, VM_OK, "b\303\274cher.de"},
    {FN_OPER, "utf8_domain_from_alabel", {"xn--99zzz999"}, VM_ERROR, "error converting alabel (xn--99zzz999) to utf8: Invalid input"},
    {FN_OPER, "utf8_domain_from_alabel", {"foo.BAR"}, VM_OK, "foo.BAR"},
    {FN_OPER, "utf8_domain_from_alabel", {"XN--BCHER-KVA.xn--bcher-kva"}, VM_OK, "XN--BCHER-KVA.b\303\274cher"},
    {FN_OPER, "utf8_domain_from_alabel", {"a.xn--bcher-kva.com"}, VM_OK, "a.b\303\274cher.com"},
    {FN_OPER, "utf8_domain_from_alabel", {"foo.xn--"}, VM_OK, "foo."},
    {FN_OPER, "utf8_localpart_to_alabel", {"b\303\274cher"}, VM_OK, "xn--bcher-kva"},
    {FN_OPER, "utf8_localpart_to_alabel", {"foo"}, VM_OK, "foo"},
    {FN_OPER, "utf8_localpart_to_alabel", {""}, VM_OK, ""},
    {FN_OPER, "utf8_localpart_to_alabel", {"\377"}, VM_ERROR, "error converting utf8 (\\377) to alabel: l_u2a: bad UTF-8 input"},
    {FN_OPER, "utf8_localpart_to_alabel", {"b\303\274.\303\274"}, VM_OK, "xn--b.-xkab"},
    {FN_OPER, "utf8_localpart_to_alabel", {"B\303\274 c"}, VM_OK, "xn--B c-hoa"},
    {FN_OPER, "utf8_localpart_to_alabel", {"\344\270\255\346\226\207abc"}, VM_OK, "xn--abc-u68do18h"},
    {FN_OPER, "utf8_localpart_to_alabel", {"\360\237\230\200"}, VM_OK, "xn--e28h"},
    {FN_OPER, "utf8_localpart_from_alabel", {"xn--bcher-kva"}, VM_OK, "b\303\274cher"},
    {FN_OPER, "utf8_localpart_from_alabel", {"foo"}, VM_ERROR, "error converting alabel (foo) to utf8: bad alabel prefix"},
    {FN_OPER, "utf8_localpart_from_alabel", {""}, VM_ERROR, "error converting alabel () to utf8: bad alabel prefix"},
    {FN_OPER, "utf8_localpart_from_alabel", {"xn--a"}, VM_OK, "\302\200"},
    {FN_OPER, "utf8_localpart_from_alabel", {"xn--99zzz999"}, VM_ERROR, "error converting alabel (xn--99zzz999) to utf8: Invalid input"},
    {FN_OPER, "utf8_localpart_from_alabel", {"xn--"}, VM_OK, ""},
    {FN_OPER, "utf8_localpart_from_alabel", {"XN--bcher-kva"}, VM_ERROR, "error converting alabel (XN--bcher-kva) to utf8: bad alabel prefix"},
};

/* clang-format on */

static void
addresses(void **state)
{
    fn_case_run(*state, addresses_cases, sizeof addresses_cases / sizeof *addresses_cases);
}

static void
ip(void **state)
{
    fn_case_run(*state, ip_cases, sizeof ip_cases / sizeof *ip_cases);
}

static void
headers(void **state)
{
    fn_case_run(*state, headers_cases, sizeof headers_cases / sizeof *headers_cases);
}

static void
labels(void **state)
{
    fn_case_run(*state, labels_cases, sizeof labels_cases / sizeof *labels_cases);
}

static void
wrapping(void **state)
{
    struct str out;
    struct str argv[] = {STR_INIT("subject: one two three"), STR_INIT("12")};
    assert_int_equal(fn_oper_headerwrap(*state, argv, 1, &out), VM_OK);
    assert_true(str_eq(out, argv[0]));
    assert_int_equal(fn_oper_headerwrap(*state, argv, 2, &out), VM_OK);
    assert_true(str_chr(out, '\n', 0) != STR_NPOS);
    argv[1] = STR_LIT("x");
    assert_int_equal(fn_oper_headerwrap(*state, argv, 2, &out), VM_ERROR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(ip),       cmocka_unit_test(headers),
        cmocka_unit_test(labels),    cmocka_unit_test(wrapping),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
