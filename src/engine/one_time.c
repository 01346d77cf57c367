/* one_time; see one_time.h. */
#include "engine/one_time.h"

#include "conf/conf.h"
#include "engine/route.h"
#include "routers/redirect.h"

static bool
is_one_time(const struct address *a)
{
    if (a->router == NULL || a->router->driver != &router_redirect.base)
        return false;
    const struct router_redirect *own = a->router->own.fields;
    return own->one_time;
}

/* The address nearest to the envelope that a one_time router generated on the way to a; NULL: there is none. */
static struct address *
first_generated(struct address *a)
{
    struct address *found = NULL;
    for (struct address *p = a; p->parent != NULL; p = p->parent)
        if (p->item == ADDRESS_ITEM_MAIL && is_one_time(p->parent))
            found = p;
    return found;
}

static bool
is_recipient(const struct delivery *d, struct str text)
{
    for (size_t i = 0; i < d->header.recipients.n; i++)
        if (str_eq(d->header.recipients.v[i].address, text))
            return true;
    return false;
}

bool
one_time_keep(struct delivery *d)
{
    bool changed = false;
    for (size_t i = 0; i < d->deferred.n; i++) {
        struct address *a = first_generated(d->deferred.v[i]);
        if (a == NULL)
            continue;
        if (!is_recipient(d, a->text))
            vec_push(d->arena, &d->header.recipients,
                     ((struct spool_recipient){
                         .address = a->text,
                         .errors_to = str_is_set(a->errors_to) ? a->errors_to : STR_NULL,
                         .orcpt = a->orcpt,
                         .dsn_flags = a->dsn_flags,
                         .parent = (int64_t)a->recipient,
                     }));
        (void)spool_tree_add(d->arena, &d->header.done, a->parent->key);
        changed = true;
    }
    return changed;
}
