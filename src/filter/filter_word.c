/* Words of an Exim filter file; see filter_word.h. */
#include "filter/filter_word.h"

#include "base/arena.h"
#include "base/escape.h"

enum { PATTERN_MAX = 200 };

void
filter_words_start(struct filter_words *w, struct str text)
{
    bool wide = text.n >= WIDE_BYTES;
    *w = (struct filter_words){.text = text.p, .at = text.p, .end = text.p + text.n};
    w->wide = wide ? w->end - WIDE_BYTES + 1 : w->text;
}

static uint32_t
newlines(const char *from, const char *to)
{
    uint32_t n = 0;
    while ((from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
        from++;
        n++;
    }
    return n;
}

uint32_t
filter_words_line(const struct filter_words *w)
{
    const char *at = w->reached != NULL ? w->reached : w->at;
    return 1 + newlines(w->text, at) + w->again;
}

void
filter_words_back(struct filter_words *w, const char *at)
{
    if (w->counts)
        w->again += newlines(at, w->at);
    w->at = at;
}

void
filter_words_skip(struct filter_words *w)
{
    const char *p = w->at;
    for (; p < w->end; p++) {
        if (*p == '#') {
            const char *nl = memchr(p, '\n', (size_t)(w->end - p));
            p = nl != NULL ? nl : w->end - 1;
        } else if (!ascii_space(*p)) {
            break;
        }
    }
    w->at = p;
}

const unsigned char filter_word_ends[256] = {
    ['\0'] = FILTER_BYTE_END,   [' '] = FILTER_BYTE_SPACE,   ['\t'] = FILTER_BYTE_SPACE,
    ['\n'] = FILTER_BYTE_SPACE, ['\v'] = FILTER_BYTE_SPACE,  ['\f'] = FILTER_BYTE_SPACE,
    ['\r'] = FILTER_BYTE_SPACE, ['('] = FILTER_BYTE_BRACKET, [')'] = FILTER_BYTE_BRACKET,
};

const char *
filter_word_rest(const char *p, const struct filter_words *w, unsigned least, unsigned *special)
{
    for (; p < w->end && filter_word_ends[(unsigned char)*p] < least; p++) {
        *special |= *p == '$' ? FILTER_HAS_DOLLAR : 0;
        *special |= *p == '\\' ? FILTER_HAS_BACKSLASH : 0;
    }
    return p;
}

/* --- quoted strings --- */

/* A line that goes on: a backslash, white space, the newline and the white space that begins the next line. Behind it, or
 * STR_NPOS. */
static size_t
after_continuation(struct str s, size_t at)
{
    while (at < s.n && s.p[at] != '\n' && ascii_space(s.p[at]))
        at++;
    if (at == s.n || s.p[at] != '\n')
        return STR_NPOS;
    at++;
    while (at < s.n && s.p[at] != '\n' && ascii_space(s.p[at]))
        at++;
    return at;
}

/* One step through a quoted text: *c is the next byte, unless the step only joins lines (false). */
static inline bool
step(struct str s, size_t *at, char *c)
{
    *c = s.p[(*at)++];
    if (*c != '\\' || *at == s.n)
        return true;
    if (s.p[*at] == '\\') {
        ++*at;
        return true;
    }
    size_t after = after_continuation(s, *at);
    if (after != STR_NPOS) {
        *at = after;
        return false;
    }
    *c = escape_byte(s, at);
    return true;
}

/* The closing quote and what follows it. */
static void
close_string(struct filter_words *w, struct filter_word *out, struct str text, const char *end)
{
    out->text = text;
    out->from = w->at;
    out->to = end;
    out->quoted = true;
    w->at = end + 1;
    filter_words_skip_after(w);
}

static enum filter_word_status
broken(struct filter_words *w, const char *reached, enum filter_word_status st)
{
    w->reached = reached;
    return st;
}

static enum filter_word_status
take_escaped(struct filter_words *w, struct arena *a, struct filter_word *out)
{
    char to[FILTER_WORD_MAX];
    size_t n = 0;
    struct str file = {w->text, (uint32_t)(w->end - w->text), STR_CLEAN};
    const char *p = w->at;
    for (out->special = 0;;) {
        const char *stop = filter_string_stop(w, p, true);
        size_t run = (size_t)(stop - p);
        if (run > FILTER_WORD_MAX - 1 - n)
            return broken(w, p, FILTER_STRING_TOO_LONG);
        if (run > 0)
            memcpy(to + n, p, run);
        n += run;
        if (stop == w->end || *stop == '\n')
            return broken(w, stop, FILTER_STRING_OPEN);
        if (*stop == '"') {
            close_string(w, out, str_dup(a, (struct str){to, (uint32_t)n, STR_CLEAN}), stop);
            return FILTER_WORD_OK;
        }
        char c;
        size_t at = (size_t)(stop - w->text);
        bool byte = step(file, &at, &c);
        p = w->text + at;
        if (!byte)
            continue;
        if (n == FILTER_WORD_MAX - 1)
            return broken(w, stop, FILTER_STRING_TOO_LONG);
        out->special |= c == '$' ? FILTER_HAS_DOLLAR : c == '\\' ? FILTER_HAS_BACKSLASH : 0;
        to[n++] = c;
    }
}

enum filter_word_status
filter_words_string(struct filter_words *w, struct arena *a, struct filter_word *out)
{
    const char *from = ++w->at;
    const char *stop = filter_string_stop(w, from, true);
    out->special = *stop == '$' ? FILTER_HAS_DOLLAR : 0;
    if (*stop == '$')
        stop = filter_string_stop(w, stop + 1, false);
    if (*stop == '\\')
        return take_escaped(w, a, out);
    size_t n = (size_t)(stop - from);
    if (n >= FILTER_WORD_MAX)
        return broken(w, from, FILTER_STRING_TOO_LONG);
    if (*stop != '"')
        return broken(w, from, FILTER_STRING_OPEN);
    close_string(w, out, (struct str){from, (uint32_t)n, STR_CLEAN}, stop);
    return FILTER_WORD_OK;
}

/* --- patterns --- */

/* Which of sixteen bytes mean something in a regular expression, or in a quoted string of a filter that is expanded. */
static inline uint32_t
pattern_special(const char *p)
{
    wide_block v = wide_read(p);
    wide_set a = wide_or(wide_within(v, '(', '+'), wide_within(v, '[', '^'));
    wide_set b = wide_or(wide_within(v, '{', '}'), wide_is(v, '.'));
    wide_set c = wide_or(wide_is(v, '?'), wide_is(v, '$'));
    wide_set d = wide_or(wide_is(v, '"'), wide_is(v, '\n'));
    return wide_mask(wide_or(wide_or(a, b), wide_or(c, d)));
}

/* Four backslashes, and what one of them takes the meaning from in the regular expression. */
static inline bool
is_escaped_mark(const char *p, const char *end)
{
    char c = end - p > 4 ? p[4] : '\0';
    return ascii_print(c) && memcmp(p, "\\\\\\\\", 4) == 0 && !ascii_alnum(c) && c != '\\' &&
           c != '$' && c != '"';
}

const char *
filter_words_pattern(const struct filter_words *w, struct arena *a, struct str *out)
{
    char to[PATTERN_MAX + 2 * WIDE_BYTES];
    uint32_t n = 0;
    const char *p = w->at + 1;
    while (p < w->wide && n < PATTERN_MAX) {
        uint32_t special = pattern_special(p);
        uint32_t run = special != 0 ? wide_first(special) : WIDE_BYTES;
        memcpy(to + n, p, WIDE_BYTES);
        n += run;
        p += run;
        if (special == 0)
            continue;
        if (*p == '"') {
            char *kept = arena_alloc(a, n + 2 * WIDE_BYTES);
            for (uint32_t at = 0; at <= n; at += WIDE_BYTES)
                memcpy(kept + at, to + at, WIDE_BYTES);
            *out = (struct str){kept, n, STR_CLEAN};
            return n > 0 ? p : NULL;
        }
        if (!is_escaped_mark(p, w->end))
            return NULL;
        to[n++] = p[4];
        p += 5;
    }
    return NULL;
}

const char *
filter_word_place(const struct filter_words *w, const struct filter_word *s, size_t at)
{
    if (!s->quoted)
        return s->from + at;
    struct str file = str_from(w->text, (size_t)(w->end - w->text));
    size_t i = (size_t)(s->from - w->text);
    size_t to = (size_t)(s->to - w->text);
    for (size_t n = 0; i < to;) {
        char c;
        size_t before = i;
        if (step(file, &i, &c) && n++ == at)
            return w->text + before;
    }
    return w->text + i;
}
