/* Keys that sign and verify digests; see sys/sign_key.h.
 *
 * Old algorithms are allowed here: which ones count is asked where results are judged (dkim_verify_hashes and its like).
 */
#include "plugins/tls/tls_keys.h"

#include "base/arena.h"
#include "base/buf.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <string.h>

enum { ED25519_BYTES = 32, ED25519_BITS = 253, EXPONENT_BYTES_MAX = 8 };

static gnutls_datum_t
datum(struct str s)
{
    union {
        const char *text;
        unsigned char *bytes; /* GnuTLS reads them only */
    } p = {.text = s.p};
    return (gnutls_datum_t){p.bytes, s.n};
}

static void *
failed(struct sign_key_work *w, int error)
{
    w->why = str_dup(w->arena, str_from_cstr(gnutls_strerror(error)));
    return NULL;
}

/* --- public keys --- */

static void
add_length(struct buf *b, size_t n)
{
    if (n >= 256) {
        buf_addc(b, (char)0x82);
        buf_addc(b, (char)(n >> 8));
    } else if (n >= 128)
        buf_addc(b, (char)0x81);
    buf_addc(b, (char)(n & 255));
}

static size_t
length_size(size_t n)
{
    return n >= 256 ? 3 : n >= 128 ? 2 : 1;
}

/* SubjectPublicKeyInfo around an RSAPublicKey. */
static struct str
wrap_rsa(struct arena *a, struct str bytes)
{
    static const unsigned char algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                              0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    size_t bits = (size_t)bytes.n + 1;
    struct buf b = buf_in(a, 0);
    buf_addc(&b, 0x30);
    add_length(&b, sizeof algorithm + 1 + length_size(bits) + bits);
    buf_add(&b, (const char *)algorithm, sizeof algorithm);
    buf_addc(&b, 0x03);
    add_length(&b, bits);
    buf_addc(&b, 0);
    buf_adds(&b, bytes);
    return buf_str(&b);
}

static int
import_public(struct sign_key_work *w, gnutls_pubkey_t key, struct str bytes)
{
    gnutls_datum_t d = datum(bytes);
    if (w->type == DKIM_KEY_ED25519 && bytes.n == ED25519_BYTES)
        return gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_ED25519, &d, NULL);
    int rc = gnutls_pubkey_import(key, &d, GNUTLS_X509_FMT_DER);
    if (rc < 0 && w->type == DKIM_KEY_RSA) {
        d = datum(wrap_rsa(w->arena, bytes));
        rc = gnutls_pubkey_import(key, &d, GNUTLS_X509_FMT_DER);
    }
    return rc;
}

/* True if the exponent is one that people use: none makes verification slow. */
static bool
has_short_exponent(gnutls_pubkey_t key)
{
    gnutls_datum_t m, e;
    if (gnutls_pubkey_export_rsa_raw2(key, &m, &e, GNUTLS_EXPORT_FLAG_NO_LZ) < 0)
        return false;
    bool is_short = e.size <= EXPONENT_BYTES_MAX;
    gnutls_free(m.data);
    gnutls_free(e.data);
    return is_short;
}

/* Looks whether the key is of the type that it should be. */
static bool
check_public(struct sign_key_work *w, gnutls_pubkey_t key)
{
    unsigned bits = 0;
    int algorithm = gnutls_pubkey_get_pk_algorithm(key, &bits);
    bool is_rsa = w->type == DKIM_KEY_RSA;
    w->bits = is_rsa ? bits : ED25519_BITS;
    if (algorithm != (is_rsa ? GNUTLS_PK_RSA : GNUTLS_PK_EDDSA_ED25519))
        w->why = STR_LIT("the key is of another type");
    else if (is_rsa && (bits > SIGN_KEY_BITS_MAX || !has_short_exponent(key)))
        w->why = STR_LIT("the key is too large");
    return w->why.n == 0;
}

static void
end_public(void *key)
{
    gnutls_pubkey_deinit(key);
}

static void *
public_key(struct sign_key_work *w, struct str bytes)
{
    gnutls_pubkey_t key;
    int rc = gnutls_pubkey_init(&key);
    if (rc < 0)
        return failed(w, rc);
    rc = import_public(w, key, bytes);
    if (rc < 0)
        (void)failed(w, rc);
    else if (check_public(w, key))
        return key;
    end_public(key);
    return NULL;
}

static const gnutls_sign_algorithm_t rsa[DKIM_HASHES] = {
    [DKIM_HASH_SHA1] = GNUTLS_SIGN_RSA_SHA1,
    [DKIM_HASH_SHA256] = GNUTLS_SIGN_RSA_SHA256,
    [DKIM_HASH_SHA512] = GNUTLS_SIGN_RSA_SHA512,
};

static bool
verify(void *key, enum dkim_key_type type, enum dkim_hash hash, struct str digest,
       struct str signature)
{
    gnutls_datum_t of = datum(digest), s = datum(signature);
    if (type == DKIM_KEY_ED25519) /* of the digest as a text: RFC 8463 section 3 */
        return gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &of, &s) >= 0;
    return gnutls_pubkey_verify_hash2(
               key, rsa[hash], GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1,
               &of, &s) >= 0;
}

/* --- private keys --- */

static void
end_private(void *key)
{
    gnutls_privkey_deinit(key);
}

static bool
check_private(struct sign_key_work *w, gnutls_privkey_t key)
{
    int algorithm = gnutls_privkey_get_pk_algorithm(key, &w->bits);
    if (algorithm == GNUTLS_PK_RSA) {
        w->type = DKIM_KEY_RSA;
    } else if (algorithm == GNUTLS_PK_EDDSA_ED25519) {
        w->type = DKIM_KEY_ED25519;
        w->bits = ED25519_BITS;
    } else {
        w->why = STR_LIT("the key is neither RSA nor Ed25519");
    }
    return w->why.n == 0;
}

static void *
private_key(struct sign_key_work *w, struct str pem)
{
    gnutls_privkey_t key;
    gnutls_datum_t d = datum(pem);
    int rc = gnutls_privkey_init(&key);
    if (rc < 0)
        return failed(w, rc);
    rc = gnutls_privkey_import_x509_raw(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc < 0)
        (void)failed(w, rc);
    else if (check_private(w, key))
        return key;
    end_private(key);
    return NULL;
}

static bool
sign(void *key, enum dkim_hash hash, struct sign_key_work *w, struct str digest,
     struct str *signature)
{
    gnutls_datum_t of = datum(digest), s = {NULL, 0};
    int rc = w->type == DKIM_KEY_ED25519
                 ? gnutls_privkey_sign_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &of, &s)
                 : gnutls_privkey_sign_hash2(key, rsa[hash], 0, &of, &s);
    if (rc < 0)
        return failed(w, rc) != NULL;
    *signature = str_dup(w->arena, str_from((const char *)s.data, s.size));
    gnutls_free(s.data);
    return true;
}

const struct sign_key_library tls_keys_library = {
    .public_key = public_key,
    .private_key = private_key,
    .end_public = end_public,
    .end_private = end_private,
    .verify = verify,
    .sign = sign,
};
