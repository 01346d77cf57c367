/* Keys: the examples of RFC 8463 appendix A, read, hashed and verified as a message is; forms of public keys; signing and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/base64.h"
#include "plugins/tls/tls_keys.h"
#include "sys/digest.h"
#include "sys/dkim_hash.h"
#include "sys/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

static struct tls tls = {.keys = &tls_keys_library};

static const char header[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
                             " d=football.example.com; i=@football.example.com;\n"
                             " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
                             " subject : date : message-id : from : subject : date;\n"
                             " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
                             " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
                             " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\n"
                             "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
                             " d=football.example.com; i=@football.example.com;\n"
                             " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
                             " date : message-id : from : subject : date;\n"
                             " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
                             " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
                             " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
                             " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\n"
                             "From: Joe SixPack <joe@football.example.com>\n"
                             "To: Suzie Q <suzie@shopping.example.net>\n"
                             "Subject: Is dinner ready?\n"
                             "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
                             "Message-ID: <20030712040037.46341.5F8J@football.example.com>\n"
                             "\n";

static const char text[] = "Hi.\n\nWe lost the game.  Are you hungry yet?\n\nJoe.\n";

static const char ed25519_key[] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
static const char rsa_key[] =
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi"
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9Pzox"
    "ZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

static struct str
bytes(struct arena *a, const char *base64)
{
    struct str out;
    assert_true(base64_decode(a, str_from_cstr(base64), &out, NULL));
    return out;
}

static struct sign_key *
public_key(struct arena *a, enum dkim_key_type type, struct str der)
{
    struct str why;
    return sign_key_public(&tls, a, type, der, &why);
}

/* The digest of the body as s wants it. */
static struct str
body_digest(struct arena *a, struct str body, const struct dkim_signature *s)
{
    struct dkim_bodies *b = dkim_bodies_new(a);
    struct dkim_body_hash *h = dkim_bodies_want(b, s->hash, s->canon_body, DKIM_BODY_ALL);
    assert_ptr_equal(dkim_bodies_want(b, s->hash, s->canon_body, DKIM_BODY_ALL), h);
    dkim_bodies_feed(b, body.p, body.n);
    assert_true(dkim_bodies_end(b));
    return dkim_body_hash_digest(h);
}

static void
test_rfc_8463(void **state)
{
    struct arena *a = arena_new();
    struct header_list l = {0};
    const char *const keys[] = {ed25519_key, rsa_key};
    (void)state;
    header_list_read(a, &l, STR_LIT(header));
    for (size_t i = 0; i < 2; i++) {
        struct dkim_signature s;
        assert_true(dkim_signature_read(a, l.v[i].text, &s));
        assert_int_equal(dkim_signature_check(&s, DKIM_SIGNATURE), DKIM_FAULT_NONE);
        assert_true(str_eq(body_digest(a, STR_LIT(text), &s), s.body_hash));
        struct sign_key *k = public_key(a, s.key_type, bytes(a, keys[i]));
        assert_non_null(k);
        assert_int_equal(sign_key_bits(k), i == 0 ? 253 : 1024);
        struct str digest = dkim_hash_header(a, dkim_headers_new(a, &l, DKIM_LINES_ALL), &s);
        assert_true(sign_key_verify(k, s.hash, digest, s.signature));
        assert_false(sign_key_verify(k, s.hash, body_digest(a, STR_LIT("x"), &s), s.signature));
        assert_false(sign_key_verify(k, s.hash, digest, str_sub(s.signature, 1, 200)));
        assert_false(sign_key_verify(k, s.hash, digest, STR_EMPTY));
    }
    arena_free(a);
}

/* The forms that a record may have, and what is none. */
static void
test_forms(void **state)
{
    static const unsigned char spki[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    struct arena *a = arena_new();
    struct str raw = bytes(a, ed25519_key), der = bytes(a, rsa_key);
    (void)state;
    struct str wrapped = str_cat(a, str_from((const char *)spki, sizeof spki), raw);
    assert_non_null(public_key(a, DKIM_KEY_ED25519, wrapped));
    assert_null(public_key(a, DKIM_KEY_RSA, wrapped));
    assert_null(public_key(a, DKIM_KEY_ED25519, der));
    struct sign_key *k =
        public_key(a, DKIM_KEY_RSA, str_sub(der, 22, der.n)); /* RSAPublicKey */
    assert_non_null(k);
    assert_int_equal(sign_key_bits(k), 1024);
    for (uint32_t n = 0; n < der.n; n++)
        assert_null(public_key(a, DKIM_KEY_RSA, str_sub(der, 0, n)));
    for (uint32_t n = 0; n < raw.n; n++)
        assert_null(public_key(a, DKIM_KEY_ED25519, str_sub(raw, 0, n)));
    arena_free(a);
}

/* A key made here, as PEM and as what a record would have. */
static void
make_key(struct arena *a, gnutls_pk_algorithm_t algorithm, unsigned bits, struct str *pem,
         struct str *der)
{
    gnutls_x509_privkey_t key;
    gnutls_pubkey_t public;
    gnutls_privkey_t private;
    gnutls_datum_t d;
    assert_true(gnutls_x509_privkey_init(&key) >= 0);
    assert_true(gnutls_x509_privkey_generate(key, algorithm, bits, 0) >= 0);
    assert_true(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
                                                  GNUTLS_PKCS_PLAIN, &d) >= 0);
    *pem = str_dup(a, str_from((char *)d.data, d.size));
    gnutls_free(d.data);
    assert_true(gnutls_privkey_init(&private) >= 0 && gnutls_pubkey_init(&public) >= 0);
    assert_true(gnutls_privkey_import_x509(private, key, 0) >= 0);
    assert_true(gnutls_pubkey_import_privkey(public, private, 0, 0) >= 0);
    assert_true(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &d) >= 0);
    *der = str_dup(a, str_from((char *)d.data, d.size));
    gnutls_free(d.data);
    gnutls_privkey_deinit(private);
    gnutls_pubkey_deinit(public);
    gnutls_x509_privkey_deinit(key);
}

static void
test_signing(void **state)
{
    static const struct {
        gnutls_pk_algorithm_t algorithm;
        unsigned bits;
        enum dkim_key_type type;
        enum dkim_hash hash;
    } rows[] = {
        {GNUTLS_PK_RSA, 1024, DKIM_KEY_RSA, DKIM_HASH_SHA1},
        {GNUTLS_PK_RSA, 1024, DKIM_KEY_RSA, DKIM_HASH_SHA256},
        {GNUTLS_PK_RSA, 1024, DKIM_KEY_RSA, DKIM_HASH_SHA512},
        {GNUTLS_PK_EDDSA_ED25519, 256, DKIM_KEY_ED25519, DKIM_HASH_SHA256},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str pem, der, why, signature;
        unsigned char out[DIGEST_MAX];
        make_key(a, rows[i].algorithm, rows[i].bits, &pem, &der);
        struct sign_key *private = sign_key_private(&tls, a, pem, &why);
        struct sign_key *public = public_key(a, rows[i].type, der);
        assert_true(private != NULL && public != NULL);
        assert_int_equal(sign_key_type(private), rows[i].type);
        assert_int_equal(sign_key_bits(private), sign_key_bits(public));
        size_t n = digest_bytes(digest_find(dkim_hash_name(rows[i].hash)), STR_LIT("x"), out);
        struct str digest = str_from((char *)out, n);
        assert_true(sign_key_sign(private, a, rows[i].hash, digest, &signature, &why));
        assert_true(sign_key_verify(public, rows[i].hash, digest, signature));
        out[0] ^= 1;
        assert_false(sign_key_verify(public, rows[i].hash, digest, signature));
    }
    struct str why;
    assert_null(sign_key_private(&tls, a, STR_LIT("no key"), &why));
    assert_true(why.n > 0);
    arena_free(a);
}

/* Larger than anybody's key is, and a key of another kind. */
static void
test_refused(void **state)
{
    struct arena *a = arena_new();
    struct str pem, der, why;
    (void)state;
    make_key(a, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), &pem, &der);
    assert_null(sign_key_private(&tls, a, pem, &why));
    assert_string_equal(str_cstr(a, why), "the key is neither RSA nor Ed25519");
    assert_null(public_key(a, DKIM_KEY_RSA, der));
    /* 0x3082 n { 0x0282 m 00 ff.. , 0x0203 010001 } with a modulus of 8192 and of 8200 bits */
    for (size_t bits = 8192; bits <= 8200; bits += 8) {
        size_t m = bits / 8 + 1, n = 4 + m + 5;
        char *p = arena_alloc(a, n + 4);
        memset(p, 0xff, n + 4);
        memcpy(p, (char[]){0x30, (char)0x82, (char)(n >> 8), (char)n}, 4);
        memcpy(p + 4, (char[]){0x02, (char)0x82, (char)(m >> 8), (char)m, 0}, 5);
        memcpy(p + n - 1, (char[]){0x02, 0x03, 0x01, 0x00, 0x01}, 5);
        assert_int_equal(public_key(a, DKIM_KEY_RSA, str_from(p, n + 4)) != NULL, bits == 8192);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_8463), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_signing), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
