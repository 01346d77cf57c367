/* Strings with a length and a taint mark: comparisons, searches, copies. */
#include "base/str.h"

#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct str
str_from(const char *p, size_t n)
{
    assert(n <= STR_MAX);
    return (struct str){p, (uint32_t)n, STR_CLEAN};
}

struct str
str_from_cstr(const char *z)
{
    return z == NULL ? STR_NULL : str_from(z, strlen(z));
}

struct str
str_tainted(struct str s)
{
    s.taint = STR_TAINTED;
    return s;
}

struct str
str_untaint_by_rule(struct str s, const char *rule)
{
    (void)rule;
    s.taint = STR_CLEAN;
    return s;
}

uint32_t
str_taint_join(uint32_t a, uint32_t b)
{
    if (a == b || b == STR_CLEAN)
        return a;
    if (a == STR_CLEAN)
        return b;
    return STR_TAINTED;
}

bool
str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_from_cstr(z));
}

static int
compare_folded(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)ascii_lower(a[i]);
        unsigned char y = (unsigned char)ascii_lower(b[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

bool
str_ieq(struct str a, struct str b)
{
    return a.n == b.n && compare_folded(a.p, b.p, a.n) == 0;
}

bool
str_ieqz(struct str a, const char *z)
{
    return str_ieq(a, str_from_cstr(z));
}

static int
compare_lengths(struct str a, struct str b)
{
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

int
str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return d != 0 ? d : compare_lengths(a, b);
}

int
str_icmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = compare_folded(a.p, b.p, n);
    return d != 0 ? d : compare_lengths(a, b);
}

bool
str_starts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool
str_istarts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && compare_folded(s.p, prefix, n) == 0;
}

bool
str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_sub(s, s.n - suffix.n, suffix.n), suffix);
}

bool
str_iends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_ieq(str_sub(s, s.n - suffix.n, suffix.n), suffix);
}

struct str
str_trim_left(struct str s)
{
    size_t i = 0;
    while (i < s.n && ascii_space(s.p[i]))
        i++;
    return str_sub(s, i, s.n);
}

struct str
str_trim(struct str s)
{
    s = str_trim_left(s);
    while (s.n > 0 && ascii_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t
str_chr(struct str s, char c, size_t from)
{
    if (from >= s.n)
        return STR_NPOS;
    const char *q = memchr(s.p + from, c, s.n - from);
    return q == NULL ? STR_NPOS : (size_t)(q - s.p);
}

size_t
str_rchr(struct str s, char c)
{
    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == c)
            return i - 1;
    }
    return STR_NPOS;
}

size_t
str_find(struct str s, struct str needle, size_t from)
{
    if (needle.n == 0)
        return from <= s.n ? from : STR_NPOS;
    if (from >= s.n)
        return STR_NPOS;
    const char *q = memmem(s.p + from, s.n - from, needle.p, needle.n);
    return q == NULL ? STR_NPOS : (size_t)(q - s.p);
}

size_t
str_ifind(struct str s, struct str needle, size_t from)
{
    for (size_t i = from; i + needle.n <= s.n; i++) {
        if (compare_folded(s.p + i, needle.p, needle.n) == 0)
            return i;
    }
    return STR_NPOS;
}

bool
str_has_nul(struct str s)
{
    return str_chr(s, '\0', 0) != STR_NPOS;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

uint64_t
str_hash(struct str s)
{
    uint64_t h = UINT64_C(0x51ed270b0b1f3a2d) ^ s.n;
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t v;
        memcpy(&v, s.p + i, 8);
        h = mix(h, v);
    }
    uint64_t tail = 0;
    for (; i < s.n; i++)
        tail = (tail << 8) | (unsigned char)s.p[i];
    return mix(h, tail);
}

uint64_t
str_ihash(struct str s)
{
    uint64_t h = UINT64_C(0x2545f4914f6cdd1d) ^ s.n;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)ascii_lower(s.p[i])) * UINT64_C(0x100000001b3);
    return mix(h, s.n);
}

struct str
str_dup(struct arena *a, struct str s)
{
    if (s.p == NULL)
        return s;
    char *p = arena_alloc(a, (size_t)s.n + 1);
    memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n, s.taint};
}

char *
str_cstr(struct arena *a, struct str s)
{
    if (str_has_nul(s))
        return NULL;
    char *p = arena_alloc(a, (size_t)s.n + 1);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

static struct str
map_bytes(struct arena *a, struct str s, char (*fold)(char))
{
    char *p = arena_alloc(a, (size_t)s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        p[i] = fold(s.p[i]);
    p[s.n] = '\0';
    return (struct str){p, s.n, s.taint};
}

struct str
str_lower(struct arena *a, struct str s)
{
    return map_bytes(a, s, ascii_lower);
}

struct str
str_upper(struct arena *a, struct str s)
{
    return map_bytes(a, s, ascii_upper);
}

struct str
str_cat(struct arena *a, struct str x, struct str y)
{
    assert((size_t)x.n + y.n <= STR_MAX);
    char *p = arena_alloc(a, (size_t)x.n + y.n + 1);
    if (x.n > 0)
        memcpy(p, x.p, x.n);
    if (y.n > 0)
        memcpy(p + x.n, y.p, y.n);
    p[x.n + y.n] = '\0';
    return (struct str){p, x.n + y.n, str_taint_join(x.taint, y.taint)};
}

struct str
str_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0 && (size_t)n <= STR_MAX);
    char *p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return str_from(p, (size_t)n);
}
