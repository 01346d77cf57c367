/* The structure of MIME messages; see mime_walk.h. */
#include "mail/mime_walk.h"

#include "base/arena.h"
#include "mail/mime_lines.h"

/* A multipart whose delimiters are looked for. */
struct level {
    uint32_t part;
    uint32_t children;
    bool choice; /* mime_is_choice */
    bool digest;
    size_t n;
    char boundary[MIME_BOUNDARY_MAX];
};

struct mime_walk {
    struct arena *arena;
    struct mime_caps caps;
    struct mime_index index;
    struct level **levels; /* caps.depth, made when they are needed */
    size_t depth;
    uint32_t current; /* the part that lines belong to */
    bool in_header;
    struct mime_header header;
    struct arena_mark mark; /* of what the header under way needs */
    struct mime_lines lines;
};

static struct mime_span *
current(struct mime_walk *w)
{
    return &w->index.parts.v[w->current];
}

/* --- headers --- */

static void
start_header(struct mime_walk *w)
{
    w->in_header = true;
    w->mark = arena_mark(w->arena);
    mime_header_start(&w->header, w->arena);
}

/* From now on its delimiters count. */
static void
enter(struct mime_walk *w, const struct mime_part *p)
{
    struct mime_span *span = current(w);
    if (p->boundary.n == 0)
        return;
    if (w->depth == w->caps.depth || p->boundary.n > MIME_BOUNDARY_MAX) {
        span->opaque = true;
        return;
    }
    struct level *l = w->levels[w->depth];
    if (l == NULL)
        w->levels[w->depth] = l = arena_alloc(w->arena, sizeof *l);
    w->depth++;
    l->part = w->current;
    l->children = 0;
    l->choice = mime_is_choice(p);
    l->digest = str_ieqz(p->type, "multipart/digest");
    l->n = p->boundary.n;
    memcpy(l->boundary, p->boundary.p, p->boundary.n);
}

static void
take_header(struct mime_walk *w, const struct mime_part *p, int64_t body)
{
    struct mime_span *span = current(w);
    bool in_digest = w->depth > 0 && w->levels[w->depth - 1]->digest;
    span->body = body;
    span->multipart = mime_is_multipart(p);
    span->message = mime_is_message(p, in_digest);
    if (span->multipart)
        enter(w, p);
}

static void
end_header(struct mime_walk *w, int64_t body)
{
    char boundary[MIME_BOUNDARY_MAX + 1];
    mime_header_end(&w->header);
    struct mime_part p = w->header.part;
    /* What is entered outlives the header's memory. */
    size_t n = p.boundary.n < sizeof boundary ? p.boundary.n : sizeof boundary;
    memcpy(boundary, p.boundary.p, n);
    p.boundary = str_from(boundary, n);
    char type[32];
    size_t type_n = p.type.n < sizeof type ? p.type.n : sizeof type;
    memcpy(type, p.type.p, type_n);
    p.type = str_from(type, type_n);
    arena_reset(w->arena, w->mark);
    w->in_header = false;
    take_header(w, &p, body);
}

/* --- delimiters --- */

static void
add_part(struct mime_walk *w, int64_t at)
{
    struct level *l = w->levels[w->depth - 1];
    if (w->index.parts.n == w->caps.parts) {
        w->index.too_many = true;
        return;
    }
    const struct mime_span span = {
        .header = at,
        .body = at,
        .end = at,
        .parent = l->part,
        .cover_letter =
            w->index.parts.v[l->part].cover_letter && (l->choice || l->children == 0),
    };
    l->children++;
    w->current = (uint32_t)w->index.parts.n;
    vec_push(w->arena, &w->index.parts, span);
    start_header(w);
}

/* Everything inside part `outer` ends. */
static void
close_to(struct mime_walk *w, uint32_t outer, int64_t at)
{
    while (w->current != outer) {
        current(w)->end = at;
        w->current = current(w)->parent;
    }
}

enum delimiter { DELIMITER_NONE, DELIMITER_PART, DELIMITER_END };

static enum delimiter
match(const struct level *l, struct str line, bool cut)
{
    if (line.n < l->n + 2 || memcmp(line.p + 2, l->boundary, l->n) != 0)
        return DELIMITER_NONE;
    struct str rest = str_sub(line, l->n + 2, line.n);
    if (str_starts(rest, "--"))
        return DELIMITER_END;
    return str_trim(rest).n == 0 && !cut ? DELIMITER_PART : DELIMITER_NONE;
}

/* The header lacks the empty line: its own multipart begins. */
static bool
begins_at_once(struct mime_walk *w, struct str line)
{
    mime_header_end(&w->header);
    const struct mime_part *p = &w->header.part;
    return mime_is_multipart(p) && p->boundary.n > 0 &&
           str_eq(str_sub(line, 2, p->boundary.n), p->boundary);
}

/* True: the line was a delimiter of one of the multiparts around. */
static bool
take_delimiter(struct mime_walk *w, const struct mime_line *line)
{
    if (!str_starts(line->text, "--"))
        return false;
    if (w->in_header && begins_at_once(w, line->text))
        end_header(w, line->at);
    for (size_t i = w->depth; i > 0; i--) {
        enum delimiter d = match(w->levels[i - 1], line->text, line->cut);
        if (d == DELIMITER_NONE)
            continue;
        if (w->in_header)
            end_header(w, line->at);
        close_to(w, w->levels[i - 1]->part, line->at);
        w->depth = d == DELIMITER_PART ? i : i - 1;
        if (d == DELIMITER_PART)
            add_part(w, line->next);
        return true;
    }
    return false;
}

static void
take_line(void *ctx, const struct mime_line *line)
{
    struct mime_walk *w = ctx;
    if (take_delimiter(w, line) || !w->in_header)
        return;
    if (line->text.n == 0 && !line->cut)
        end_header(w, line->next);
    else
        mime_header_line(&w->header, line->text, line->cut);
}

/* --- public --- */

struct mime_walk *
mime_walk_new(struct arena *a, struct mime_caps caps, const struct mime_part *root)
{
    struct mime_walk *w = ARENA_NEW(a, struct mime_walk);
    w->arena = a;
    w->caps = caps;
    w->levels = ARENA_ARRAY(a, struct level *, caps.depth);
    mime_lines_start(&w->lines, take_line, w);
    const struct mime_span span = {.cover_letter = true};
    vec_push(a, &w->index.parts, span);
    if (root != NULL)
        take_header(w, root, 0);
    else
        start_header(w);
    return w;
}

void
mime_walk_feed(struct mime_walk *w, struct str block)
{
    mime_lines_feed(&w->lines, block);
}

const struct mime_index *
mime_walk_end(struct mime_walk *w)
{
    mime_lines_end(&w->lines);
    if (w->in_header)
        end_header(w, w->lines.seen);
    close_to(w, 0, w->lines.seen);
    w->index.parts.v[0].end = w->lines.seen;
    return &w->index;
}
