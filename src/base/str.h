/* Strings with a length and a taint mark: the one string type of remex.
 *
 * A struct str is a value of 16 bytes that points to bytes it does not own (an arena, a
 * constant or a buffer does) and is never changed through the pointer. NUL is a byte like any
 * other; nothing here looks for one. The taint mark travels with the value: a value that a
 * stranger could have chosen is refused as a file name, a command or a configuration.
 */
#ifndef REMEX_BASE_STR_H
#define REMEX_BASE_STR_H

#include "base/plugin_export.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

PLUGIN_API_BEGIN

struct arena;

/* No value is ever longer (bytes). Callers with a tighter budget check that first. */
#define STR_MAX ((size_t)0x40000000)

/* Taint marks. STR_QUOTED + k: tainted, but quoted for the lookup type with quoter number k
 * (Exim's rule for query-style lookups). */
enum {
    STR_CLEAN = 0,
    STR_TAINTED = 1,
    STR_QUOTED = 2,
};

struct str {
    const char *p;  /* never NULL when n > 0; may be NULL for an unset value */
    uint32_t n;     /* bytes, at most STR_MAX */
    uint32_t taint; /* STR_CLEAN, STR_TAINTED, or STR_QUOTED + k */
};

/* A literal as a clean value; usable in static initialisers. */
#define STR_INIT(lit)                                                                          \
    {                                                                                          \
        (lit), (uint32_t)(sizeof(lit) - 1), STR_CLEAN                                          \
    }
#define STR_LIT(lit) ((struct str)STR_INIT(lit))
#define STR_EMPTY ((struct str){"", 0, STR_CLEAN})
#define STR_NULL ((struct str){NULL, 0, STR_CLEAN})
/* The two arguments of a "%.*s". */
#define STR_ARG(s) (int)(s).n, ((s).p != NULL ? (s).p : "")

/* A clean value over n bytes at p. n must be at most STR_MAX (asserted). */
struct str str_from(const char *p, size_t n);
/* A clean value over a NUL-terminated string; NULL gives STR_NULL. */
struct str str_from_cstr(const char *z);
/* The same bytes, marked tainted. */
struct str str_tainted(struct str s);
/* Declares a value clean because the caller applied the rule that `rule` names (for the reader:
 * "lookup hit", "list match", ...). The only way in which taint ends. */
struct str str_untaint_by_rule(struct str s, const char *rule);
/* The mark of a value made from parts with marks a and b. */
static inline uint32_t
str_taint_join(uint32_t a, uint32_t b)
{
    if (a == b || b == STR_CLEAN)
        return a;
    if (a == STR_CLEAN)
        return b;
    return STR_TAINTED;
}

static inline bool
str_is_tainted(struct str s)
{
    return s.taint != STR_CLEAN;
}

static inline bool
str_is_set(struct str s)
{
    return s.p != NULL;
}

static inline bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eqz(struct str a, const char *z);
/* Comparisons that ignore the case of ASCII letters. */
bool str_ieq(struct str a, struct str b);
bool str_ieqz(struct str a, const char *z);
/* Byte order, shorter first on a tie: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
int str_icmp(struct str a, struct str b);
bool str_starts(struct str s, const char *prefix);
bool str_istarts(struct str s, const char *prefix);
bool str_ends(struct str s, struct str suffix);
bool str_iends(struct str s, struct str suffix);

/* The part from `from` (clipped) of at most n bytes; keeps the mark. */
static inline struct str
str_sub(struct str s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return (struct str){s.p == NULL ? NULL : s.p + from, (uint32_t)n, s.taint};
}

/* Without leading and trailing ASCII white space. */
struct str str_trim(struct str s);
struct str str_trim_left(struct str s);
/* The text up to the first `end`, which is taken off with it; without one all there is. */
struct str str_take_until(struct str *rest, char end);
/* The first word, and the white space around it is taken off as well. Empty: there is none. */
struct str str_take_word(struct str *rest);

/* Offset of the first c / needle at or after `from`, or STR_NPOS. */
#define STR_NPOS SIZE_MAX
size_t str_chr(struct str s, char c, size_t from);
size_t str_rchr(struct str s, char c);
size_t str_find(struct str s, struct str needle, size_t from);
size_t str_ifind(struct str s, struct str needle, size_t from);
/* True if word occurs with no letter, digit or underscore next to it. */
bool str_has_word(struct str s, struct str word);
/* True if a NUL byte occurs. */
bool str_has_nul(struct str s);
/* How often it holds the character. */
size_t str_count(struct str s, char c);

/* True if an ASCII letter of that case occurs. */
bool str_has_upper(struct str s);
bool str_has_lower(struct str s);

/* Hash of the bytes; str_ihash ignores ASCII case. Not for secrets. */
uint64_t str_hash(struct str s);
uint64_t str_ihash(struct str s);

/* Overwrites the bytes of a secret, which lie in memory that may be written to, when they are no longer needed. */
void str_wipe(struct str s);

/* Copies in the arena. str_dup keeps the mark and adds a NUL after the last byte (not counted).
 * str_cstr gives a NUL-terminated string, or NULL if the value holds a NUL byte. */
struct str str_dup(struct arena *a, struct str s);
char *str_cstr(struct arena *a, struct str s);
struct str str_lower(struct arena *a, struct str s);
struct str str_upper(struct arena *a, struct str s);
/* The same, or s itself when there is nothing to change. */
struct str str_lowered(struct arena *a, struct str s);
struct str str_uppered(struct arena *a, struct str s);
/* a then b, marks joined. */
struct str str_cat(struct arena *a, struct str x, struct str y);
/* n texts, one behind the other; clean, as what str_printf makes, which takes many times as long. */
struct str str_join(struct arena *a, const struct str *parts, size_t n);
#define STR_JOIN(a, ...)                                                                       \
    str_join((a), (const struct str[]){__VA_ARGS__},                                           \
             sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
/* printf into the arena; the result is clean: mark it when a tainted value went in. */
struct str str_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct str str_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* ASCII only, independent of the locale. */
static inline bool
ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_alnum(char c)
{
    return ascii_alpha(c) || ascii_digit(c);
}

static inline bool
ascii_print(char c)
{
    return c >= 0x20 && c <= 0x7e;
}

static inline char
ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char
ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

/* 0 to 15, or -1. */
static inline int
ascii_hex(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

PLUGIN_API_END

#endif
