/* Lines of DKIM and ARC signatures: what is read of one lies within it, a value that was read is one that its tag may have, the line
 * without its signature is a line, and a new signature made of what was read reads the same. */
#include "mail/dkim_signature.h"

#include "base/arena.h"
#include "mail/dkim_canon.h"
#include "mail/dkim_make.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool good)
{
    if (!good)
        abort();
}

static bool
is_within(struct str part, struct str whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
count(void *ctx, const char *p, size_t n)
{
    require(p != NULL && n > 0);
    *(size_t *)ctx += n;
}

static void
check(const struct dkim_signature *s, struct str line)
{
    const struct str texts[] = {s->version, s->algorithm, s->domain, s->headers, s->identity,
                                s->query,   s->selector,  s->copied, s->chain};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        require(is_within(texts[i], line));
    require((s->has & s->bad) == 0);
    require(s->b_from <= s->b_until && s->b_until <= line.n);
    require(s->signature.n <= DKIM_SIGNATURE_MAX && s->body_hash.n <= DKIM_SIGNATURE_MAX);
    require(s->body_length >= -1 && s->created >= -1 && s->expires >= -1);
    require(s->canon_headers < DKIM_CANONS && s->canon_body < DKIM_CANONS);
    for (unsigned c = 0; c < DKIM_CANONS; c++) {
        size_t n = 0;
        dkim_canon_signature((enum dkim_canon)c, line, s->b_from, s->b_until,
                             (struct dkim_sink){count, &n});
        require(n <= (size_t)line.n * 2 + 2);
    }
}

/* Only of texts that a transport would take. */
static bool
is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == ';' || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

static void
make_again(struct arena *a, const struct dkim_signature *s)
{
    struct dkim_making m = {.type = s->key_type,
                            .hash = s->hash,
                            .canon = s->canon_headers,
                            .domain = s->domain,
                            .selector = s->selector,
                            .identity = is_plain(s->identity) ? s->identity : STR_EMPTY,
                            .names = s->headers,
                            .body_hash = s->body_hash,
                            .created = s->created,
                            .expires = s->expires,
                            .signature = s->signature};
    struct dkim_signature again;
    uint32_t from, until;
    if (!is_plain(m.domain) || !is_plain(m.selector) || !is_plain(m.names))
        return;
    struct str line = dkim_make_line(a, &m, &from, &until);
    require(dkim_signature_read(a, line, &again) && !again.ill_formed && again.bad == 0);
    require(again.b_from == from && again.b_until == until);
    require(str_eq(again.signature, s->signature) && str_eq(again.body_hash, s->body_hash));
    require(str_eq(again.domain, s->domain) && str_eq(again.selector, s->selector));
    require(again.created == s->created && again.expires == s->expires);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct str line = str_from((const char *)data, size);
    struct dkim_signature s;
    if (size <= DKIM_LINE_MAX * 2 && dkim_signature_read(a, line, &s)) {
        check(&s, line);
        for (int kind = DKIM_SIGNATURE; kind <= ARC_SEAL; kind++)
            (void)dkim_signature_check(&s, (enum dkim_kind)kind);
        if (dkim_signature_check(&s, DKIM_SIGNATURE) == DKIM_FAULT_NONE && s.body_hash.n > 0 &&
            line.n < DKIM_LINE_MAX / 2)
            make_again(a, &s);
    }
    arena_free(a);
    return 0;
}
