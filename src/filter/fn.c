/* The table of functions, and finding one by its name.
 *
 * The rows are sorted by kind and name (a unit test holds fn.def to that), so a name is found by
 * binary search. Names are looked up when a string is compiled, never when it runs.
 */
#include "filter/fn.h"

static const struct fn rows[] = {
#define FN(kind, name, min, max, flags, function, doc)                                         \
    {STR_INIT(name), kind, min, max, flags, function, doc},
#define FN_FORM(kind, name, min, max, flags, doc)                                              \
    {STR_INIT(name), kind, min, max, flags, NULL, doc},
#include "filter/fn.def"
#undef FN
#undef FN_FORM
};

enum { ROWS = sizeof rows / sizeof *rows };

/* Rows of one kind: a sum of 0 and 1. NOLINTBEGIN(bugprone-macro-parentheses) */
#define FN(kind, name, min, max, flags, function, doc) +((kind) == COUNTED)
#define FN_FORM(kind, name, min, max, flags, doc) +((kind) == COUNTED)
enum {
#define COUNTED FN_OPER
    OPERATORS = 0
#include "filter/fn.def"
    ,
#undef COUNTED
#define COUNTED FN_ITEM
    ITEMS = 0
#include "filter/fn.def"
    ,
#undef COUNTED
#define COUNTED FN_ITEM_YN
    ITEMS_YN = 0
#include "filter/fn.def"
#undef COUNTED
};
#undef FN
#undef FN_FORM
/* NOLINTEND(bugprone-macro-parentheses) */

static const size_t first_of[] = {
    [FN_OPER] = 0,
    [FN_ITEM] = OPERATORS,
    [FN_ITEM_YN] = OPERATORS + ITEMS,
    [FN_COND] = OPERATORS + ITEMS + ITEMS_YN,
    [FN_COND + 1] = ROWS,
};

const struct fn *
fn_find(enum fn_kind kind, struct str name)
{
    size_t low = first_of[kind];
    size_t high = first_of[kind + 1];
    if (name.n == 0)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct fn *row = &rows[middle];
        int c = (unsigned char)name.p[0] - (unsigned char)row->name.p[0];
        if (c == 0)
            c = str_cmp(name, row->name);
        if (c == 0)
            return row;
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
