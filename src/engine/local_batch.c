/* Which addresses one local delivery takes together. Source: specification, chapter "Address batching in local transports". */
#include "engine/local_delivery.h"
#include "transports/transport.h"

size_t
local_delivery_batch_max(const struct driver_instance *transport)
{
    int64_t max = transport_own_number(transport, "batch_max");
    if (max <= 1 || transport_uses(transport, "local_part"))
        return 1;
    return (size_t)max;
}

/* The same, where unset and empty differ. */
static bool
same(struct str a, struct str b)
{
    return str_is_set(a) == str_is_set(b) && str_eq(a, b);
}

static bool
same_place(const struct address *a, const struct address *b)
{
    return a->local_uid == b->local_uid && a->local_gid == b->local_gid &&
           a->identity_set == b->identity_set && a->initgroups == b->initgroups &&
           same(a->home, b->home) && same(a->current_directory, b->current_directory);
}

static bool
same_host(const struct address *a, const struct address *b)
{
    if (a->hosts.n == 0 || b->hosts.n == 0)
        return a->hosts.n == b->hosts.n;
    return str_ieq(a->hosts.v[0].name, b->hosts.v[0].name);
}

static bool
same_delivery(const struct address *a, const struct address *b)
{
    if (a->item != b->item || a->item == ADDRESS_ITEM_REPLY)
        return false;
    if (a->item != ADDRESS_ITEM_MAIL && (!str_eq(a->text, b->text) || a->mode != b->mode))
        return false;
    return same(a->errors_to, b->errors_to) && same(a->headers_add, b->headers_add) &&
           same(a->headers_remove, b->headers_remove);
}

/* batch_id of one address; false when it does not expand. */
static bool
batch_id(struct delivery *d, const struct address *a, const struct xstr *option,
         struct str *out)
{
    struct eval *e = d->engine->eval;
    struct address *outer = e->address, view = *a;
    struct map *vars = e->router_vars;
    e->address = &view;
    e->router_vars = a->router_vars;
    bool ok = vm_expand_x(d->engine->vm, option, out) == VM_OK;
    if (ok)
        *out = str_dup(d->arena, *out);
    e->address = outer;
    e->router_vars = vars;
    return ok;
}

static bool
same_batch_id(struct delivery *d, const struct address *a, const struct address *b)
{
    struct xstr option = transport_own_text(a->transport, "batch_id");
    struct str of_a, of_b;
    if (!str_is_set(option.text))
        return true;
    return batch_id(d, a, &option, &of_a) && batch_id(d, b, &option, &of_b) &&
           str_eq(of_a, of_b);
}

bool
local_delivery_batches(struct delivery *d, const struct address *a, const struct address *b)
{
    if (a->transport != b->transport || local_delivery_batch_max(a->transport) <= 1)
        return false;
    if (transport_uses(a->transport, "domain") && !str_ieq(a->domain, b->domain))
        return false;
    return same_delivery(a, b) && same_place(a, b) && same_host(a, b) && same_batch_id(d, a, b);
}
