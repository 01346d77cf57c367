/* What a router remembers for the address before it runs: set ($r_...) and address_data. */
#include "engine/route_step.h"

#include "base/map.h"
#include "base/strlist.h"

#include <stdio.h>

/* A copy: what a parent or a clone sees must not change. */
static struct map *
copy_vars(struct arena *a, const struct map *from)
{
    struct map *to = map_new(a, MAP_CASEFUL);
    for (size_t i = 0; from != NULL && i < map_count(from); i++)
        map_set(to, map_at(from, i)->key, map_at(from, i)->value);
    return to;
}

static void
remember(struct route_step *s, struct str name, struct str value)
{
    struct arena *a = s->r->arena;
    struct str *kept = ARENA_NEW(a, struct str);
    *kept = value;
    s->a->router_vars = copy_vars(a, s->a->router_vars);
    map_set(s->a->router_vars, name, kept);
    s->eval->router_vars = s->a->router_vars;
}

static enum outcome
set_one(struct route_step *s, struct str item)
{
    size_t eq = str_chr(item, '=', 0);
    struct str name = str_trim(str_sub(item, 0, eq == STR_NPOS ? item.n : eq));
    struct str text = eq == STR_NPOS ? STR_EMPTY : str_trim(str_sub(item, eq + 1, item.n));
    struct str value;
    if (!str_starts(name, "r_")) {
        struct str fault =
            str_printf(s->r->arena, "bad router variable name '%.*s' in router '%.*s'",
                       STR_ARG(name), STR_ARG(s->router->name));
        route_panic(s, fault);
        return route_say(s, OUT_DEFER, "%.*s", STR_ARG(fault));
    }
    switch (route_expand(s, text, &value)) {
    case VM_OK:
        remember(s, str_sub(name, 2, name.n), value);
        return OUT_OK;
    case VM_FORCED:
        return OUT_DECLINE;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    return route_say(s, OUT_DEFER, "expansion of \"%.*s\" failed in %.*s router: %.*s",
                     STR_ARG(text), STR_ARG(s->router->name), STR_ARG(vm_error(s->vm)));
}

static enum outcome
set_vars(struct route_step *s)
{
    struct strlist_split split = strlist_split_start(s->g->set.text, ';');
    struct str item;
    enum outcome o = OUT_OK;
    while (o == OUT_OK && strlist_split_next(&split, s->r->arena, &item)) {
        if (item.n > 0)
            o = set_one(s, item);
    }
    return o;
}

static enum outcome
set_address_data(struct route_step *s)
{
    struct str value, text = s->g->address_data.text;
    switch (route_expand(s, text, &value)) {
    case VM_OK:
        s->a->address_data = value;
        return OUT_OK;
    case VM_FORCED:
        return OUT_DECLINE;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    return route_say(s, OUT_DEFER, "expansion of \"%.*s\" failed in %.*s router: %.*s",
                     STR_ARG(text), STR_ARG(s->router->name), STR_ARG(vm_error(s->vm)));
}

enum outcome
route_data(struct route_step *s)
{
    enum outcome o = OUT_OK;
    if (route_has(&s->g->set))
        o = set_vars(s);
    if (o == OUT_OK && route_has(&s->g->address_data))
        o = set_address_data(s);
    return o;
}
