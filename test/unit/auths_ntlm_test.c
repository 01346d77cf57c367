/* NTLM: messages there and back, what is no message, and proofs against the examples of MS-NLMP section 4.2. */
#include "auths/ntlm_proof.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/record.h"
#include "sys/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char nonce[] = "\x01\x23\x45\x67\x89\xab\xcd\xef";

/* "Domain" and "Server". */
static const char target[] = "02000c0044006f006d00610069006e00"
                             "01000c00530065007200760065007200"
                             "00000000";

static struct str
from_hex(struct arena *a, const char *text)
{
    struct str out;
    assert_true(hex_decode(a, str_from_cstr(text), &out, NULL));
    return out;
}

static struct ntlm_challenge
challenge(struct str with)
{
    struct ntlm_challenge c = {.unicode = true, .target = with};
    memcpy(c.nonce, nonce, NTLM_NONCE);
    return c;
}

static struct ntlm_response
login(void)
{
    return (struct ntlm_response){
        .user = STR_LIT("User"), .domain = STR_LIT("Domain"), .unicode = true};
}

static const struct str password = STR_INIT("Password");
static const struct ntlm_salt salt = {{0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa}, 0};

static void
examples_of_the_standard(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct ntlm_challenge c = challenge(STR_EMPTY);
    struct ntlm_response r = login();
    assert_true(ntlm_proof_make(a, &c, &salt, password, &r));
    assert_true(
        str_eqz(hex_encode(a, r.nt), "67c43011f30298a2ad35ece64f16331c44bdbed927841f94"));
    assert_true(ntlm_proof_holds(a, &c, &r, password));
    c = challenge(from_hex(a, target));
    assert_true(ntlm_proof_make(a, &c, &salt, password, &r));
    assert_true(
        str_eqz(hex_encode(a, r.lm), "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"));
    assert_true(
        str_eqz(hex_encode(a, str_sub(r.nt, 0, 16)), "68cd0ab851e51c96aabc927bebef6a1c"));
    assert_true(ntlm_proof_holds(a, &c, &r, password));
    assert_int_equal(ntlm_proof_time(0), UINT64_C(116444736000000000));
    arena_free(a);
}

/* Any byte of a proof that differs, a proof cut short, another name and another nonce are refused. */
static void
wrong_proofs(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (int version = 1; version <= 2; version++) {
        struct ntlm_challenge c = challenge(version == 1 ? STR_EMPTY : from_hex(a, target));
        struct ntlm_response r = login();
        assert_true(ntlm_proof_make(a, &c, &salt, password, &r));
        assert_false(ntlm_proof_holds(a, &c, &r, STR_LIT("password")));
        assert_false(ntlm_proof_holds(a, &c, &r, STR_LIT("\xff")));
        struct str right = r.nt;
        for (uint32_t i = 0; i < right.n; i++) {
            char *spoilt = arena_alloc(a, right.n);
            memcpy(spoilt, right.p, right.n);
            spoilt[i] ^= 1;
            r.nt = str_from(spoilt, right.n);
            assert_false(ntlm_proof_holds(a, &c, &r, password));
            r.nt = str_sub(right, 0, i);
            assert_false(ntlm_proof_holds(a, &c, &r, password));
        }
        r.nt = right;
        c.nonce[7] ^= 1;
        assert_false(ntlm_proof_holds(a, &c, &r, password));
        c.nonce[7] ^= 1;
        r.user = STR_LIT("uSER"); /* counts in capitals alone */
        assert_true(ntlm_proof_holds(a, &c, &r, password));
        r.user = STR_LIT("Other");
        assert_int_equal(ntlm_proof_holds(a, &c, &r, password), version == 1);
    }
    arena_free(a);
}

static void
a_server_that_tells_the_time(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct ntlm_challenge c = challenge(from_hex(a, "0700080001020304050607080000"
                                                    "0000"));
    struct ntlm_response r = login();
    assert_true(str_eq(ntlm_target_time(c.target), from_hex(a, "0102030405060708")));
    assert_true(ntlm_proof_make(a, &c, &salt, password, &r));
    assert_true(
        str_eqz(hex_encode(a, r.lm), "000000000000000000000000000000000000000000000000"));
    assert_true(str_eq(str_sub(r.nt, 24, 8), from_hex(a, "0102030405060708")));
    assert_true(ntlm_proof_holds(a, &c, &r, password));
    /* behind the end, of another length, beyond the pairs */
    static const char *const none[] = {"0000000007000800010203040506070",
                                       "07000400010203040000", "0700080001020304050607",
                                       "070008", ""};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct str text = str_from_cstr(none[i]), pairs;
        assert_true(hex_decode(a, str_sub(text, 0, text.n & ~1U), &pairs, NULL));
        assert_false(str_is_set(ntlm_target_time(pairs)));
    }
    arena_free(a);
}

static void
there_and_back(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct ntlm_challenge c = challenge(ntlm_target(a, STR_LIT("MAIL"))), got;
    struct str text = ntlm_write_challenge(a, &c);
    assert_true(ntlm_read_challenge(text, &got));
    assert_true(got.unicode && str_eq(got.target, c.target));
    assert_memory_equal(got.nonce, nonce, NTLM_NONCE);
    assert_int_equal(text.n % 3, 0);
    assert_true(ntlm_read_challenge(str_sub(text, 0, 32), &got)); /* of an old server */
    assert_int_equal(got.target.n, 0);
    for (int unicode = 0; unicode < 2; unicode++) {
        struct ntlm_response r = {.user = STR_LIT("J\xc3\xb6rg"),
                                  .domain = STR_LIT("D"),
                                  .unicode = unicode,
                                  .lm = STR_LIT("lm"),
                                  .nt = STR_LIT("proof")},
                             back;
        assert_true(ntlm_write_response(a, &r, &text));
        assert_true(ntlm_read_response(a, text, &back));
        assert_int_equal(back.unicode, unicode);
        assert_true(str_eq(back.user, r.user) && str_eq(back.domain, r.domain));
        assert_true(str_eq(back.lm, r.lm) && str_eq(back.nt, r.nt));
        for (uint32_t n = 0; n < text.n; n++)
            assert_false(ntlm_read_response(a, str_sub(text, 0, n), &back));
    }
    arena_free(a);
}

/* A response with a user's name at an offset, and no flags. */
static struct str
response(struct arena *a, size_t n, size_t offset, const char *name, size_t length)
{
    char *p = arena_alloc(a, n);
    memset(p, 0, n);
    memcpy(p, "NTLMSSP", 8);
    p[8] = 3;
    record_put_number(p + 36, length, 2);
    record_put_number(p + 40, offset, 4);
    if (offset + strlen(name) <= n)
        memcpy(p + offset, name, strlen(name));
    return str_from(p, n);
}

static void
limits(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct ntlm_response r;
    assert_true(
        ntlm_read_response(a, response(a, 55, 52, "joe", 3), &r)); /* no flags: a code page */
    assert_true(str_eqz(r.user, "joe") && !r.unicode);
    assert_false(ntlm_read_response(a, response(a, 55, 53, "", 3), &r));
    assert_false(ntlm_read_response(a, response(a, 55, UINT32_MAX, "", 3), &r));
    assert_false(ntlm_read_response(a, response(a, 55, 52, "j\xff", 3), &r));
    assert_false(ntlm_read_response(a, response(a, 55, 52, "j", 3), &r)); /* NULs */
    assert_true(ntlm_read_response(a, response(a, NTLM_MESSAGE_MAX, 64, "joe", 3), &r));
    assert_false(ntlm_read_response(a, response(a, NTLM_MESSAGE_MAX + 1, 64, "joe", 3), &r));
    char name[NTLM_NAME_MAX + 2] = {0};
    memset(name, 'x', NTLM_NAME_MAX + 1);
    assert_true(ntlm_read_response(a, response(a, 400, 64, name, NTLM_NAME_MAX - 1), &r));
    assert_true(ntlm_read_response(a, response(a, 400, 64, name, NTLM_NAME_MAX), &r));
    assert_false(ntlm_read_response(a, response(a, 400, 64, name, NTLM_NAME_MAX + 1), &r));
    struct str out;
    r = (struct ntlm_response){.user = str_from(name, NTLM_NAME_MAX), .domain = STR_EMPTY};
    assert_true(ntlm_write_response(a, &r, &out));
    r.user = str_from(name, NTLM_NAME_MAX + 1);
    assert_false(ntlm_write_response(a, &r, &out));
    r.user = STR_LIT("x");
    r.nt = str_from(arena_alloc(a, NTLM_MESSAGE_MAX), NTLM_MESSAGE_MAX - 65);
    assert_true(ntlm_write_response(a, &r, &out) && out.n == NTLM_MESSAGE_MAX);
    r.nt.n++;
    assert_false(ntlm_write_response(a, &r, &out));
    arena_free(a);
}

static void
upper_case(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str out;
    assert_true(unicode_upper(a,
                              STR_LIT("j\xc3\xb6rg\xc3\x9f"
                                      "1"),
                              &out));
    assert_true(str_eqz(out, "J\xc3\x96RG\xc3\x9f"
                             "1")); /* one for one */
    assert_false(unicode_upper(a, STR_LIT("\xc3"), &out));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard),
        cmocka_unit_test(wrong_proofs),
        cmocka_unit_test(a_server_that_tells_the_time),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(limits),
        cmocka_unit_test(upper_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
