/* Digests over nettle's description of each hash. Contexts live on the stack, save those of streams. */
#include "sys/digest.h"

#include "base/arena.h"

#include <assert.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/sha3.h>
#include <string.h>

union context {
    struct md5_ctx md5;
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
    struct sha3_224_ctx sha3_224;
    struct sha3_256_ctx sha3_256;
    struct sha3_384_ctx sha3_384;
    struct sha3_512_ctx sha3_512;
};

struct digest {
    const char *name;
    const struct nettle_hash *hash;
};

static const struct digest digests[] = {
    {"md5", &nettle_md5},           {"sha1", &nettle_sha1},
    {"sha256", &nettle_sha256},     {"sha2-256", &nettle_sha256},
    {"sha384", &nettle_sha384},     {"sha2-384", &nettle_sha384},
    {"sha512", &nettle_sha512},     {"sha2-512", &nettle_sha512},
    {"sha224", &nettle_sha224},     {"sha2-224", &nettle_sha224},
    {"sha3-224", &nettle_sha3_224}, {"sha3-256", &nettle_sha3_256},
    {"sha3-384", &nettle_sha3_384}, {"sha3-512", &nettle_sha3_512},
};

const struct digest *
digest_find(struct str name)
{
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
        if (str_eqz(name, digests[i].name))
            return &digests[i];
    }
    return NULL;
}

size_t
digest_size(const struct digest *d)
{
    return d->hash->digest_size;
}

static void
update(const struct nettle_hash *h, union context *c, const void *p, size_t n)
{
    if (n > 0)
        h->update(c, n, p);
}

size_t
digest_bytes(const struct digest *d, struct str s, unsigned char out[DIGEST_MAX])
{
    const struct nettle_hash *h = d->hash;
    union context c;
    assert(h->context_size <= sizeof c && h->digest_size <= DIGEST_MAX);
    h->init(&c);
    update(h, &c, s.p, s.n);
    h->digest(&c, h->digest_size, out);
    return h->digest_size;
}

struct digest_stream {
    const struct nettle_hash *hash;
    union context c;
};

struct digest_stream *
digest_start(struct arena *a, const struct digest *d)
{
    struct digest_stream *s = ARENA_NEW(a, struct digest_stream);
    assert(d->hash->context_size <= sizeof s->c);
    s->hash = d->hash;
    s->hash->init(&s->c);
    return s;
}

void
digest_add(struct digest_stream *s, const char *p, size_t n)
{
    update(s->hash, &s->c, p, n);
}

size_t
digest_end(struct digest_stream *s, unsigned char out[DIGEST_MAX])
{
    s->hash->digest(&s->c, s->hash->digest_size, out);
    return s->hash->digest_size;
}

/* Blocks of SHA-3 are the longest: 144 bytes. */
enum { BLOCK_MAX = 144 };

static void
pad(unsigned char block[BLOCK_MAX], const unsigned char *key, size_t n, unsigned char with)
{
    memset(block, with, BLOCK_MAX);
    for (size_t i = 0; i < n; i++)
        block[i] ^= key[i];
}

/* The hash of a key's first block is made once: each round goes on from copies of it. */
struct keyed {
    const struct nettle_hash *hash;
    union context inner, outer;
};

static void
key_in(struct keyed *k, const struct digest *d, struct str key)
{
    const struct nettle_hash *h = d->hash;
    unsigned char block[BLOCK_MAX], short_key[BLOCK_MAX];
    size_t n = key.n;
    k->hash = h;
    if (n > h->block_size)
        n = digest_bytes(d, key, short_key);
    else if (n > 0)
        memcpy(short_key, key.p, n);
    pad(block, short_key, n, 0x36);
    h->init(&k->inner);
    update(h, &k->inner, block, h->block_size);
    pad(block, short_key, n, 0x5c);
    h->init(&k->outer);
    update(h, &k->outer, block, h->block_size);
    explicit_bzero(short_key, sizeof short_key);
    explicit_bzero(block, sizeof block);
}

static void
keyed_digest(const struct keyed *k, const void *p, size_t n, const void *q, size_t m,
             unsigned char *out)
{
    union context c = k->inner;
    update(k->hash, &c, p, n);
    update(k->hash, &c, q, m);
    k->hash->digest(&c, k->hash->digest_size, out);
    c = k->outer;
    update(k->hash, &c, out, k->hash->digest_size);
    k->hash->digest(&c, k->hash->digest_size, out);
}

size_t
digest_hmac(const struct digest *d, struct str key, struct str s, unsigned char out[DIGEST_MAX])
{
    struct keyed k;
    key_in(&k, d, key);
    keyed_digest(&k, s.p, s.n, NULL, 0, out);
    explicit_bzero(&k, sizeof k);
    return d->hash->digest_size;
}

void
digest_pbkdf2(const struct digest *d, struct str password, struct str salt, unsigned rounds,
              unsigned char out[DIGEST_MAX])
{
    static const unsigned char first[4] = {0, 0, 0, 1};
    struct keyed k;
    unsigned char u[DIGEST_MAX];
    size_t n = d->hash->digest_size;
    key_in(&k, d, password);
    keyed_digest(&k, salt.p, salt.n, first, sizeof first, u);
    memcpy(out, u, n);
    for (unsigned i = 1; i < rounds; i++) {
        keyed_digest(&k, u, n, NULL, 0, u);
        for (size_t j = 0; j < n; j++)
            out[j] ^= u[j];
    }
    explicit_bzero(&k, sizeof k);
}

bool
digest_is_same(const void *x, const void *y, size_t n)
{
    return memeql_sec(x, y, n) != 0;
}

void
digest_hex(const unsigned char *bytes, size_t n, enum digest_case letters, char *out)
{
    const char *digits = letters == DIGEST_UPPER ? "0123456789ABCDEF" : "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        unsigned b = bytes[i];
        out[2 * i] = digits[b >> 4];
        out[2 * i + 1] = digits[b & 15];
    }
}
