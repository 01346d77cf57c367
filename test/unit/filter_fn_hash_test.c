/* Hashes and digests. Expectations are what the reference answers. */
#include "fn_case.h"

/* clang-format off */
static const struct fn_case textual_cases[] = {
    {FN_OPER, "hash", {"monty", "3"}, VM_OK, "jmg"},
    {FN_OPER, "hash", {"monty", "3", "62"}, VM_OK, "zcW"},
    {FN_OPER, "hash", {"monty python", "4", "63"}, VM_ERROR, "hash count \"63\" too big"},
    {FN_OPER, "hash", {"monty python", "0", "4"}, VM_OK, ""},
    {FN_OPER, "h", {"abcde", "3", "62"}, VM_OK, "vSL"},
    {FN_OPER, "hash", {"abc"}, VM_ERROR, "Not enough arguments for 'hash' (min is 2)"},
    {FN_OPER, "h", {"abc"}, VM_ERROR, "missing values after h"},
    {FN_OPER, "hash", {"abc", "x"}, VM_ERROR, "non-digit after underscore in \"hash_x\""},
    {FN_ITEM, "hash", {"3", "monty"}, VM_OK, "jmg"},
    {FN_ITEM, "hash", {"5", "monty"}, VM_OK, "monty"},
    {FN_ITEM, "hash", {"4", "62", "monty python"}, VM_OK, "fbWx"},
    {FN_ITEM, "hash", {"3", "63", "ab"}, VM_ERROR, "hash count \"63\" too big"},
    {FN_ITEM, "hash", {"3", "26", ""}, VM_OK, ""},
    {FN_ITEM, "hash", {"x", "abc"}, VM_ERROR, "\"x\" is not a number (in \"hash\" expansion)"},
    {FN_ITEM, "hash", {"3", "x", "abc"}, VM_ERROR, "\"x\" is not a positive number (in \"hash\" expansion)"},
    {FN_ITEM, "hash", {"", "abc"}, VM_OK, ""},
    {FN_ITEM, "hash", {"10", "62", "the quick brown fox jumps over the lazy dog"}, VM_OK, "kbz2qscJei"},
    {FN_ITEM, "hash", {"10", "1", "the quick brown fox jumps over the lazy dog"}, VM_OK, "aaaaaaaaaa"},
    {FN_ITEM, "hash", {"7", "62", "the quick \351\377\200 brown"}, VM_OK, "FDwyMbV"},
    {FN_ITEM, "hash", {"1", "62", "aa"}, VM_OK, "Q"},
};

static const struct fn_case numeric_cases[] = {
    {FN_OPER, "nhash", {"abc", "8"}, VM_OK, "4"},
    {FN_OPER, "nhash", {"abc", "8", "64"}, VM_OK, "7/44"},
    {FN_OPER, "nhash", {"abc", "8", "64", "3"}, VM_ERROR, "non-digit after underscore in \"nhash_8_64_3\""},
    {FN_OPER, "nh", {"the quick brown", "1000"}, VM_OK, "878"},
    {FN_OPER, "nhash", {"abc"}, VM_ERROR, "Not enough arguments for 'nhash' (min is 2)"},
    {FN_OPER, "nh", {"abc"}, VM_ERROR, "missing values after nh"},
    {FN_ITEM, "nhash", {"8", "64", "supercalifragilisticexpialidocious"}, VM_OK, "6/33"},
    {FN_ITEM, "nhash", {"8", "64", ""}, VM_OK, "0/0"},
    {FN_ITEM, "nhash", {"-1", "abc"}, VM_OK, "32236"},
    {FN_ITEM, "nhash", {"-3", "26", "abcdef"}, VM_OK, "2408/23"},
    {FN_ITEM, "nhash", {"x", "abc"}, VM_ERROR, "\"x\" is not a number (in \"nhash\" expansion)"},
    {FN_ITEM, "nhash", {"8", "x", "abc"}, VM_ERROR, "\"x\" is not a positive number (in \"nhash\" expansion)"},
    {FN_ITEM, "nhash", {"1000000000", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"}, VM_OK, "333694"},
    {FN_ITEM, "nhash", {"1000000", "1000", "\377\376"}, VM_OK, "56/501"},
};

static const struct fn_case digests_cases[] = {
    {FN_OPER, "md5", {""}, VM_OK, "d41d8cd98f00b204e9800998ecf8427e"},
    {FN_OPER, "md5", {"abc"}, VM_OK, "900150983cd24fb0d6963f7d28e17f72"},
    {FN_OPER, "md5", {"abc", "1"}, VM_OK, "900150983cd24fb0d6963f7d28e17f72"},
    {FN_OPER, "sha1", {""}, VM_OK, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"},
    {FN_OPER, "sha1", {"abc"}, VM_OK, "A9993E364706816ABA3E25717850C26C9CD0D89D"},
    {FN_OPER, "sha256", {"abc"}, VM_OK, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
    {FN_OPER, "sha256", {"abc", "1"}, VM_ERROR, "unrecognised sha2 variant"},
    {FN_OPER, "sha256", {"abc", "512"}, VM_OK, "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F"},
    {FN_OPER, "sha2", {"abc"}, VM_OK, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
    {FN_OPER, "sha2", {"abc", "256"}, VM_OK, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
    {FN_OPER, "sha2", {"abc", "384"}, VM_OK, "CB00753F45A35E8BB5A03D699AC65007272C32AB0EDED1631A8B605A43FF5BED8086072BA1E7CC2358BAECA134C825A7"},
    {FN_OPER, "sha2", {"abc", "512"}, VM_OK, "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F"},
    {FN_OPER, "sha2", {"abc", "224"}, VM_ERROR, "unrecognised sha2 variant"},
    {FN_OPER, "sha2", {"abc", "512", "1"}, VM_ERROR, "unrecognised sha2 variant"},
    {FN_OPER, "sha3", {"abc"}, VM_OK, "3A985DA74FE225B2045C172D6BD390BD855F086E3E9D525B46BFE24511431532"},
    {FN_OPER, "sha3", {"abc", "224"}, VM_OK, "E642824C3F8CF24AD09234EE7D3C766FC9A3A5168D0C94AD73B46FDF"},
    {FN_OPER, "sha3", {"abc", "256"}, VM_OK, "3A985DA74FE225B2045C172D6BD390BD855F086E3E9D525B46BFE24511431532"},
    {FN_OPER, "sha3", {"abc", "384"}, VM_OK, "EC01498288516FC926459F58E2C6AD8DF9B473CB0FC08C2596DA7CF0E49BE4B298D88CEA927AC7F539F1EDF228376D25"},
    {FN_OPER, "sha3", {"abc", "512"}, VM_OK, "B751850B1A57168A5693CD924B6B096E08F621827444F70D884F5D0240D2712E10E116E9192AF3C91A7EC57647E3934057340B4CF408D5A56592F8274EEC53F0"},
    {FN_OPER, "sha3", {"abc", "1"}, VM_ERROR, "unrecognised sha3 variant"},
    {FN_OPER, "sha3", {"abc", ""}, VM_ERROR, "unrecognised sha3 variant"},
};

static const struct fn_case keyed_cases[] = {
    {FN_ITEM, "hmac", {"md5", "k", "abc"}, VM_OK, "75972c9c6569f2f407752ddb02ac79de"},
    {FN_ITEM, "hmac", {"sha1", "k", "abc"}, VM_OK, "f9bef091fe00d9f5128593836dba99e193f08174"},
    {FN_ITEM, "hmac", {"SHA1", "k", "abc"}, VM_ERROR, "hmac algorithm \"SHA1\" is not recognised"},
    {FN_ITEM, "hmac", {"", "k", "abc"}, VM_ERROR, "hmac algorithm \"\" is not recognised"},
    {FN_ITEM, "hmac", {"md5", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "abc"}, VM_OK, "0be890bbca0302e362a6c689fc3debcb"},
    {FN_ITEM, "hmac", {"md5", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "abc"}, VM_OK, "9088fdf5ffc86746bec9795717fd12ef"},
    {FN_ITEM, "hmac", {"sha1", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "abc"}, VM_OK, "f5f3bc49e4d8bfdac7f9414bbf45cf6347c1d38b"},
    {FN_ITEM, "hmac", {"md5", "", ""}, VM_OK, "74e6f7298a9c2d168935f58c001bad88"},
};

static const struct fn_case base64_cases[] = {
    {FN_OPER, "base64", {"abc"}, VM_OK, "YWJj"},
    {FN_OPER, "base64", {""}, VM_OK, ""},
    {FN_OPER, "base64", {"a"}, VM_OK, "YQ=="},
    {FN_OPER, "str2b64", {"ab"}, VM_OK, "YWI="},
};

/* clang-format on */

static void
textual(void **state)
{
    fn_case_run(*state, textual_cases, sizeof textual_cases / sizeof *textual_cases);
}

static void
numeric(void **state)
{
    fn_case_run(*state, numeric_cases, sizeof numeric_cases / sizeof *numeric_cases);
}

static void
digests(void **state)
{
    fn_case_run(*state, digests_cases, sizeof digests_cases / sizeof *digests_cases);
}

static void
keyed(void **state)
{
    fn_case_run(*state, keyed_cases, sizeof keyed_cases / sizeof *keyed_cases);
}

static void
base64(void **state)
{
    fn_case_run(*state, base64_cases, sizeof base64_cases / sizeof *base64_cases);
}

/* keyed digests that later versions know; numbers at which the reference divides by zero */
static void
beyond(void **state)
{
    struct str out;
    struct str hmac[] = {STR_INIT("sha256"), STR_INIT("k"), STR_INIT("abc")};
    assert_int_equal(fn_item_hmac(*state, hmac, 3, &out), VM_OK);
    assert_true(
        str_eqz(out, "342e519ce0ad6c03a36b98eeb3f1d130db4813b9df4d1160eda488d712dc78ee"));
    struct str zero[] = {STR_INIT("0"), STR_INIT("abc")};
    assert_int_equal(fn_item_nhash(*state, zero, 2, &out), VM_ERROR);
    struct str none[] = {STR_INIT("2"), STR_INIT("0"), STR_INIT("abc")};
    assert_int_equal(fn_item_hash(*state, none, 3, &out), VM_ERROR);
    struct str less[] = {STR_INIT("-3"), STR_INIT("abcdef")};
    assert_int_equal(fn_item_hash(*state, less, 2, &out), VM_ERROR);
}

/* a certificate is digested in its DER form */
static void
certificate(void **state)
{
    struct str out;
    struct str pem =
        STR_INIT("-----BEGIN CERTIFICATE-----\nYW\nJj\n-----END CERTIFICATE-----\n");
    assert_int_equal(fn_oper_md5(*state, &pem, 1, &out), VM_OK);
    assert_true(str_eqz(out, "900150983CD24FB0D6963F7D28E17F72"));
    assert_int_equal(fn_oper_base64(*state, &pem, 1, &out), VM_OK);
    assert_true(str_eqz(out, "YWJj"));
    struct str more =
        STR_INIT("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\nx");
    assert_int_equal(fn_oper_md5(*state, &more, 1, &out), VM_OK);
    assert_false(str_eqz(out, "900150983cd24fb0d6963f7d28e17f72"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(textual),     cmocka_unit_test(numeric), cmocka_unit_test(digests),
        cmocka_unit_test(keyed),       cmocka_unit_test(base64),  cmocka_unit_test(beyond),
        cmocka_unit_test(certificate),
    };
    return cmocka_run_group_tests(tests, fn_case_setup, fn_case_teardown);
}
