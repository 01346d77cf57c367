/* Checks strings; see check.h. The option tables say which options are expanded. */
#include "proc/check.h"

#include "acl/acl.h"
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "engine/retry.h"
#include "engine/rewrite.h"

struct checking {
    struct arena *arena;
    struct vm *vm;
    struct diags *diags;
};

/* A fault of a string that the program may never get to is a warning. */
static void
add_warnings(struct checking *k, const struct diags *found, struct span where)
{
    for (size_t i = 0; i < diags_total(found); i++) {
        struct diag d = *diags_at(found, i);
        if (d.level == DIAG_ERROR)
            d.level = DIAG_WARNING;
        if (d.at.source == NULL)
            d.at = where;
        diags_add(k->diags, &d);
    }
}

static void
check_text(struct checking *k, struct str text, const struct textmap *map, struct span where)
{
    if (!str_is_set(text) || expand_is_literal(text))
        return;
    struct arena_mark mark = arena_mark(k->arena);
    struct diags *found = diags_new(k->arena, 0);
    expand_compile(k->arena, k->vm, text, map, found);
    add_warnings(k, found, where);
    arena_reset(k->arena, mark);
}

/* The text that an option has when it is expanded at use; NULL when it is not. */
static const struct xstr *
expandable(const struct opt *o, const void *field)
{
    switch (o->type) {
    case OPT_T_XSTR:
    case OPT_T_DOMAINS:
    case OPT_T_HOSTS:
    case OPT_T_ADDRESSES:
    case OPT_T_LOCALPARTS:
        return field;
    case OPT_T_XUID:
    case OPT_T_XGID:
        return &((const struct opt_id *)field)->text;
    case OPT_T_XBOOL:
        return &((const struct opt_xbool *)field)->text;
    case OPT_T_XTIME:
        return &((const struct opt_xtime *)field)->text;
    case OPT_T_BOOL:
    case OPT_T_BOOL_VERIFY:
    case OPT_T_INT:
    case OPT_T_SIZE:
    case OPT_T_KSIZE:
    case OPT_T_OCTAL:
    case OPT_T_FIXED:
    case OPT_T_TIME:
    case OPT_T_TIME_LIST:
    case OPT_T_STR:
    case OPT_T_LIST:
    case OPT_T_UID:
    case OPT_T_GID:
    case OPT_T_UIDS:
    case OPT_T_GIDS:
    case OPT_T_REWRITE:
    case OPT_T_FUNCTION:
        break;
    }
    return NULL;
}

static void
check_set(struct checking *k, const struct opt_set *s)
{
    for (size_t i = 0; i < s->places.n; i++) {
        int row = s->places.v[i].row;
        const struct opt *o = &s->table->rows[row];
        const struct xstr *x = expandable(o, (const char *)s->fields + o->offset);
        if (x != NULL)
            check_text(k, x->text, x->map, s->places.v[i].at);
    }
}

static void
check_instances(struct checking *k, struct driver_instance *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check_set(k, &v[i]->generic);
        check_set(k, &v[i]->own);
    }
}

static void
check_lists(struct checking *k, const struct conf *c)
{
    for (size_t kind = 0; kind < sizeof c->lists / sizeof c->lists[0]; kind++) {
        for (size_t i = 0; c->lists[kind] != NULL && i < map_count(c->lists[kind]); i++) {
            const struct named_list *l = map_at(c->lists[kind], i)->value;
            check_text(k, l->text.text, l->text.map, l->where);
        }
    }
}

static void
check_acls(struct checking *k, const struct acl_set *set)
{
    for (size_t i = 0; set != NULL && i < map_count(set->by_name); i++) {
        const struct acl *acl = map_at(set->by_name, i)->value;
        for (size_t s = 0; s < acl->statements.n; s++) {
            const struct acl_statement *st = &acl->statements.v[s];
            for (size_t m = 0; m < st->items.n; m++)
                check_text(k, st->items.v[m].arg.text, st->items.v[m].arg.map,
                           st->items.v[m].where);
        }
    }
}

static void
check_rules(struct checking *k, const struct conf *c)
{
    const struct retry_rules *retry = c->retry;
    const struct rewrite_rules *rewrite = c->rewrite;
    for (size_t i = 0; retry != NULL && i < retry->v.n; i++) {
        check_text(k, retry->v.v[i].pattern, NULL, retry->v.v[i].where);
        check_text(k, retry->v.v[i].senders, NULL, retry->v.v[i].where);
    }
    for (size_t i = 0; rewrite != NULL && i < rewrite->v.n; i++) {
        check_text(k, rewrite->v.v[i].pattern, NULL, rewrite->v.v[i].where);
        check_text(k, rewrite->v.v[i].replacement, NULL, rewrite->v.v[i].where);
    }
}

void
check_strings(const struct conf *c, struct vm *vm, struct diags *diags)
{
    struct checking k = {.arena = arena_new(), .vm = vm, .diags = diags};
    check_set(&k, &c->main_set);
    check_lists(&k, c);
    check_acls(&k, c->acls);
    check_instances(&k, c->routers.v, c->routers.n);
    check_instances(&k, c->transports.v, c->transports.n);
    check_instances(&k, c->auths.v, c->auths.n);
    check_rules(&k, c);
    arena_free(k.arena);
}
