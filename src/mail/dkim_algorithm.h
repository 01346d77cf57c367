/* What DKIM and ARC sign with: types of key, hashes, and their names in tags and options. */
#ifndef REMEX_MAIL_DKIM_ALGORITHM_H
#define REMEX_MAIL_DKIM_ALGORITHM_H

#include "base/str.h"

enum dkim_key_type { DKIM_KEY_RSA, DKIM_KEY_ED25519 };
enum { DKIM_KEY_TYPES = 2 };

enum dkim_hash { DKIM_HASH_SHA1, DKIM_HASH_SHA256, DKIM_HASH_SHA512 };
enum { DKIM_HASHES = 3 };

enum dkim_canon { DKIM_CANON_SIMPLE, DKIM_CANON_RELAXED };
enum { DKIM_CANONS = 2 };

/* "rsa" or "ed25519"; "sha1", "sha256" or "sha512"; "simple" or "relaxed". */
struct str dkim_key_type_name(enum dkim_key_type type);
struct str dkim_hash_name(enum dkim_hash hash);
struct str dkim_canon_name(enum dkim_canon canon);
/* The other way, in any case of letters. False: unknown, *out stays as it was. */
bool dkim_key_type_find(struct str name, enum dkim_key_type *out);
bool dkim_hash_find(struct str name, enum dkim_hash *out);
bool dkim_canon_find(struct str name, enum dkim_canon *out);

/* "rsa-sha256" and so on. False: unknown. */
bool dkim_algorithm_find(struct str name, enum dkim_key_type *type, enum dkim_hash *hash);
/* Unset: there is no such algorithm (ed25519 is for sha256 alone). */
struct str dkim_algorithm_name(enum dkim_key_type type, enum dkim_hash hash);

#endif
