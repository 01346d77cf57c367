/* The records of a redirection, as a process that is a user may send them: whatever reads is within its bounds and is written
 * back as what was read. */
#include "routers/redirect_result.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct redirect_result *r)
{
    if (r->end >= REDIRECT_ENDS || r->children.n > REDIRECT_CHILDREN_MAX)
        abort();
    for (size_t i = 0; i < r->children.n; i++) {
        const struct redirect_child *c = &r->children.v[i];
        if (!str_is_set(c->text) || c->mode < -1 || c->mode > 07777)
            abort();
        if ((c->item == ADDRESS_ITEM_REPLY) != (c->reply != NULL))
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redirect_result r, again;
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    if (redirect_result_read(a, str_from((const char *)data, size), &r)) {
        struct buf b = buf_in(a, REDIRECT_BYTES_MAX);
        check(&r);
        redirect_result_write(&b, &r);
        if (!redirect_result_read(a, buf_str(&b), &again) || again.children.n != r.children.n)
            abort();
    }
    arena_free(a);
    return 0;
}
