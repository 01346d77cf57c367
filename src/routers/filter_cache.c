/* Compiled filters by what they were made from; see filter_cache.h. */
#include "routers/filter_cache.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

struct filter_cache {
    struct arena *own; /* programs and texts */
    struct map *programs;
    size_t n, compiled;
};

static void
end(void *ctx)
{
    struct filter_cache *c = ctx;
    arena_free(c->own);
}

static void
clear(struct filter_cache *c)
{
    arena_clear(c->own);
    c->programs = map_new(c->own, MAP_CASEFUL);
    c->n = 0;
}

struct filter_cache *
filter_cache_new(struct arena *a)
{
    struct filter_cache *c = ARENA_NEW(a, struct filter_cache);
    c->own = arena_new();
    arena_on_free(a, end, c);
    clear(c);
    return c;
}

/* The name is part of it since it stands in messages. */
static struct str
make_key(struct arena *a, struct str name, struct str text, unsigned flags)
{
    struct buf b = buf_in(a, 0);
    buf_printf(&b, "%u %.*s ", flags, STR_ARG(name));
    buf_adds(&b, text);
    return buf_str(&b);
}

const struct filter_program *
filter_cache_compile(struct filter_cache *c, struct vm *vm, struct str name, struct str text,
                     unsigned flags)
{
    struct str key = make_key(vm_scratch(vm), name, text, flags);
    const struct filter_program *p = map_get(c->programs, key);
    if (p != NULL)
        return p;
    if (c->n == FILTER_CACHE_MAX || arena_used(c->own) > FILTER_CACHE_BYTES)
        clear(c);
    p = filter_compile(c->own, vm, str_dup(c->own, name), str_dup(c->own, text), flags);
    map_set(c->programs, str_dup(c->own, key), (void *)(uintptr_t)p);
    c->n++;
    c->compiled++;
    return p;
}

size_t
filter_cache_compiled(const struct filter_cache *c)
{
    return c->compiled;
}
