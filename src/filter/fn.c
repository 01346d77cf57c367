/* The table of functions, and finding one by its name.
 *
 * The rows are sorted by kind and name (a unit test holds fn.def to that), so a name is found by
 * binary search. Names are looked up when a string is compiled, never when it runs.
 */
#include "filter/fn.h"

static const struct fn rows[] = {
#define FN(kind, name, min, max, flags, function, doc)                                           \
    {STR_INIT(name), kind, min, max, flags, function, doc},
#define FN_FORM(kind, name, min, max, flags, doc)                                                \
    {STR_INIT(name), kind, min, max, flags, NULL, doc},
#include "filter/fn.def"
#undef FN
#undef FN_FORM
};

enum { ROWS = sizeof rows / sizeof *rows };

static int
compare(enum fn_kind kind, struct str name, const struct fn *row)
{
    if (kind != row->kind)
        return kind < row->kind ? -1 : 1;
    if (name.n > 0 && name.p[0] != row->name.p[0])
        return (unsigned char)name.p[0] < (unsigned char)row->name.p[0] ? -1 : 1;
    return str_cmp(name, row->name);
}

const struct fn *
fn_find(enum fn_kind kind, struct str name)
{
    size_t low = 0;
    size_t high = ROWS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = compare(kind, name, &rows[middle]);
        if (c == 0)
            return &rows[middle];
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct fn *
fn_all(size_t *n)
{
    *n = ROWS;
    return rows;
}
