/* Header blocks: every line that is read obeys the rules of a line, every view stays within its
 * cap, and a block that is written out reads back the same. */
#include "mail/header.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const struct header *h)
{
    if (h->text.n < 2 || h->text.p[h->text.n - 1] != '\n' || str_has_nul(h->text) ||
        str_chr(h->text, '\r', 0) != STR_NPOS)
        abort();
    for (size_t i = 0; (i = str_chr(h->text, '\n', i)) != STR_NPOS; i++)
        if (i + 1 < h->text.n && h->text.p[i + 1] != ' ' && h->text.p[i + 1] != '\t')
            abort();
}

static void
check_views(struct arena *a, const struct header_list *l, const struct header *h)
{
    struct str out;
    struct str name = header_name(h);
    for (int view = HEADER_VIEW_COOKED; view <= HEADER_VIEW_LIST; view++) {
        struct arena_mark mark = arena_mark(a);
        (void)header_list_text(a, l, name, (enum header_view)view, NULL, 0, &out);
        if (out.n > HEADER_TEXT_MAX + 1)
            abort();
        arena_reset(a, mark);
    }
    (void)header_unfold(a, header_body(h));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct header_list l = {0};
    struct header_list back = {0};
    if (header_list_read(a, &l, str_tainted(str_from((const char *)data, size))) > size)
        abort();
    for (size_t i = 0; i < l.n; i++)
        check_line(&l.v[i]);
    for (size_t i = 0; i < l.n && i < 4; i++)
        check_views(a, &l, &l.v[i]);
    struct str all = header_list_all(a, &l, HEADER_VIEW_RAW, 0);
    if (all.n < HEADER_TEXT_MAX) {
        (void)header_list_read(a, &back, all);
        if (back.n != l.n || !str_eq(header_list_all(a, &back, HEADER_VIEW_RAW, 0), all))
            abort();
    }
    arena_free(a);
    return 0;
}
