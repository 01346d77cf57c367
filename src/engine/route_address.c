/* Addresses that are to be routed: made from the envelope, made from others, told apart. See route.h. */
#include "engine/route.h"

#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/rewrite.h"
#include "mail/address.h"

/* Parts of a whole address; both tainted. */
static void
set_parts(struct arena *arena, struct address *a)
{
    struct str local_part, domain;
    address_split(a->text, &local_part, &domain);
    a->local_part = str_tainted(address_unquote_local_part(arena, local_part));
    a->domain = str_tainted(domain.n > 0 ? str_lower(arena, domain) : STR_EMPTY);
}

/* The address with its domain in lower case. */
static struct str
normal(struct arena *a, struct str text)
{
    struct str local_part, domain;
    address_split(text, &local_part, &domain);
    if (domain.n == 0 || !str_has_upper(domain))
        return text;
    struct str front = str_sub(text, 0, text.n - domain.n);
    return str_cat(a, front, str_lower(a, domain));
}

struct address *
route_envelope_address(struct arena *arena, struct str text, size_t recipient)
{
    struct address *a = ARENA_NEW(arena, struct address);
    a->arena = arena;
    a->local_uid = a->local_gid = -1;
    a->mode = -1;
    a->text = str_tainted(str_dup(arena, text));
    a->key = normal(arena, a->text);
    a->recipient = recipient;
    set_parts(arena, a);
    return a;
}

static unsigned
parse_flags(const struct conf_main *c)
{
    return (c->allow_domain_literals ? ADDRESS_LITERAL : 0) |
           (c->allow_utf8_domains ? ADDRESS_UTF8_DOMAIN : 0) |
           (c->strip_excess_angle_brackets ? ADDRESS_STRIP_ANGLES : 0) |
           (c->strip_trailing_dot ? ADDRESS_STRIP_DOT : 0);
}

bool
route_parse_address(struct arena *arena, const struct engine *e, struct str text,
                    struct str domain, struct address **out, struct str *fault)
{
    struct address_parts p;
    const struct conf_main *c = e->conf->main;
    enum address_status st = address_parse(arena, text, parse_flags(c), &p);
    if (st != ADDRESS_OK) {
        *fault = st == ADDRESS_EMPTY ? STR_LIT("empty address") : p.error;
        return false;
    }
    *out = route_envelope_address(arena, address_qualify(arena, p.text, domain), 0);
    return true;
}

bool
route_new_address(struct arena *arena, const struct engine *e, struct str text,
                  struct address **out, struct str *fault)
{
    return route_parse_address(arena, e, text, e->conf->main->qualify_recipient, out, fault);
}

struct str
route_rewrite(const struct engine *e, struct arena *a, unsigned place, struct str text)
{
    const struct rewriting w = {.rules = e->conf->rewrite, .eval = e->eval, .vm = e->vm};
    struct str out;
    if (w.rules == NULL || (w.rules->flags & place) == 0 ||
        !rewrite_item(&w, a, place, text, &out))
        return text;
    return str_tainted(str_dup(a, out));
}

void
address_vec_push(struct arena *a, struct address_vec *v, struct address *one)
{
    vec_push(a, v, one);
}

bool
address_vec_has(const struct address_vec *v, struct str key)
{
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->v[i]->key, key))
            return true;
    return false;
}

/* --- children --- */

/* One more than the nearest ancestor with the same text has; 0 when there is none. */
static unsigned
homonym(const struct address *a)
{
    for (const struct address *up = a->parent; up != NULL; up = up->parent)
        if (str_ieq(up->text, a->text))
            return up->homonym + 1;
    return 0;
}

static void
set_key(struct address *child)
{
    if (child->item != ADDRESS_ITEM_MAIL) {
        /* Two parents may have the same pipe: it is not the same delivery. */
        struct str colon = str_cat(child->arena, child->text, STR_LIT(":"));
        child->key = str_cat(child->arena, colon, normal(child->arena, child->parent->text));
        return;
    }
    child->key = normal(child->arena, child->text);
    child->homonym = homonym(child);
    if (child->homonym == 0)
        return;
    struct str number = str_printf(child->arena, "\\%u\\", child->homonym - 1);
    child->key = str_cat(child->arena, number, child->key);
}

bool
route_is_copy(const struct address *one)
{
    const struct address *parent = one->parent;
    return parent != NULL && one->router != NULL && one->router == parent->router &&
           one->text.p == parent->text.p;
}

struct str
route_done_key(struct arena *a, const struct address *one)
{
    if (one->homonym == 0 || one->transport == NULL || one->item != ADDRESS_ITEM_MAIL)
        return one->key;
    struct str text = str_cat(a, normal(a, one->text), STR_LIT("/"));
    return str_cat(a, text, one->transport->name);
}

static void
inherit(const struct address *parent, struct address *child)
{
    child->recipient = parent->recipient;
    child->orcpt = parent->orcpt;
    child->dsn_flags = parent->dsn_flags;
    child->router_vars = parent->router_vars;
    child->address_data = parent->address_data;
    child->self_hostname = parent->self_hostname;
    child->headers_add = parent->headers_add;
    child->headers_remove = parent->headers_remove;
    child->ignore_error = child->ignore_error || parent->ignore_error;
    child->disable_logging = parent->disable_logging;
    if (!str_is_set(child->errors_to))
        child->errors_to = parent->errors_to;
    child->original_local_part = parent->original_local_part;
    child->original_domain = parent->original_domain;
    child->parent_local_part = parent->local_part;
    child->parent_domain = parent->domain;
}

void
route_adopt(struct address *parent, struct address *child)
{
    child->parent = parent;
    child->depth = parent->depth + 1;
    if (child->arena == NULL)
        child->arena = parent->arena;
    parent->children++;
    inherit(parent, child);
    if (child->item == ADDRESS_ITEM_MAIL) {
        child->text = str_tainted(child->text);
        set_parts(child->arena, child);
    } else {
        /* $local_part and $domain of a file or pipe are those of who was redirected. */
        child->local_part = parent->local_part;
        child->domain = parent->domain;
        child->local_part_data = parent->local_part_data;
        child->domain_data = parent->domain_data;
        child->prefix = parent->prefix;
        child->prefix_v = parent->prefix_v;
        child->suffix = parent->suffix;
        child->suffix_v = parent->suffix_v;
    }
    set_key(child);
}
