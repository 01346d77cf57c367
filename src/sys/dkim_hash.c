/* Hashes for DKIM and ARC; see dkim_hash.h. */
#include "sys/dkim_hash.h"

#include "base/arena.h"
#include "base/vec.h"
#include "mail/tag_list.h"
#include "sys/digest.h"

struct dkim_body_hash {
    struct dkim_body body;
    struct digest_stream *stream;
    enum dkim_hash hash;
    int64_t length;
    struct str digest;
};

struct dkim_bodies {
    struct arena *arena;
    VEC(struct dkim_body_hash *) all;
};

static void
put(void *ctx, const char *p, size_t n)
{
    digest_add(ctx, p, n);
}

struct dkim_sink
dkim_hash_sink(struct digest_stream *s)
{
    return (struct dkim_sink){put, s};
}

struct digest_stream *
dkim_hash_start(struct arena *a, enum dkim_hash hash)
{
    return digest_start(a, digest_find(dkim_hash_name(hash)));
}

struct str
dkim_hash_end(struct arena *a, struct digest_stream *s)
{
    unsigned char *out = arena_alloc(a, DIGEST_MAX);
    return str_from((const char *)out, digest_end(s, out));
}

/* --- bodies --- */

struct dkim_bodies *
dkim_bodies_new(struct arena *a)
{
    struct dkim_bodies *b = ARENA_NEW(a, struct dkim_bodies);
    b->arena = a;
    return b;
}

struct dkim_body_hash *
dkim_bodies_want(struct dkim_bodies *b, enum dkim_hash hash, enum dkim_canon canon,
                 int64_t length)
{
    for (size_t i = 0; i < b->all.n; i++) {
        struct dkim_body_hash *h = b->all.v[i];
        if (h->hash == hash && h->body.canon == canon && h->length == length)
            return h;
    }
    if (b->all.n == DKIM_BODIES_MAX)
        return NULL;
    struct dkim_body_hash *h = ARENA_NEW(b->arena, struct dkim_body_hash);
    h->hash = hash;
    h->length = length;
    h->stream = dkim_hash_start(b->arena, hash);
    dkim_body_start(&h->body, canon, length, dkim_hash_sink(h->stream));
    vec_push(b->arena, &b->all, h);
    return h;
}

bool
dkim_bodies_is_empty(const struct dkim_bodies *b)
{
    return b->all.n == 0;
}

void
dkim_bodies_feed(struct dkim_bodies *b, const char *p, size_t n)
{
    for (size_t i = 0; i < b->all.n; i++)
        dkim_body_feed(&b->all.v[i]->body, p, n);
}

bool
dkim_bodies_end(struct dkim_bodies *b)
{
    bool good = true;
    for (size_t i = 0; i < b->all.n; i++) {
        struct dkim_body_hash *h = b->all.v[i];
        dkim_body_end(&h->body);
        h->digest = dkim_hash_end(b->arena, h->stream);
        good = good && h->body.longest <= DKIM_BODY_LINE_MAX;
    }
    return good;
}

struct str
dkim_body_hash_digest(const struct dkim_body_hash *h)
{
    return h->digest;
}

/* --- headers --- */

struct str
dkim_hash_header(struct arena *a, const struct dkim_headers *h, const struct dkim_signature *s)
{
    struct digest_stream *d = dkim_hash_start(a, s->hash);
    struct dkim_walk *w = dkim_walk_new(a, h);
    struct str name;
    for (uint32_t at = 0; tag_value_next(s->headers, ':', &at, &name);) {
        struct str line = dkim_walk_take(w, name);
        if (str_is_set(line))
            dkim_canon_header(s->canon_headers, line, dkim_hash_sink(d));
    }
    dkim_canon_signature(s->canon_headers, s->line, s->b_from, s->b_until, dkim_hash_sink(d));
    return dkim_hash_end(a, d);
}
