/* Lines that a signature covers; see dkim_headers.h. */
#include "mail/dkim_headers.h"

#include "base/arena.h"
#include "base/map.h"

#include <string.h>

/* Lines of one name. */
struct name {
    size_t index; /* of the walk's cursor */
    size_t last;  /* 1 + index of its lowest line */
};

struct dkim_headers {
    struct str *lines;
    size_t *above; /* 1 + index of the next higher line of the same name; 0: none */
    struct map *names;
};

struct dkim_walk {
    const struct dkim_headers *headers;
    size_t *next; /* of each name: 1 + index of the line that is taken next; 0: none */
};

struct dkim_headers *
dkim_headers_new(struct arena *a, const struct header_list *l, enum dkim_lines which)
{
    struct dkim_headers *h = ARENA_NEW(a, struct dkim_headers);
    h->lines = ARENA_ARRAY(a, struct str, l->n + 1);
    h->above = arena_zalloc(a, l->n + 1, sizeof *h->above);
    h->names = map_new(a, MAP_CASELESS);
    for (size_t i = 0; i < l->n; i++) {
        if (which == DKIM_LINES_VISIBLE && l->v[i].type == HEADER_TYPE_DELETED)
            continue;
        h->lines[i] = l->v[i].text;
        struct str name = header_name(&l->v[i]);
        struct name *of = map_get(h->names, name);
        if (of == NULL) {
            of = ARENA_NEW(a, struct name);
            of->index = map_count(h->names);
            of->last = 0;
            map_set(h->names, name, of);
        }
        h->above[i] = of->last;
        of->last = i + 1;
    }
    return h;
}

struct dkim_walk *
dkim_walk_new(struct arena *a, const struct dkim_headers *h)
{
    size_t n = map_count(h->names);
    struct dkim_walk *w = ARENA_NEW(a, struct dkim_walk);
    w->headers = h;
    w->next = arena_zalloc(a, n + 1, sizeof *w->next);
    for (size_t i = 0; i < n; i++) {
        const struct name *of = map_at(h->names, i)->value;
        w->next[of->index] = of->last;
    }
    return w;
}

struct str
dkim_walk_take(struct dkim_walk *w, struct str name)
{
    const struct name *of = map_get(w->headers->names, name);
    if (of == NULL || w->next[of->index] == 0)
        return STR_NULL;
    size_t i = w->next[of->index] - 1;
    w->next[of->index] = w->headers->above[i];
    return w->headers->lines[i];
}
