/* Digests against the examples of their standards: RFC 1321, RFC 2202, RFC 4231, FIPS 180 and 202. */
#include "sys/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
check(const char *name, const char *text, const char *want)
{
    unsigned char bytes[DIGEST_MAX];
    char hex[2 * DIGEST_MAX];
    const struct digest *d = digest_find(str_from_cstr(name));
    assert_non_null(d);
    size_t n = digest_bytes(d, str_from_cstr(text), bytes);
    assert_int_equal(n, digest_size(d));
    digest_hex(bytes, n, DIGEST_LOWER, hex);
    assert_int_equal(2 * n, strlen(want));
    assert_memory_equal(hex, want, 2 * n);
}

static void
plain(void **state)
{
    (void)state;
    check("md5", "abc", "900150983cd24fb0d6963f7d28e17f72");
    check("md5", "", "d41d8cd98f00b204e9800998ecf8427e");
    check("sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check("sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("sha2-224", "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
    check("sha3-256", "abc",
          "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    check("sha3-224", "abc", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf");
    assert_null(digest_find(STR_LIT("md4")));
    assert_null(digest_find(STR_LIT("MD5")));
}

static void
check_hmac(const char *name, struct str key, const char *text, const char *want)
{
    unsigned char bytes[DIGEST_MAX];
    char hex[2 * DIGEST_MAX];
    size_t n = digest_hmac(digest_find(str_from_cstr(name)), key, str_from_cstr(text), bytes);
    digest_hex(bytes, n, DIGEST_LOWER, hex);
    assert_memory_equal(hex, want, 2 * n);
}

static void
keyed(void **state)
{
    (void)state;
    char aa[131];
    memset(aa, 0xaa, sizeof aa);
    struct str jefe = STR_INIT("Jefe");
    const char *what = "what do ya want for nothing?";
    const char *larger = "Test Using Larger Than Block-Size Key - Hash Key First";
    check_hmac("md5", jefe, what, "750c783e6ab0b503eaa86e310a5db738");
    check_hmac("sha1", jefe, what, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    check_hmac("sha256", jefe, what,
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check_hmac("md5", str_from(aa, 80), larger, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
    check_hmac("sha256", str_from(aa, 131), larger,
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    check_hmac("md5", STR_NULL, "", "74e6f7298a9c2d168935f58c001bad88");
}

static void
upper(void **state)
{
    (void)state;
    char hex[4];
    digest_hex((const unsigned char *)"\xab\x09", 2, DIGEST_UPPER, hex);
    assert_memory_equal(hex, "AB09", 4);
}

/* RFC 6070, RFC 7914 section 11. */
static void
stretched(void **state)
{
    (void)state;
    static const struct {
        const char *digest, *password, *salt;
        unsigned rounds;
        const char *want; /* the first bytes */
    } rows[] = {
        {"sha1", "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
        {"sha1", "password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
        {"sha1", "password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"},
        {"sha256", "passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char bytes[DIGEST_MAX];
        char hex[2 * DIGEST_MAX];
        const struct digest *d = digest_find(str_from_cstr(rows[i].digest));
        digest_pbkdf2(d, str_from_cstr(rows[i].password), str_from_cstr(rows[i].salt),
                      rows[i].rounds, bytes);
        digest_hex(bytes, digest_size(d), DIGEST_LOWER, hex);
        assert_memory_equal(hex, rows[i].want, strlen(rows[i].want));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(keyed),
        cmocka_unit_test(upper),
        cmocka_unit_test(stretched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
