/* Addresses and lists of them: whatever is read is whole, within its cap, and reads back as
 * itself. */
#include "mail/address.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Flags that decide how a result of any flags reads back. */
enum { BACK_FLAGS = ADDRESS_LITERAL | ADDRESS_UTF8_DOMAIN };

static void
check(struct arena *a, const struct address_parts *p, size_t size)
{
    struct address_parts back;
    struct str local_part;
    struct str domain;
    if (p->start > p->end || p->end > size || p->text.n > ADDRESS_MAX)
        abort();
    if (p->text.n == 0)
        return;
    if (address_parse(a, p->text, BACK_FLAGS, &back) != ADDRESS_OK ||
        !str_eq(back.text, p->text) || back.domain != p->domain)
        abort();
    address_split(p->text, &local_part, &domain);
    if (str_is_set(domain) != (p->domain != 0) ||
        (p->domain != 0 && local_part.n + 1 != p->domain))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct str s = str_tainted(str_from((const char *)data + 1, size - 1));
    struct address_list l = address_list_start(s, data[0] & ~(unsigned)ADDRESS_IN_GROUP);
    enum address_status st;
    struct address_parts p;
    struct arena_mark mark = arena_mark(a);
    for (; address_list_next(&l, a, &st, &p, NULL); arena_reset(a, mark)) {
        if (st == ADDRESS_OK)
            check(a, &p, s.n);
        else if (p.error.n == 0)
            abort();
    }
    struct buf b = buf_in(a, 0);
    address_add_all(&b, s, ':');
    struct str quoted = address_quote_local_part(a, str_sub(s, 0, 64));
    if (quoted.n < 2 && s.n == 0)
        abort();
    arena_free(a);
    return 0;
}
