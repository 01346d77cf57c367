/* DMARC records: what is read stays within its caps and within the record, and an address that comes out is one. */
#include "base/arena.h"
#include "mail/dmarc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_addresses(struct arena *a, const struct dmarc_addresses *l, struct str in)
{
    if (l->n > DMARC_ADDRESSES_MAX)
        abort();
    for (size_t i = 0; i < l->n; i++) {
        struct str address;
        if (l->v[i].p < in.p || l->v[i].p + l->v[i].n > in.p + in.n || l->v[i].n == 0)
            abort();
        if (!dmarc_mailto(a, l->v[i], &address))
            continue;
        if (str_chr(address, '@', 0) == STR_NPOS || str_chr(address, '\n', 0) != STR_NPOS ||
            str_chr(address, '\r', 0) != STR_NPOS || str_has_nul(address))
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dmarc_record r;
    if (size > 2 * (size_t)DMARC_RECORD_MAX)
        return 0;
    struct str in = str_from((const char *)data, size);
    if (!dmarc_record_parse(in, &r))
        return 0;
    if (size > DMARC_RECORD_MAX || r.percent > 100 || r.policy == DMARC_UNSAID ||
        r.report == 0 || !dmarc_is_record(in))
        abort();
    struct arena *a = arena_new();
    check_addresses(a, &r.rua, in);
    check_addresses(a, &r.ruf, in);
    arena_free(a);
    return 0;
}
