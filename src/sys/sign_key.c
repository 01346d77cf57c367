/* Keys that sign and verify; see sign_key.h. */
#include "sys/sign_key.h"

#include "base/arena.h"
#include "sys/tls.h"

#include <assert.h>

struct sign_key {
    const struct sign_key_library *library;
    void *key;
    bool is_private;
    enum dkim_key_type type;
    unsigned bits;
};

static void
end(void *ctx)
{
    struct sign_key *k = ctx;
    (k->is_private ? k->library->end_private : k->library->end_public)(k->key);
}

static struct sign_key *
keep(const struct sign_key_library *library, struct sign_key_work *w, void *key,
     bool is_private)
{
    if (key == NULL)
        return NULL;
    struct sign_key *k = ARENA_NEW(w->arena, struct sign_key);
    *k = (struct sign_key){library, key, is_private, w->type, w->bits};
    arena_on_free(w->arena, end, k);
    return k;
}

struct sign_key *
sign_key_public(struct tls *t, struct arena *a, enum dkim_key_type type, struct str bytes,
                struct str *why)
{
    struct sign_key_work w = {.arena = a, .type = type, .why = STR_EMPTY};
    struct sign_key *k = keep(t->keys, &w, t->keys->public_key(&w, bytes), false);
    *why = w.why;
    return k;
}

struct sign_key *
sign_key_private(struct tls *t, struct arena *a, struct str pem, struct str *why)
{
    struct sign_key_work w = {.arena = a, .why = STR_EMPTY};
    struct sign_key *k = keep(t->keys, &w, t->keys->private_key(&w, pem), true);
    *why = w.why;
    return k;
}

enum dkim_key_type
sign_key_type(const struct sign_key *k)
{
    return k->type;
}

unsigned
sign_key_bits(const struct sign_key *k)
{
    return k->bits;
}

bool
sign_key_verify(const struct sign_key *k, enum dkim_hash hash, struct str digest,
                struct str signature)
{
    assert(!k->is_private);
    return k->library->verify(k->key, k->type, hash, digest, signature);
}

bool
sign_key_sign(const struct sign_key *k, struct arena *a, enum dkim_hash hash, struct str digest,
              struct str *signature, struct str *why)
{
    assert(k->is_private);
    struct sign_key_work w = {.arena = a, .type = k->type, .why = STR_EMPTY};
    bool done = k->library->sign(k->key, hash, &w, digest, signature);
    *why = w.why;
    return done;
}
