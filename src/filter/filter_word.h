/* Words of an Exim filter file: white space, comments, words, quoted strings, and the line number that errors name.
 *
 * The line is that of the place read up to, and white space behind a word is read with it; looking ahead and going
 * back does not count back. Exim's messages name the line in the same way ("near line 3").
 * For the files filter_*.c only.
 */
#ifndef REMEX_FILTER_FILTER_WORD_H
#define REMEX_FILTER_FILTER_WORD_H

#include "base/str.h"

struct arena;

/* Longest word or string, with its end. */
enum { FILTER_WORD_MAX = 1024 };

struct filter_words {
    struct str text; /* a NUL stands behind it, and none in it */
    size_t at;
    uint32_t line; /* from 1 */
};

/* A word or the inside of a quoted string. */
struct filter_word {
    struct str text;
    size_t from; /* offset of its first byte in the file (behind the quote) */
    size_t to;   /* behind its last byte */
    bool quoted;
    unsigned char special; /* FILTER_HAS_*: what expansion would look at */
};

enum {
    FILTER_HAS_DOLLAR = 1,
    FILTER_HAS_BACKSLASH = 2,
    FILTER_HAS_UNKNOWN = 4, /* nobody looked */
};

/* Compares with a literal: its length is known, so most words are told apart by theirs. */
#define FILTER_WORD_IS(s, literal)                                                             \
    ((s).n == sizeof(literal) - 1 && memcmp((s).p, (literal), sizeof(literal) - 1) == 0)

enum filter_word_status {
    FILTER_WORD_OK,
    FILTER_WORD_TOO_LONG,
    FILTER_STRING_TOO_LONG,
    FILTER_STRING_OPEN, /* the quote at its end is missing */
};

/* Takes white space and comments. */
void filter_words_skip(struct filter_words *w);
/* The next byte, or NUL at the end. */
static inline char
filter_words_peek(const struct filter_words *w)
{
    return w->at < w->text.n ? w->text.p[w->at] : '\0';
}

/* What ends a word: END also stands for the NUL behind the text. */
enum { FILTER_BYTE_BRACKET = 1, FILTER_BYTE_SPACE = 2, FILTER_BYTE_END = 3 };
extern const unsigned char filter_word_ends[256];

/* What may follow a word: mostly one space, and then something that is neither white space nor a comment. */
static inline void
filter_words_skip_after(struct filter_words *w)
{
    const char *p = w->text.p + w->at;
    if (p[0] == ' ' && p[1] > ' ' && p[1] != '#') {
        w->at++;
    } else if (p[0] == '\n' && p[1] > ' ' && p[1] != '#') {
        w->at++;
        w->line++;
    } else if (filter_word_ends[(unsigned char)p[0]] == FILTER_BYTE_SPACE || p[0] == '#')
        filter_words_skip(w);
}

/* Takes this very word, of n bytes, and what filter_words_skip takes, if it comes next with white space or the end behind
 * it. */
static inline bool
filter_words_take(struct filter_words *w, const char *word, size_t n)
{
    const char *p = w->text.p + w->at;
    if (n > w->text.n - w->at || memcmp(p, word, n) != 0 ||
        filter_word_ends[(unsigned char)p[n]] < FILTER_BYTE_SPACE)
        return false;
    w->at += n;
    filter_words_skip_after(w);
    return true;
}
#define FILTER_WORDS_TAKE(w, literal) filter_words_take((w), (literal), sizeof(literal) - 1)

/* Takes a word up to white space (or a parenthesis, if brackets) and what filter_words_skip takes; empty at the end. The text is
 * part of the file. */
static inline enum filter_word_status
filter_words_next(struct filter_words *w, bool brackets, struct filter_word *out)
{
    const unsigned char *from = (const unsigned char *)w->text.p + w->at;
    const unsigned char *p = from;
    unsigned char least = brackets ? FILTER_BYTE_BRACKET : FILTER_BYTE_SPACE;
    while (filter_word_ends[*p] < least)
        p++;
    size_t n = (size_t)(p - from);
    if (n >= FILTER_WORD_MAX)
        return FILTER_WORD_TOO_LONG;
    out->text = (struct str){(const char *)from, (uint32_t)n, STR_CLEAN};
    out->from = w->at;
    out->to = w->at += n;
    out->quoted = false;
    out->special = FILTER_HAS_UNKNOWN;
    filter_words_skip_after(w);
    return FILTER_WORD_OK;
}
/* The same for a quoted string, whose text is in a; the opening quote comes next. */
enum filter_word_status filter_words_string(struct filter_words *w, struct arena *a,
                                            struct filter_word *out);
/* Offset in the file of byte `at` of a word's text. */
size_t filter_word_place(struct str file, const struct filter_word *s, size_t at);

#endif
