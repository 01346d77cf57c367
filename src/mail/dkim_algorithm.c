/* Names of algorithms; see dkim_algorithm.h. */
#include "mail/dkim_algorithm.h"

static const struct str key_types[DKIM_KEY_TYPES] = {
    [DKIM_KEY_RSA] = STR_INIT("rsa"),
    [DKIM_KEY_ED25519] = STR_INIT("ed25519"),
};

static const struct str hashes[DKIM_HASHES] = {
    [DKIM_HASH_SHA1] = STR_INIT("sha1"),
    [DKIM_HASH_SHA256] = STR_INIT("sha256"),
    [DKIM_HASH_SHA512] = STR_INIT("sha512"),
};

static const struct str canons[DKIM_CANONS] = {
    [DKIM_CANON_SIMPLE] = STR_INIT("simple"),
    [DKIM_CANON_RELAXED] = STR_INIT("relaxed"),
};

static const struct {
    struct str name;
    enum dkim_key_type type;
    enum dkim_hash hash;
} algorithms[] = {
#define ALGORITHM(text, key, hash) {STR_INIT(text), DKIM_KEY_##key, DKIM_HASH_##hash},
#include "mail/dkim_algorithm.def"
#undef ALGORITHM
};

/* Index of the name, or n. */
static unsigned
find(const struct str *names, unsigned n, struct str name)
{
    unsigned i = 0;
    while (i < n && !str_ieq(names[i], name))
        i++;
    return i;
}

struct str
dkim_key_type_name(enum dkim_key_type type)
{
    return key_types[type];
}

struct str
dkim_hash_name(enum dkim_hash hash)
{
    return hashes[hash];
}

struct str
dkim_canon_name(enum dkim_canon canon)
{
    return canons[canon];
}

bool
dkim_key_type_find(struct str name, enum dkim_key_type *out)
{
    unsigned i = find(key_types, DKIM_KEY_TYPES, name);
    if (i == DKIM_KEY_TYPES)
        return false;
    *out = (enum dkim_key_type)i;
    return true;
}

bool
dkim_hash_find(struct str name, enum dkim_hash *out)
{
    unsigned i = find(hashes, DKIM_HASHES, name);
    if (i == DKIM_HASHES)
        return false;
    *out = (enum dkim_hash)i;
    return true;
}

bool
dkim_canon_find(struct str name, enum dkim_canon *out)
{
    unsigned i = find(canons, DKIM_CANONS, name);
    if (i == DKIM_CANONS)
        return false;
    *out = (enum dkim_canon)i;
    return true;
}

bool
dkim_algorithm_find(struct str name, enum dkim_key_type *type, enum dkim_hash *hash)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (!str_ieq(algorithms[i].name, name))
            continue;
        *type = algorithms[i].type;
        *hash = algorithms[i].hash;
        return true;
    }
    return false;
}

struct str
dkim_algorithm_name(enum dkim_key_type type, enum dkim_hash hash)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (algorithms[i].type == type && algorithms[i].hash == hash)
            return algorithms[i].name;
    return STR_NULL;
}
