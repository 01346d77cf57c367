/* Diagnostics: collecting them, and the long form with caret and notes. */
#include "base/diag.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    MAX_ERRORS = 20,
    TEXT_MAX = 1024,   /* bytes of one message */
    QUOTE_MAX = 160,   /* bytes of a quoted source line */
    NEAREST_MAX = 64,  /* longest name that is compared */
    INCLUDE_NOTES = 10 /* include levels shown */
};

struct diags {
    struct arena *arena;
    size_t max;
    size_t count[3];
    bool full;
    VEC(struct diag) list;
};

struct span
textmap_span(const struct textmap *m, size_t at, size_t n)
{
    if (m == NULL || m->n == 0)
        return (struct span){.source = NULL};
    uint32_t low = 0;
    uint32_t high = m->n;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (m->runs[mid].at <= at)
            low = mid;
        else
            high = mid;
    }
    const struct textmap_run *r = &m->runs[low];
    uint32_t inside = at > r->at ? (uint32_t)at - r->at : 0;
    return (struct span){
        .source = m->source,
        .line = r->line,
        .col = r->fixed ? r->col : r->col + inside,
        .n = r->fixed ? r->macro.n : (uint32_t)n,
        .macro = r->macro,
        .last_line = m->last_line,
    };
}

struct diags *
diags_new(struct arena *a, size_t max)
{
    struct diags *d = ARENA_NEW(a, struct diags);
    d->arena = a;
    d->max = max == 0 ? MAX_ERRORS : max;
    return d;
}

void
diags_add(struct diags *d, const struct diag *one)
{
    if (d->list.n >= d->max) {
        d->full = true;
        return;
    }
    struct diag copy = *one;
    copy.text = str_dup(d->arena, one->text);
    copy.exim = str_dup(d->arena, one->exim);
    copy.hint = str_dup(d->arena, one->hint);
    copy.code = str_dup(d->arena, one->code);
    copy.exim_place = str_dup(d->arena, one->exim_place);
    vec_push(d->arena, &d->list, copy);
    d->count[one->level]++;
}

static void __attribute__((format(printf, 4, 0)))
add_formatted(struct diags *d, enum diag_level level, struct span at, const char *fmt,
              va_list ap)
{
    char text[TEXT_MAX];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (n < 0)
        n = 0;
    size_t len = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    struct str s = str_from(text, len);
    diags_add(d, &(struct diag){.level = level, .at = at, .text = s, .exim = s});
}

void
diags_error(struct diags *d, struct span at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_formatted(d, DIAG_ERROR, at, fmt, ap);
    va_end(ap);
}

void
diags_warn(struct diags *d, struct span at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_formatted(d, DIAG_WARNING, at, fmt, ap);
    va_end(ap);
}

size_t
diags_count(const struct diags *d, enum diag_level level)
{
    return d->count[level];
}

bool
diags_full(const struct diags *d)
{
    return d->full;
}

const struct diag *
diags_at(const struct diags *d, size_t i)
{
    return &d->list.v[i];
}

size_t
diags_total(const struct diags *d)
{
    return d->list.n;
}

/* The text of line number `line` (from 1) of a source, without its newline. */
static struct str
source_line(struct str text, uint32_t line)
{
    size_t from = 0;
    for (uint32_t i = 1; i < line; i++) {
        size_t end = str_chr(text, '\n', from);
        if (end == STR_NPOS)
            return STR_NULL;
        from = end + 1;
    }
    size_t end = str_chr(text, '\n', from);
    return str_sub(text, from, end == STR_NPOS ? text.n : end - from);
}

static void
add_visible(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = ascii_print(c) || c == '\t' || (unsigned char)c >= 0x80;
        buf_addc(out, plain ? c : '?');
    }
}

static void
render_quote(struct buf *out, struct str line, struct span at)
{
    size_t col = at.col > 0 ? at.col - 1 : 0;
    size_t from = col > QUOTE_MAX / 2 ? col - QUOTE_MAX / 2 : 0;
    struct str part = str_sub(line, from, QUOTE_MAX);
    buf_addz(out, "    ");
    add_visible(out, part);
    buf_addc(out, '\n');
    if (at.col == 0 || col > line.n)
        return;
    buf_addz(out, "    ");
    for (size_t i = from; i < col; i++)
        buf_addc(out, line.p[i] == '\t' ? '\t' : ' ');
    buf_addc(out, '^');
    for (size_t i = 1; i < at.n && col + i < line.n && i < QUOTE_MAX / 2; i++)
        buf_addc(out, '~');
    buf_addc(out, '\n');
}

static void
render_place(struct buf *out, struct span at)
{
    if (at.source == NULL)
        return;
    buf_adds(out, at.source->name);
    if (at.line > 0)
        buf_printf(out, ":%u", at.line);
    if (at.line > 0 && at.col > 0)
        buf_printf(out, ":%u", at.col);
    buf_addz(out, ": ");
}

static void
render_notes(struct buf *out, const struct diag *one)
{
    if (str_is_set(one->at.macro)) {
        render_place(out, (struct span){.source = one->at.source, .line = one->at.line});
        buf_printf(out, "note: in the text of macro %.*s, expanded here\n",
                   STR_ARG(one->at.macro));
    }
    const struct source *s = one->at.source;
    for (int i = 0; s != NULL && s->included_from != NULL && i < INCLUDE_NOTES; i++) {
        render_place(out, (struct span){.source = s->included_from, .line = s->included_line});
        buf_addz(out, "note: included from here\n");
        s = s->included_from;
    }
}

void
diag_render(struct buf *out, const struct diag *one)
{
    static const char *const level[] = {"error: ", "warning: ", "note: "};
    render_place(out, one->at);
    buf_addz(out, level[one->level]);
    buf_adds(out, one->text);
    if (str_is_set(one->hint))
        buf_printf(out, " (did you mean \"%.*s\"?)", STR_ARG(one->hint));
    buf_addc(out, '\n');
    struct str line = STR_NULL;
    if (one->at.source != NULL && one->at.line > 0)
        line = source_line(one->at.source->text, one->at.line);
    if (str_is_set(one->code))
        line = one->code;
    if (str_is_set(line))
        render_quote(out, line, one->at);
    render_notes(out, one);
}

static size_t
edit_distance(struct str a, struct str b)
{
    size_t row[NEAREST_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t cost = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 1]) ? 0 : 1;
            size_t best = diagonal + cost;
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b.n];
}

struct str
diag_nearest(struct str wrong, const struct str *names, size_t n)
{
    struct str best = STR_NULL;
    size_t best_distance = wrong.n / 3 + 1;
    if (wrong.n > NEAREST_MAX)
        return best;
    for (size_t i = 0; i < n; i++) {
        if (names[i].n > NEAREST_MAX)
            continue;
        size_t d = edit_distance(wrong, names[i]);
        if (d < best_distance) {
            best_distance = d;
            best = names[i];
        }
    }
    return best;
}
