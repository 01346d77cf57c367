/* Words of an Exim filter file; see filter_word.h. */
#include "filter/filter_word.h"

#include "base/arena.h"
#include "base/escape.h"

void
filter_words_skip(struct filter_words *w)
{
    const char *p = w->text.p + w->at;
    const char *end = w->text.p + w->text.n;
    for (; p < end; p++) {
        if (*p == '\n') {
            w->line++;
        } else if (*p == '#') {
            const char *nl = memchr(p, '\n', (size_t)(end - p));
            p = (nl != NULL ? nl : end) - 1;
        } else if (!ascii_space(*p)) {
            break;
        }
    }
    w->at = (size_t)(p - w->text.p);
}

const unsigned char filter_word_ends[256] = {
    ['\0'] = FILTER_BYTE_END,   [' '] = FILTER_BYTE_SPACE,   ['\t'] = FILTER_BYTE_SPACE,
    ['\n'] = FILTER_BYTE_SPACE, ['\v'] = FILTER_BYTE_SPACE,  ['\f'] = FILTER_BYTE_SPACE,
    ['\r'] = FILTER_BYTE_SPACE, ['('] = FILTER_BYTE_BRACKET, [')'] = FILTER_BYTE_BRACKET,
};

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
close_string(struct filter_words *w, struct filter_word *out, struct str text, size_t end)
{
    out->text = text;
    out->from = w->at;
    out->to = end;
    out->quoted = true;
    out->special = FILTER_HAS_UNKNOWN;
    w->at = end + 1;
    filter_words_skip_after(w);
}

static enum filter_word_status
take_escaped(struct filter_words *w, struct arena *a, struct filter_word *out)
{
    char to[FILTER_WORD_MAX];
    size_t n = 0;
    size_t at = w->at;
    while (at < w->text.n && w->text.p[at] != '"' && w->text.p[at] != '\n') {
        char c;
        size_t before = at;
        if (w->text.p[at] != '\\' && n < FILTER_WORD_MAX - 1) {
            to[n++] = w->text.p[at++];
            continue;
        }
        if (!step(w->text, &at, &c)) {
            w->line += memchr(w->text.p + before, '\n', at - before) != NULL;
            continue;
        }
        if (n == FILTER_WORD_MAX - 1)
            return FILTER_STRING_TOO_LONG;
        to[n++] = c;
    }
    if (at >= w->text.n || w->text.p[at] != '"')
        return FILTER_STRING_OPEN;
    close_string(w, out, str_dup(a, str_from(to, n)), at);
    return FILTER_WORD_OK;
}

enum filter_word_status
filter_words_string(struct filter_words *w, struct arena *a, struct filter_word *out)
{
    enum { END = 0x80 };
    static const unsigned char class[256] = {
        ['\0'] = END, ['"'] = END, ['\\'] = END, ['\n'] = END, ['$'] = FILTER_HAS_DOLLAR,
    };
    size_t i = ++w->at;
    const unsigned char *p = (const unsigned char *)w->text.p;
    unsigned char found = 0;
    for (unsigned char c; (c = class[p[i]]) != END; i++)
        found |= c;
    if (p[i] == '\\')
        return take_escaped(w, a, out);
    if (i - w->at >= FILTER_WORD_MAX)
        return FILTER_STRING_TOO_LONG;
    if (p[i] != '"')
        return FILTER_STRING_OPEN;
    close_string(w, out, str_sub(w->text, w->at, i - w->at), i);
    out->special = found;
    return FILTER_WORD_OK;
}

size_t
filter_word_place(struct str file, const struct filter_word *s, size_t at)
{
    if (!s->quoted)
        return s->from + at;
    size_t i = s->from;
    for (size_t n = 0; i < s->to;) {
        char c;
        size_t before = i;
        if (step(file, &i, &c) && n++ == at)
            return before;
    }
    return i;
}
