/* Words of an Exim filter file: white space, comments, words, quoted strings, and the line number that errors name.
 *
 * Lines are counted when an error asks for one. The line is that of the place read up to, and white space behind a word is
 * read with it; what was looked at ahead and given back is counted twice. Exim's messages name the line in the same way
 * ("near line 3").
 * For the files filter_*.c only.
 */
#ifndef REMEX_FILTER_FILTER_WORD_H
#define REMEX_FILTER_FILTER_WORD_H

#include "base/wide.h"
#include "base/str.h"

struct arena;

/* Longest word or string, with its end. */
enum { FILTER_WORD_MAX = 1024 };
/* Quoted strings shorter than that, without white space in them, are no longer than a word with their quotes. */
enum { FILTER_AHEAD_MAX = FILTER_WORD_MAX - 2 };

struct filter_words {
    const char *text; /* the file: a NUL stands behind it, and none in it */
    const char *at;
    const char *end;
    const char *wide;    /* before this, WIDE_BYTES bytes can be read */
    const char *reached; /* of a string that is broken: as far as it was read */
    bool counts;         /* whether `again` is wanted */
    uint32_t again;      /* newlines that were read twice */
};

/* A word or the inside of a quoted string. */
struct filter_word {
    struct str text;
    const char *from; /* its first byte in the file (behind the quote) */
    const char *to;   /* behind its last byte */
    bool quoted;
    unsigned char special; /* FILTER_HAS_*: what expansion would look at */
};

enum { FILTER_HAS_DOLLAR = 1, FILTER_HAS_BACKSLASH = 2 };

/* Compares with a literal: its length is known, so most words are told apart by theirs. */
#define FILTER_WORD_IS(s, literal)                                                             \
    ((s).n == sizeof(literal) - 1 && memcmp((s).p, (literal), sizeof(literal) - 1) == 0)

enum filter_word_status {
    FILTER_WORD_OK,
    FILTER_WORD_TOO_LONG,
    FILTER_STRING_TOO_LONG,
    FILTER_STRING_OPEN, /* the quote at its end is missing */
};

void filter_words_start(struct filter_words *w, struct str text);
/* The line of the place read up to, from 1. */
uint32_t filter_words_line(const struct filter_words *w);
/* Goes back to a place that was passed. */
void filter_words_back(struct filter_words *w, const char *at);
/* Takes white space and comments. */
void filter_words_skip(struct filter_words *w);

/* The next byte, or NUL at the end. */
static inline char
filter_words_peek(const struct filter_words *w)
{
    return *w->at;
}

/* What ends a word: END also stands for the NUL behind the text. */
enum { FILTER_BYTE_BRACKET = 1, FILTER_BYTE_SPACE = 2, FILTER_BYTE_END = 3 };
extern const unsigned char filter_word_ends[256];

/* What may follow a word: mostly one space, and then something that is neither white space nor a comment. */
static inline void
filter_words_skip_after(struct filter_words *w)
{
    const char *p = w->at;
    if ((p[0] == ' ' || p[0] == '\n') && p[1] > ' ' && p[1] != '#')
        w->at = p + 1;
    else if (filter_word_ends[(unsigned char)p[0]] == FILTER_BYTE_SPACE || p[0] == '#')
        filter_words_skip(w);
}

/* Takes this very word, of n bytes, and what filter_words_skip takes, if it comes next with white space or the end behind
 * it. */
static inline bool
filter_words_take(struct filter_words *w, const char *word, size_t n)
{
    const char *p = w->at;
    if (n > (size_t)(w->end - p) || memcmp(p, word, n) != 0 ||
        filter_word_ends[(unsigned char)p[n]] < FILTER_BYTE_SPACE)
        return false;
    w->at = p + n;
    filter_words_skip_after(w);
    return true;
}
#define FILTER_WORDS_TAKE(w, literal) filter_words_take((w), (literal), sizeof(literal) - 1)

/* The bytes of a word of at most eight, the first one lowest, zeros behind. */
typedef uint64_t filter_key;

static inline filter_key
filter_key_load(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* The word that comes next if it has at most seven bytes and white space behind it; 0: something else comes. Looks only. */
static inline filter_key
filter_words_key(const struct filter_words *w)
{
    if (w->at >= w->wide)
        return 0;
    uint64_t v = filter_key_load(w->at);
    /* the lowest byte that is less than '!' has its highest bit set; above it anything */
    uint64_t ends = (v - UINT64_C(0x2121212121212121)) & ~v & UINT64_C(0x8080808080808080);
    uint64_t inside = (ends ^ (ends - 1)) >> 8;
    unsigned n = (unsigned)__builtin_ctzll(ends | UINT64_C(1) << 63) / 8;
    if (ends == 0 || filter_word_ends[(unsigned char)w->at[n]] != FILTER_BYTE_SPACE)
        return 0;
    return v & inside;
}

/* The key of a literal of at most seven letters. */
#define FILTER_KEY(literal) filter_key_load(literal "\0\0\0\0\0\0\0")

/* Takes the word of a key, and what filter_words_skip takes; returns its length. */
static inline size_t
filter_words_take_key(struct filter_words *w, filter_key key)
{
    unsigned n = (71 - (unsigned)__builtin_clzll(key | 1)) / 8;
    w->at += n;
    filter_words_skip_after(w);
    return n;
}

/* The rest of a word, a byte at a time. */
const char *filter_word_rest(const char *p, const struct filter_words *w, unsigned least,
                             unsigned *special);

/* The end of the word at the cursor, and what is special in it. */
static inline const char *
filter_word_end(const struct filter_words *w, bool brackets, unsigned *special)
{
    const char *p = w->at;
    *special = 0;
    for (; p < w->wide; p += WIDE_BYTES) {
        wide_block v = wide_read(p);
        wide_set space = wide_space(v);
        if (brackets)
            space = wide_or(space, wide_within(v, '(', ')'));
        uint32_t ends = wide_mask(space);
        uint32_t dollar = wide_mask(wide_is(v, '$'));
        uint32_t backslash = wide_mask(wide_is(v, '\\'));
        uint32_t inside = ends ^ (ends - 1); /* and the end itself; all when there is none */
        *special |= (dollar & inside) != 0 ? FILTER_HAS_DOLLAR : 0;
        *special |= (backslash & inside) != 0 ? FILTER_HAS_BACKSLASH : 0;
        if (ends != 0)
            return p + wide_first(ends);
    }
    return filter_word_rest(p, w, brackets ? FILTER_BYTE_BRACKET : FILTER_BYTE_SPACE, special);
}

/* White space, or the end, at or behind p. */
static inline const char *
filter_word_space(const struct filter_words *w, const char *p)
{
    unsigned unused = 0;
    for (; p < w->wide; p += WIDE_BYTES) {
        uint32_t ends = wide_mask(wide_space(wide_read(p)));
        if (ends != 0)
            return p + wide_first(ends);
    }
    return filter_word_rest(p, w, FILTER_BYTE_SPACE, &unused);
}

/* The first quote, backslash or newline (or dollar: `$`), or the end, at or behind p. */
static inline const char *
filter_string_stop(const struct filter_words *w, const char *p, bool dollar)
{
    for (; p < w->wide; p += WIDE_BYTES) {
        wide_block v = wide_read(p);
        wide_set any = wide_or(wide_or(wide_is(v, '"'), wide_is(v, '\\')), wide_is(v, '\n'));
        if (dollar)
            any = wide_or(any, wide_is(v, '$'));
        uint32_t stops = wide_mask(any);
        if (stops != 0)
            return p + wide_first(stops);
    }
    while (p < w->end && *p != '"' && *p != '\\' && *p != '\n' && (*p != '$' || !dollar))
        p++;
    return p;
}

/* Takes a word up to white space (or a parenthesis, if brackets) and what filter_words_skip takes; empty at the end. The text is
 * part of the file. */
static inline enum filter_word_status
filter_words_next(struct filter_words *w, bool brackets, struct filter_word *out)
{
    unsigned special;
    const char *from = w->at;
    const char *to = filter_word_end(w, brackets, &special);
    size_t n = (size_t)(to - from);
    if (n >= FILTER_WORD_MAX)
        return FILTER_WORD_TOO_LONG;
    out->text = (struct str){from, (uint32_t)n, STR_CLEAN};
    out->from = from;
    out->to = to;
    out->quoted = false;
    out->special = (unsigned char)special;
    w->at = to;
    filter_words_skip_after(w);
    return FILTER_WORD_OK;
}
/* The same for a quoted string, whose text is in a; the opening quote comes next. */
enum filter_word_status filter_words_string(struct filter_words *w, struct arena *a,
                                            struct filter_word *out);
/* For a quoted string, whose opening quote comes next, that is a pattern of plain words and escaped marks: the text that the
 * pattern means, in a, and the byte behind it. NULL: it is not known to be such a one. Looks only. */
const char *filter_words_pattern(const struct filter_words *w, struct arena *a,
                                 struct str *out);
/* The byte of the file that byte `at` of a word's text comes from. */
const char *filter_word_place(const struct filter_words *w, const struct filter_word *s,
                              size_t at);

#endif
