/* Fuzz target: any text as a site file. What is accepted obeys the rules of its kind. */
#include "base/arena.h"
#include "base/buf.h"
#include "sys/site.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SITE_MAX_BYTES)
        return 0;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct source src = {.name = STR_LIT("site"), .text = str_from((const char *)data, size)};
    struct site s;
    bool ok = site_parse(a, &src, &s, d);
    if (ok != (diags_total(d) == 0))
        abort();
    for (size_t i = 0; i < s.trusted_config.n; i++) {
        if (s.trusted_config.v[i].p[0] != '/' || str_has_nul(s.trusted_config.v[i]))
            abort();
    }
    struct buf out = buf_in(a, 0);
    for (size_t i = 0; i < diags_total(d); i++)
        diag_render(&out, diags_at(d, i));
    arena_free(a);
    return 0;
}
