/* Are two code objects the same in all that running and describing them depends on? For tests of sharing. */
#ifndef REMEX_TEST_FILTER_CODE_SAME_H
#define REMEX_TEST_FILTER_CODE_SAME_H

#include "filter/code.h"

#include <string.h>

static inline bool
code_same_str(struct str a, struct str b)
{
    return a.taint == b.taint && str_eq(a, b);
}

static inline bool
code_same_range(const struct code_range *a, const struct code_range *b)
{
    return a->from == b->from && a->to == b->to && strcmp(a->before, b->before) == 0 &&
           code_same_str(a->name, b->name) && strcmp(a->after, b->after) == 0 &&
           a->replaces == b->replaces;
}

static inline bool
code_same(const struct code *a, const struct code *b)
{
    if (a->n != b->n || a->consts_n != b->consts_n || a->ranges_n != b->ranges_n ||
        a->stack != b->stack || a->host != b->host || a->closed != b->closed ||
        a->steady != b->steady || a->condition != b->condition || a->literals != b->literals)
        return false;
    for (uint32_t i = 0; i < a->consts_n; i++) {
        if (!code_same_str(a->consts[i], b->consts[i]))
            return false;
    }
    for (uint32_t i = 0; i < a->ranges_n; i++) {
        if (!code_same_range(&a->ranges[i], &b->ranges[i]))
            return false;
    }
    return code_same_str(a->text, b->text) &&
           memcmp(a->ins, b->ins, a->n * sizeof *a->ins) == 0 &&
           memcmp(a->offsets, b->offsets, a->n * sizeof *a->offsets) == 0;
}

#endif
