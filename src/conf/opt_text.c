/* String values of options, and the maps that lead their bytes back to the file. */
#include "conf/opt_parse.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "conf/textmap.h"

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
    vec_push(d->arena, &d->runs, textmap_run_moved(d->from, at, d->text.n));
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
            size_t boundary = textmap_next_run(d->from, i);
            if (boundary < next_run)
                next_run = boundary;
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
                          str_printf(ctx->arena,
                                     "missing quote at end of string value for %.*s",
                                     STR_ARG(name)));
    struct str after = str_trim_left(str_sub(l->text, end + 1, l->text.n));
    if (after.n > 0)
        return line_fault(ctx, l, l->text.n - after.n, after.n,
                          str_printf(ctx->arena,
                                     "extra characters follow string value for %.*s",
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
