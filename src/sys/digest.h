/* Message digests and keyed digests (nettle), by name. A message goes through in pieces (digest_start),
 * other values whole. */
#ifndef REMEX_SYS_DIGEST_H
#define REMEX_SYS_DIGEST_H

#include "base/str.h"

struct arena;

/* Bytes of the longest digest. */
enum { DIGEST_MAX = 64 };

struct digest; /* one algorithm */

/* "md5", "sha1", "sha2-256", "sha2-384", "sha2-512", "sha2-224", "sha3-224" … "sha3-512"; "sha256" and so on as
 * well. NULL: unknown. */
const struct digest *digest_find(struct str name);
size_t digest_size(const struct digest *d);

/* Writes digest_size bytes; returns that. */
size_t digest_bytes(const struct digest *d, struct str s, unsigned char out[DIGEST_MAX]);

/* A digest of what comes in pieces; in a. */
struct digest_stream;
struct digest_stream *digest_start(struct arena *a, const struct digest *d);
void digest_add(struct digest_stream *s, const char *p, size_t n);
/* Writes digest_size bytes; returns that. The stream begins anew. */
size_t digest_end(struct digest_stream *s, unsigned char out[DIGEST_MAX]);

/* RFC 2104. */
size_t digest_hmac(const struct digest *d, struct str key, struct str s,
                   unsigned char out[DIGEST_MAX]);

/* PBKDF2 with that as HMAC (RFC 8018), one block: digest_size bytes. */
void digest_pbkdf2(const struct digest *d, struct str password, struct str salt,
                   unsigned rounds, unsigned char out[DIGEST_MAX]);

/* n bytes are the same; the time it takes does not tell how many of them are. */
bool digest_is_same(const void *x, const void *y, size_t n);

enum digest_case { DIGEST_LOWER, DIGEST_UPPER };
/* Two hexadecimal digits a byte into out (no NUL is added). */
void digest_hex(const unsigned char *bytes, size_t n, enum digest_case letters, char *out);

#endif
