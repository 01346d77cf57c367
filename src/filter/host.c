/* Finding a variable by its name. */
#include "filter/host.h"

#include <string.h>

/* As str_cmp; most comparisons of a search are decided by the first byte. */
static int
compare(struct str a, struct str b)
{
    if (a.n > 0 && b.n > 0 && a.p[0] != b.p[0])
        return (unsigned char)a.p[0] < (unsigned char)b.p[0] ? -1 : 1;
    return str_cmp(a, b);
}

static const struct var *
find_exact(const struct host *h, struct str name)
{
    size_t low = 0;
    size_t high = h->vars_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = compare(name, h->vars[middle].name);
        if (c == 0)
            return &h->vars[middle];
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct var *
host_var(const struct host *h, struct str name, struct str *rest)
{
    *rest = STR_EMPTY;
    const struct var *v = find_exact(h, name);
    if (v != NULL && (v->flags & VAR_FAMILY) == 0)
        return v;
    /* families have names such as acl_c: the prefix, then what the family's check accepts */
    for (size_t n = name.n; n > 0; n--) {
        v = find_exact(h, str_sub(name, 0, n));
        if (v == NULL || (v->flags & VAR_FAMILY) == 0)
            continue;
        *rest = str_sub(name, n, name.n);
        if (v->accepts(*rest))
            return v;
    }
    return NULL;
}
