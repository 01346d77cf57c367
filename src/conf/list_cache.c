/* The cache of compiled lists: by text, by address of a text, and of files.
 *
 * For one thread. When it is full it starts afresh as a whole, but only between matches, since items point
 * at lists. A text is found by a fingerprint of a few bytes of it and then compared whole, so that a long
 * list that comes expanded each time costs a comparison, not a hash over all of it.
 */
#include "base/map.h"
#include "conf/list_state.h"

#include <string.h>

enum {
    PRINT_HEAD = 48, /* bytes of the start, of the end, and from in between */
    PRINT_MAX = 3 * PRINT_HEAD + 4,
};

static void
free_files(struct list_cache *c)
{
    for (size_t kind = 0; kind < 4; kind++)
        for (size_t i = 0; c->files[kind] != NULL && i < map_count(c->files[kind]); i++) {
            struct list_file *f = map_at(c->files[kind], i)->value;
            arena_free(f->arena);
        }
}

static void
free_cache(void *ctx)
{
    struct list_cache *c = ctx;
    free_files(c);
    arena_free(c->arena);
    arena_free(c->short_);
    arena_free(c->local_arena);
}

struct list_cache *
list_cache_new(struct arena *a)
{
    struct list_cache *c = ARENA_NEW(a, struct list_cache);
    c->arena = arena_new();
    c->short_ = arena_new();
    c->local_arena = arena_new();
    arena_on_free(a, free_cache, c);
    return c;
}

void
list_cache_forget(struct list_cache *c)
{
    c->results = NULL;
    arena_clear(c->short_);
}

void
list_cache_grown(struct list_cache *c)
{
    c->full = arena_used(c->arena) + c->file_bytes > LIST_CACHE_MAX;
}

static void
start_afresh(struct list_cache *c)
{
    free_files(c);
    for (size_t kind = 0; kind < 4; kind++) {
        c->texts[kind] = NULL;
        c->last[kind] = NULL;
        c->fixed[kind] = NULL;
        c->files[kind] = NULL;
    }
    c->local = NULL;
    c->file_bytes = 0;
    c->full = false;
    arena_clear(c->arena);
    list_cache_forget(c);
}

void
list_cache_enter(struct list_run *r)
{
    struct list_cache *c = r->cache;
    if (c == NULL)
        return;
    if (c->depth == 0 && (c->conf != r->e->conf || c->full))
        start_afresh(c);
    c->conf = r->e->conf;
    r->depth = c->depth;
    c->depth++;
}

void
list_cache_leave(struct list_run *r)
{
    if (r->cache != NULL)
        r->cache->depth--;
}

/* The text itself when it is short, else a few bytes of it in room. */
static struct str
fingerprint(struct str text, char *room)
{
    if (text.n <= PRINT_MAX)
        return text;
    uint32_t n = text.n;
    size_t step = text.n / PRINT_HEAD;
    memcpy(room, text.p, PRINT_HEAD);
    memcpy(room + PRINT_HEAD, text.p + text.n - PRINT_HEAD, PRINT_HEAD);
    for (size_t i = 0; i < PRINT_HEAD; i++)
        room[2 * (size_t)PRINT_HEAD + i] = text.p[i * step];
    memcpy(room + 3 * (size_t)PRINT_HEAD, &n, sizeof n);
    return str_from(room, PRINT_MAX);
}

static struct map *
ensure(struct list_cache *c, struct map **m)
{
    if (*m == NULL)
        *m = map_new(c->arena, MAP_CASEFUL);
    return *m;
}

static const struct list *
add(struct list_cache *c, enum list_kind kind, struct str text, struct str print,
    struct list *similar)
{
    text = str_dup(c->arena, text);
    struct list *l = list_compile(c->arena, kind, text);
    l->kept = true;
    l->text = text;
    l->similar = similar;
    map_set(ensure(c, &c->texts[kind]), str_dup(c->arena, print), l);
    list_cache_grown(c);
    return l;
}

const struct list *
list_for_text(struct list_run *r, enum list_kind kind, struct str text)
{
    struct list_cache *c = r->cache;
    if (c == NULL || str_is_tainted(text) || text.n > LIST_TEXT_MAX)
        return list_compile(vm_scratch(r->vm), kind, text);
    const struct list *last = c->last[kind];
    if (last != NULL && text.n <= PRINT_MAX && str_eq(last->text, text))
        return last;
    char room[PRINT_MAX];
    struct str print = fingerprint(text, room);
    struct list *first = c->texts[kind] == NULL ? NULL : map_get(c->texts[kind], print);
    for (const struct list *l = first; l != NULL; l = l->similar)
        if (str_eq(l->text, text))
            return c->last[kind] = l;
    if (c->full)
        return list_compile(vm_scratch(r->vm), kind, text);
    return add(c, kind, text, print, first);
}

const struct list *
list_for_question(struct list_run *r, const struct list_question *q)
{
    struct list_cache *c = r->cache;
    if (c == NULL || !q->fixed_text)
        return list_for_text(r, q->kind, q->list);
    struct str key = str_from((const char *)&q->list.p, sizeof q->list.p);
    const struct list *l = c->fixed[q->kind] == NULL ? NULL : map_get(c->fixed[q->kind], key);
    if (l != NULL && l->text.n == q->list.n)
        return l;
    l = list_for_text(r, q->kind, q->list);
    if (l->kept)
        map_set(ensure(c, &c->fixed[q->kind]), str_dup(c->arena, key), (void *)(uintptr_t)l);
    return l;
}
