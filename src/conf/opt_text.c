/* String values of options, and the maps that lead their bytes back to the file. */
#include "conf/opt_parse.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"


struct one_run {
    struct textmap map;
    struct textmap_run run;
};

/* The number of the run that byte `at` lies in. */
static uint32_t
run_at(const struct textmap *m, size_t at)
{
    uint32_t low = 0;
    uint32_t high = m->n;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (m->runs[mid].at <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* A run that starts at `at` of a mapped text, moved to `to` of another one. */
static struct textmap_run
run_moved(const struct textmap_run *r, size_t at, size_t to)
{
    struct textmap_run moved = *r;
    if (!r->fixed && at > r->at)
        moved.col += (uint32_t)(at - r->at);
    moved.at = (uint32_t)to;
    return moved;
}

const struct textmap *
textmap_sub(struct arena *a, const struct textmap *m, size_t at, size_t n)
{
    if (m == NULL || m->n == 0)
        return NULL;
    uint32_t first = run_at(m, at);
    uint32_t last = first;
    while (last + 1 < m->n && m->runs[last + 1].at < at + n)
        last++;
    if (first == last) {
        struct one_run *one = arena_alloc(a, sizeof *one);
        one->run = run_moved(&m->runs[first], at, 0);
        one->map = (struct textmap){m->source, &one->run, 1, m->last_line};
        return &one->map;
    }
    struct textmap *sub = ARENA_NEW(a, struct textmap);
    struct textmap_run *runs = ARENA_ARRAY(a, struct textmap_run, last - first + 1);
    for (uint32_t i = first; i <= last; i++) {
        size_t from = m->runs[i].at > at ? m->runs[i].at : at;
        runs[i - first] = run_moved(&m->runs[i], from, from - at);
    }
    *sub = (struct textmap){m->source, runs, last - first + 1, m->last_line};
    return sub;
}

const struct textmap *
textmap_joined(struct arena *a, const struct textmap *x, size_t x_at, const struct textmap *y,
               size_t y_at)
{
    if (y == NULL || y->n == 0)
        return NULL;
    VEC(struct textmap_run) runs = {.n = 0};
    struct textmap_run here = y->runs[0];
    here.fixed = true;
    here.at = 0;
    vec_push(a, &runs, here);
    bool same_source = x != NULL && x->source == y->source;
    for (uint32_t i = 0; same_source && i < x->n; i++) {
        struct textmap_run r = x->runs[i];
        r.at += (uint32_t)x_at;
        vec_push(a, &runs, r);
    }
    for (uint32_t i = 0; i < y->n; i++) {
        struct textmap_run r = y->runs[i];
        r.at += (uint32_t)y_at;
        vec_push(a, &runs, r);
    }
    struct textmap *m = ARENA_NEW(a, struct textmap);
    *m = (struct textmap){y->source, runs.v, (uint32_t)runs.n, y->last_line};
    return m;
}

/* Collects the map of a text that is decoded from a mapped one. */
struct decoded {
    struct arena *arena;
    const struct textmap *from;
    struct buf text;
    VEC(struct textmap_run) runs;
};

/* The next bytes of the decoded text come from offset `at` of the source text. */
static void
decoded_mark(struct decoded *d, size_t at)
{
    if (d->from == NULL || d->from->n == 0)
        return;
    const struct textmap_run *r = &d->from->runs[run_at(d->from, at)];
    vec_push(d->arena, &d->runs, run_moved(r, at, d->text.n));
}

static bool
is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The escape at s.p[i] (just after the backslash); gives the offset after it. */
static size_t
read_escape(struct str s, size_t i, char *out)
{
    static const char names[] = "nrt";
    static const char values[] = "\n\r\t";
    for (size_t k = 0; names[k] != '\0'; k++) {
        if (s.p[i] == names[k]) {
            *out = values[k];
            return i + 1;
        }
    }
    unsigned v = 0;
    size_t end = i;
    if (is_octal(s.p[i])) {
        for (; end < s.n && end < i + 3 && is_octal(s.p[end]); end++)
            v = v * 8 + (unsigned)(s.p[end] - '0');
    } else if (s.p[i] == 'x') {
        for (end = i + 1; end < s.n && end < i + 3 && ascii_hex(s.p[end]) >= 0; end++)
            v = v * 16 + (unsigned)ascii_hex(s.p[end]);
    } else {
        *out = s.p[i];
        return i + 1;
    }
    *out = (char)(unsigned char)(v & 0xff);
    return end;
}

/* Offset of the closing quote at or after i, or STR_NPOS. */
static size_t
closing_quote(struct str s, size_t i, bool *escapes)
{
    for (; i < s.n && s.p[i] != '"'; i++) {
        if (s.p[i] == '\\') {
            *escapes = true;
            i++;
        }
    }
    return i < s.n ? i : STR_NPOS;
}

static void
decode(struct decoded *d, struct str s, size_t from, size_t to)
{
    size_t next_run = 0;
    for (size_t i = from; i < to;) {
        if (i >= next_run) { /* also at each run of the source text */
            decoded_mark(d, i);
            next_run = SIZE_MAX;
            uint32_t r = d->from != NULL && d->from->n > 0 ? run_at(d->from, i) + 1 : 0;
            if (d->from != NULL && r < d->from->n)
                next_run = d->from->runs[r].at;
        }
        char c = s.p[i];
        size_t after = i + 1;
        if (c == '\\') {
            after = read_escape(s, i + 1, &c);
            next_run = after;
        }
        buf_addc(&d->text, c);
        i = after;
    }
}

static bool
line_fault(const struct opt_ctx *ctx, const struct opt_line *l, size_t at, size_t n,
           struct str text)
{
    diags_add(ctx->diags, &(struct diag){.level = DIAG_ERROR,
                                         .at = textmap_span(l->map, at, n),
                                         .text = text,
                                         .exim = text});
    return false;
}

static bool
read_quoted(const struct opt_ctx *ctx, const struct opt_line *l, size_t at, struct str name,
            struct str *out, const struct textmap **map)
{
    bool escapes = false;
    size_t end = closing_quote(l->text, at + 1, &escapes);
    if (end == STR_NPOS)
        return line_fault(ctx, l, at, l->text.n - at,
                          str_printf(ctx->arena, "missing quote at end of string value for %.*s",
                                     STR_ARG(name)));
    struct str after = str_trim_left(str_sub(l->text, end + 1, l->text.n));
    if (after.n > 0)
        return line_fault(ctx, l, l->text.n - after.n, after.n,
                          str_printf(ctx->arena, "extra characters follow string value for %.*s",
                                     STR_ARG(name)));
    if (!escapes) {
        *out = str_sub(l->text, at + 1, end - at - 1);
        *map = textmap_sub(ctx->arena, l->map, at + 1, out->n);
        return true;
    }
    struct decoded d = {.arena = ctx->arena, .from = l->map};
    d.text = buf_in(ctx->arena, 0);
    decode(&d, l->text, at + 1, end);
    *out = buf_str(&d.text);
    *map = NULL;
    if (d.runs.n > 0) {
        struct textmap *m = ARENA_NEW(ctx->arena, struct textmap);
        *m = (struct textmap){l->map->source, d.runs.v, (uint32_t)d.runs.n, l->map->last_line};
        *map = m;
    }
    return true;
}

bool
opt_read_string(const struct opt_ctx *ctx, const struct opt_line *line, size_t at,
                struct str name, struct str *out, const struct textmap **map)
{
    struct str rest = str_trim_left(str_sub(line->text, at, line->text.n));
    at = line->text.n - rest.n;
    if (rest.n > 0 && rest.p[0] == '"')
        return read_quoted(ctx, line, at, name, out, map);
    *out = rest.n > 0 ? rest : STR_EMPTY;
    *map = rest.n > 0 ? textmap_sub(ctx->arena, line->map, at, rest.n) : NULL;
    return true;
}
