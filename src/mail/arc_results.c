/* Authentication-Results: what ARC takes out of them. Source: RFC 8601, section 2.2; RFC 8617, section 4.1.1. */
#include "mail/arc.h"

#include "base/arena.h"

static bool
ends_word(char c)
{
    return ascii_space(c) || c == ';' || c == '(';
}

/* Behind the comment that begins at i, with those inside it. */
static size_t
skip_comment(struct str s, size_t i)
{
    size_t depth = 0;
    for (; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '(')
            depth++;
        else if (s.p[i] == ')' && --depth == 0)
            return i + 1;
    }
    return s.n;
}

/* Behind the quoted text that begins at i. */
static size_t
skip_quoted(struct str s, size_t i)
{
    for (i++; i < s.n && s.p[i] != '"'; i++)
        i += s.p[i] == '\\';
    return i < s.n ? i + 1 : s.n;
}

/* Behind what begins at i: a comment, white space, one semicolon, or a word up to any of them, quoted texts in it whole. */
static size_t
skip_token(struct str s, size_t i)
{
    if (s.p[i] == ';')
        return i + 1;
    if (s.p[i] == '(')
        return skip_comment(s, i);
    if (ascii_space(s.p[i])) {
        while (i < s.n && ascii_space(s.p[i]))
            i++;
        return i;
    }
    while (i < s.n && !ends_word(s.p[i]))
        i = s.p[i] == '"' ? skip_quoted(s, i) : i + 1;
    return i;
}

/* The next word that is no comment. *first: it begins a method, behind a semicolon. */
static bool
next_word(struct str s, size_t *at, bool *first, struct str *word)
{
    *first = false;
    while (s.p != NULL && *at < s.n) {
        size_t end = skip_token(s, *at);
        struct str token = str_sub(s, *at, end - *at);
        char c = s.p[*at];
        *at = end;
        if (c == ';') {
            *first = true;
        } else if (c != '(' && !ascii_space(c)) {
            *word = token;
            return true;
        }
    }
    return false;
}

/* "name=value": the value. */
static bool
value_of(struct str word, const char *name, struct str *value)
{
    size_t eq = str_chr(word, '=', 0);
    if (eq == STR_NPOS || !str_ieqz(str_sub(word, 0, eq), name))
        return false;
    *value = str_sub(word, eq + 1, word.n);
    return true;
}

struct str
arc_results_find(struct str value, const char *method)
{
    struct str word, result;
    bool first;
    for (size_t at = 0; next_word(value, &at, &first, &word);)
        if (first && value_of(word, method, &result))
            return result;
    return STR_NULL;
}

struct str
arc_results_property(struct str value, const char *property)
{
    struct str word, result;
    bool first;
    for (size_t at = 0; next_word(value, &at, &first, &word);)
        if (value_of(word, property, &result))
            return result;
    return STR_NULL;
}

struct str
arc_results_server(struct str value)
{
    struct str word;
    bool first;
    size_t at = 0;
    return next_word(value, &at, &first, &word) && !first ? word : STR_EMPTY;
}
