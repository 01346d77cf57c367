/* Fuzz target: any text as a string list. The count is the number of items, and items that are joined again
 * with strlist_append come back unchanged. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16384 };

/* The items of a list, written as a list with colons. A last item "x" keeps an empty one before it from being
 * lost, as Exim loses it. */
static size_t
joined(struct arena *a, struct str list, struct buf *out)
{
    struct strlist_split s = strlist_split_start(list, ':');
    struct str item;
    size_t n = 0;
    while (strlist_split_next(&s, a, &item)) {
        if (item.n > list.n)
            abort();
        strlist_append(out, item, ':', n++ == 0);
    }
    strlist_append(out, STR_LIT("x"), ':', n == 0);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct str text = str_from((const char *)data, size);
    struct buf once = buf_in(a, 0);
    struct buf twice = buf_in(a, 0);
    if (joined(a, text, &once) != strlist_count(text, ':'))
        abort();
    /* a first item that begins with '<' is read as a change of separator: Exim's rule has no way round it */
    struct str all = buf_str(&once);
    if (all.p[0] != '<') {
        size_t n = joined(a, all, &twice);
        if (n != strlist_count(text, ':') + 1)
            abort();
        struct str again = buf_str(&twice);
        if (again.n != all.n + 2 || !str_eq(str_sub(again, 0, all.n), all))
            abort();
    }
    arena_free(a);
    return 0;
}
