/* The text of a named list, for ${listnamed:}. */
#include "conf/list_state.h"

#include "base/buf.h"
#include "base/map.h"

static const struct {
    char letter;
    enum list_kind kind;
    const char *what;
} types[] = {
    {'a', LIST_ADDRESS, "address "},
    {'d', LIST_DOMAIN, "domain "},
    {'h', LIST_HOST, "host "},
    {'l', LIST_LOCALPART, "localpart "},
};

enum { TYPES = sizeof types / sizeof *types };

struct named {
    struct vm *vm;
    const struct conf *conf;
    struct buf *out;
    char type; /* as asked for */
    bool started;
    unsigned depth;
};

static const struct named_list *
find(const struct conf *c, struct str name, char type, size_t *kind)
{
    for (size_t i = 0; c != NULL && i < TYPES; i++) {
        if (type != 0 && types[i].letter != type)
            continue;
        const struct map *m = c->lists[types[i].kind];
        const struct named_list *nl = m == NULL ? NULL : map_get(m, name);
        *kind = i;
        if (nl != NULL)
            return nl;
    }
    return NULL;
}

static enum vm_status
not_named(struct vm *vm, struct str name, char type)
{
    const char *what = "";
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].letter == type)
            what = types[i].what;
    return vm_fail(vm, "\"%.*s\" is not a %snamed list", STR_ARG(name), what);
}

/* +caseful and the like are no lists. */
static bool
is_option(struct str item)
{
    return str_eqz(item, "+caseful") || str_starts(item, "+include_") ||
           str_starts(item, "+ignore_");
}

static void
add_item(struct named *n, struct str item)
{
    if (n->started)
        buf_addz(n->out, " : ");
    n->started = true;
    strlist_append(n->out, item, ':', true);
}

static enum vm_status
add_list(struct named *n, struct str name, char type)
{
    if (n->depth >= LIST_DEPTH_MAX)
        return vm_fail(n->vm, "too many lists within lists (more than %d)",
                       (int)LIST_DEPTH_MAX);
    size_t kind = 0;
    const struct named_list *nl = find(n->conf, name, type, &kind);
    if (nl == NULL)
        return not_named(n->vm, name, n->type);
    n->depth++;
    struct strlist_split split = strlist_split_start(nl->text.text, ':');
    struct str item;
    enum vm_status st = VM_OK;
    while (st == VM_OK && strlist_split_next(&split, vm_scratch(n->vm), &item)) {
        if (item.n > 0 && item.p[0] == '+' && !is_option(item))
            st = add_list(n, str_sub(item, 1, item.n), types[kind].letter);
        else
            add_item(n, item);
    }
    n->depth--;
    return st;
}

enum vm_status
list_host_named(void *env, struct vm *vm, struct str name, char type, struct str *out)
{
    struct eval *e = env;
    struct buf b = buf_in(vm_scratch(vm), 0);
    struct named n = {.vm = vm, .conf = e->conf, .out = &b, .type = type};
    enum vm_status st = add_list(&n, name, type);
    *out = buf_str(&b);
    return st;
}
