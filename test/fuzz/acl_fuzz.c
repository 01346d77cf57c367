/* ACLs without a name: any text gives a model or errors, never both, and each item is a part of
 * the text that was given. */
#include "acl/acl.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_item(const struct acl_item *item, size_t size)
{
    if (item->word >= ACL_WORDS || item->arg.text.n > size)
        abort();
    if ((item->word == ACL_MOD_SET) != str_is_set(item->variable))
        abort();
    if ((item->word == ACL_MOD_ENDPASS) == str_is_set(item->arg.text))
        abort();
    if (item->negated && acl_word_row(item->word)->modifier)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct diags *diags = diags_new(a, 0);
    struct textmap_run run = {.line = 1, .col = 1};
    struct source source = {.name = STR_INIT("fuzz")};
    struct textmap map = {.source = &source, .runs = &run, .n = 1};
    const struct acl *acl = acl_parse_text(a, str_from((const char *)data, size), &map, diags);
    if ((acl == NULL) != (diags_total(diags) > 0))
        abort();
    for (size_t i = 0; acl != NULL && i < acl->statements.n; i++)
        for (size_t k = 0; k < acl->statements.v[i].items.n; k++)
            check_item(&acl->statements.v[i].items.v[k], size);
    arena_free(a);
    return 0;
}
