/* Keys that sign and verify digests (RSA, Ed25519): what DKIM and ARC need of GnuTLS, which plugins/tls has.
 *
 * A key lives as long as its arena and belongs to one thread at a time; of a private one nothing stays in memory behind that.
 */
#ifndef REMEX_SYS_SIGN_KEY_H
#define REMEX_SYS_SIGN_KEY_H

#include "base/str.h"
#include "mail/dkim_algorithm.h"

struct arena;
struct tls;
struct sign_key;

/* Largest key that is used, in bits of its modulus; a public exponent is at most 64 bits long. Beyond that a stranger's key
 * would make us work. */
enum { SIGN_KEY_BITS_MAX = 8192, SIGN_KEY_FILE_MAX = 64 * 1024 };

/* A public key as a key record has it: RSA in DER (RFC 5280 or the RSAPublicKey of RFC 8017), Ed25519 as 32 bytes or in DER
 * (RFC 8410). NULL: it is no such key, or too large; *why in a. */
struct sign_key *sign_key_public(struct tls *t, struct arena *a, enum dkim_key_type type,
                                 struct str bytes, struct str *why);
/* A private key in PEM, without a password. NULL: *why in a. */
struct sign_key *sign_key_private(struct tls *t, struct arena *a, struct str pem,
                                  struct str *why);

enum dkim_key_type sign_key_type(const struct sign_key *k);
/* Of the modulus; of Ed25519 those of the order of its group: 253. */
unsigned sign_key_bits(const struct sign_key *k);

/* True if signature is that of the digest, which was made with hash, by the private half of k. */
bool sign_key_verify(const struct sign_key *k, enum dkim_hash hash, struct str digest,
                     struct str signature);
/* The signature of the digest, in a. k is private. False: *why in a. */
bool sign_key_sign(const struct sign_key *k, struct arena *a, enum dkim_hash hash,
                   struct str digest, struct str *signature, struct str *why);

/* --- what the plugin exports (its fourth object) --- */

struct sign_key_work {
    struct arena *arena;
    struct str why;
    enum dkim_key_type type; /* in for a public key, out for a private one */
    unsigned bits;
};

struct sign_key_library {
    /* A key of GnuTLS's, freed with end_…; NULL with w->why. */
    void *(*public_key)(struct sign_key_work *w, struct str bytes);
    void *(*private_key)(struct sign_key_work *w, struct str pem);
    void (*end_public)(void *key);
    void (*end_private)(void *key);
    bool (*verify)(void *key, enum dkim_key_type type, enum dkim_hash hash, struct str digest,
                   struct str signature);
    bool (*sign)(void *key, enum dkim_hash hash, struct sign_key_work *w, struct str digest,
                 struct str *signature);
};

#endif
