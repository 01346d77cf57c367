/* MIME headers, structures and encodings. Whatever comes, parts lie in their parents, in order, within the text; cutting the input
 * into other blocks changes nothing; decoding makes nothing longer. */
#include "mail/mime.h"
#include "mail/mime_decode.h"
#include "mail/mime_walk.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mime_caps caps = {.parts = 40, .depth = 5};

static const struct mime_index *
walk(struct arena *a, struct str s, size_t step)
{
    struct mime_walk *w = mime_walk_new(a, caps, NULL);
    for (size_t at = 0; at < s.n; at += step)
        mime_walk_feed(w, str_sub(s, at, step));
    return mime_walk_end(w);
}

static void
check(const struct mime_index *x, struct str s)
{
    if (x->parts.n == 0 || x->parts.n > caps.parts || x->parts.v[0].end != (int64_t)s.n)
        abort();
    for (size_t i = 0; i < x->parts.n; i++) {
        const struct mime_span *p = &x->parts.v[i], *up = &x->parts.v[p->parent];
        if (p->header > p->body || p->body > p->end || p->end > (int64_t)s.n)
            abort();
        if (i > 0 && (p->parent >= i || p->header < up->body || p->end > up->end ||
                      p->header < x->parts.v[i - 1].body))
            abort();
    }
}

static bool
count(void *ctx, const char *p, size_t n)
{
    (void)p;
    *(size_t *)ctx += n;
    return true;
}

static void
decode(struct str s, enum mime_encoding encoding)
{
    struct mime_decoder *d = malloc(sizeof *d);
    size_t n = 0;
    if (d == NULL)
        abort();
    mime_decode_start(d, encoding, count, &n);
    if (!mime_decode_feed(d, s) || !mime_decode_end(d) || n > s.n)
        abort();
    free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct str s = str_tainted(str_from((const char *)data, size));
    const struct mime_index *whole = walk(a, s, size + 1), *pieces = walk(a, s, 3);
    check(whole, s);
    check(pieces, s);
    if (whole->parts.n != pieces->parts.n)
        abort();
    for (int e = MIME_IDENTITY; e <= MIME_QUOTED_PRINTABLE; e++)
        decode(s, (enum mime_encoding)e);
    arena_free(a);
    return 0;
}
