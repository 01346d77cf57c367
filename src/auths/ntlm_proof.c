/* Proofs of NTLM; see ntlm_proof.h. */
#include "auths/ntlm_proof.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/record.h"
#include "base/utf16.h"
#include "sys/digest.h"
#include "sys/unicode.h"
#include "sys/weak_hash.h"

enum { V1 = 24, PROOF = 16, VERSION_2 = 0x0101, V2_LEAST = PROOF + 28 };

static struct str
span(const unsigned char *p, size_t n)
{
    return str_from((const char *)p, n);
}

/* NTOWFv1 */
static bool
hash_password(struct arena *a, struct str password, unsigned char out[WEAK_MD4])
{
    struct str wide;
    if (!utf16_from_utf8(a, password, &wide))
        return false;
    weak_hash_md4(wide, out);
    return true;
}

/* DESL: the key's 16 bytes and five zeros are three keys. */
static void
make_v1(const unsigned char hash[WEAK_MD4], const unsigned char nonce[NTLM_NONCE],
        unsigned char out[V1])
{
    unsigned char keys[3 * WEAK_DES_KEY] = {0};
    memcpy(keys, hash, WEAK_MD4);
    for (size_t i = 0; i < 3; i++)
        weak_hash_des(keys + i * WEAK_DES_KEY, nonce, out + i * WEAK_DES);
    explicit_bzero(keys, sizeof keys);
}

/* NTOWFv2 */
static bool
make_key(struct arena *a, const unsigned char hash[WEAK_MD4], const struct ntlm_response *r,
         unsigned char out[DIGEST_MAX])
{
    struct str upper, user, domain;
    if (!unicode_upper(a, r->user, &upper) || !utf16_from_utf8(a, upper, &user) ||
        !utf16_from_utf8(a, r->domain, &domain))
        return false;
    digest_hmac(digest_find(STR_LIT("md5")), span(hash, WEAK_MD4), str_cat(a, user, domain),
                out);
    return true;
}

/* The proof of version 2 over what the client has put behind it. */
static void
prove(struct arena *a, const unsigned char *key, const unsigned char nonce[NTLM_NONCE],
      struct str with, unsigned char out[DIGEST_MAX])
{
    digest_hmac(digest_find(STR_LIT("md5")), span(key, PROOF),
                str_cat(a, span(nonce, NTLM_NONCE), with), out);
}

static struct str
with_proof(struct arena *a, const unsigned char *key, const struct ntlm_challenge *c,
           struct str with)
{
    unsigned char proof[DIGEST_MAX];
    prove(a, key, c->nonce, with, proof);
    return str_cat(a, span(proof, PROOF), with);
}

static void
add_zeros(struct buf *b, size_t n)
{
    while (n-- > 0)
        buf_addc(b, '\0');
}

static void
make_v2(struct arena *a, const unsigned char *key, const struct ntlm_challenge *c,
        const struct ntlm_salt *salt, struct ntlm_response *r)
{
    struct buf b = buf_in(a, 0);
    struct str nonce = span(salt->nonce, NTLM_NONCE), time = ntlm_target_time(c->target);
    char number[8];
    record_put_number(number, VERSION_2, 2);
    buf_add(&b, number, 2);
    add_zeros(&b, 6);
    record_put_number(number, salt->time, 8);
    buf_adds(&b, str_is_set(time) ? time : str_from(number, 8));
    buf_adds(&b, nonce);
    add_zeros(&b, 4);
    buf_adds(&b, c->target);
    add_zeros(&b, 4);
    r->nt = with_proof(a, key, c, buf_str(&b));
    /* A server that tells the time wants no proof of the older kind. */
    struct buf none = buf_in(a, 0);
    add_zeros(&none, V1);
    r->lm = str_is_set(time) ? buf_str(&none) : with_proof(a, key, c, nonce);
}

bool
ntlm_proof_make(struct arena *a, const struct ntlm_challenge *c, const struct ntlm_salt *salt,
                struct str password, struct ntlm_response *r)
{
    unsigned char hash[WEAK_MD4], key[DIGEST_MAX], proof[V1];
    if (!hash_password(a, password, hash) || !make_key(a, hash, r, key))
        return false;
    if (c->target.n > 0) {
        make_v2(a, key, c, salt, r);
    } else {
        make_v1(hash, c->nonce, proof);
        r->nt = r->lm = str_dup(a, span(proof, V1));
    }
    return true;
}

bool
ntlm_proof_holds(struct arena *a, const struct ntlm_challenge *c, const struct ntlm_response *r,
                 struct str password)
{
    unsigned char hash[WEAK_MD4], key[DIGEST_MAX], proof[DIGEST_MAX];
    if (!hash_password(a, password, hash))
        return false;
    if (r->nt.n == V1) {
        make_v1(hash, c->nonce, proof);
        return digest_is_same(proof, r->nt.p, V1);
    }
    if (r->nt.n < V2_LEAST || !make_key(a, hash, r, key))
        return false;
    prove(a, key, c->nonce, str_sub(r->nt, PROOF, r->nt.n), proof);
    return digest_is_same(proof, r->nt.p, PROOF);
}

uint64_t
ntlm_proof_time(int64_t unix_s)
{
    enum { TENTHS = 10000000 };
    return (uint64_t)(unix_s + INT64_C(11644473600)) * TENTHS;
}
