/* Chains of ARC: what is read of a header stays within its caps; of a chain that passes the check every line is there, and what its seals sign
 * can be put together. Results are parts of the value. */
#include "base/arena.h"
#include "mail/arc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
count(void *ctx, const char *p, size_t n)
{
    size_t *bytes = ctx;
    (void)p;
    *bytes += n;
}

static void
check_chain(const struct arc_chain *c)
{
    size_t before = 0;
    for (unsigned i = 1; i <= c->n; i++) {
        const struct arc_set *set = &c->set[i - 1];
        for (unsigned k = 0; k < ARC_LINES; k++)
            if (set->line[k] == NULL)
                abort();
        size_t bytes = 0;
        arc_seal_feed(c, 1, i, (struct dkim_sink){count, &bytes});
        if (bytes <= before)
            abort();
        before = bytes;
    }
}

static void
check_results(struct arena *a, struct str value)
{
    const struct arc_new n = {.instance = 1, .created = -1, .expires = -1};
    struct str r = arc_results_find(value, "arc"), s = arc_results_server(value);
    if (str_is_set(r) && r.n > 0 && (r.p < value.p || r.p + r.n > value.p + value.n))
        abort();
    if (s.n > 0 && (s.p < value.p || s.p + s.n > value.p + value.n))
        abort();
    struct str line = arc_new_results(a, &n, value, STR_NULL);
    if (line.p[line.n - 1] != '\n')
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header_list l = {.n = 0};
    struct str why = STR_EMPTY;
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct arc_chain *c = ARENA_NEW(a, struct arc_chain);
    (void)header_list_read(a, &l, str_from((const char *)data, size));
    bool ok = arc_chain_read(a, &l, c, &why);
    if (c->n > ARC_SETS_MAX)
        abort();
    (void)arc_chain_domains(a, c);
    if (ok && arc_chain_check(a, c, &why))
        check_chain(c);
    else if (why.n == 0)
        abort();
    for (size_t i = 0; i < l.n; i++)
        check_results(a, header_body(&l.v[i]));
    arena_free(a);
    return 0;
}
