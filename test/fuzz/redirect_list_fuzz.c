/* Lists of redirection: the cutter always moves on, and addresses that it gives read as addresses. */
#include "mail/redirect_list.h"

#include "base/arena.h"
#include "mail/address.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct arena *a, const struct redirect_item *item, size_t size)
{
    struct address_parts p;
    int code;
    struct str enhanced, rest;
    if (item->kind == REDIRECT_PIPE && (item->text.n == 0 || item->text.p[0] != '|'))
        abort();
    if (item->kind == REDIRECT_FILE && (item->text.n == 0 || item->text.p[0] != '/'))
        abort();
    if (item->kind != REDIRECT_BAD && item->text.n > size)
        abort();
    if (item->kind == REDIRECT_ADDRESS &&
        address_parse(a, item->text, ADDRESS_LITERAL | ADDRESS_UTF8_DOMAIN, &p) != ADDRESS_OK)
        abort();
    if (redirect_text_code(item->text, &code, &enhanced, &rest) &&
        (code > 999 || rest.n > size))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct redirect_list l = redirect_list_start(str_from((const char *)data, size), 0);
    struct redirect_item item;
    for (size_t n = 0; redirect_list_next(&l, a, &item); n++) {
        if (n > size)
            abort();
        check(a, &item, size);
    }
    arena_free(a);
    return 0;
}
