/* Strings with a length and a taint mark: comparisons, searches, copies. */
#include "base/str.h"

#include "base/arena.h"
#include "base/format.h"
#include "base/load.h"

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

bool
str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_from_cstr(z));
}

/* --- eight bytes at a time --- */

/* The high bit of every byte of w that is an ASCII letter from `first` to its Z; no carry leaves
 * a byte. */
static inline uint64_t
letter_bits(uint64_t w, unsigned first)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = w & (ones * 127);
    return (ones * (127 + first + 26) - low) & ~w & (low + ones * (128 - first)) & (ones * 128);
}

/* Letters of one case, the one that begins with `first`, become those of the other. */
static inline uint64_t
swap_case(uint64_t w, unsigned first)
{
    return w ^ letter_bits(w, first) >> 2;
}

/* --- comparisons --- */

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
    if (a.n != b.n)
        return false;
    size_t i = 0;
    for (; i + 8 <= a.n; i += 8) {
        uint64_t x = load8(a.p + i);
        uint64_t y = load8(b.p + i);
        if (x != y && swap_case(x, 'A') != swap_case(y, 'A'))
            return false;
    }
    for (; i < a.n; i++) {
        if (a.p[i] != b.p[i] && ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    }
    return true;
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
str_take_until(struct str *rest, char end)
{
    size_t at = str_chr(*rest, end, 0);
    struct str part = str_sub(*rest, 0, at);
    *rest = at == STR_NPOS ? str_sub(*rest, rest->n, 0) : str_sub(*rest, at + 1, rest->n);
    return part;
}

struct str
str_take_word(struct str *rest)
{
    size_t n = 0;
    *rest = str_trim_left(*rest);
    while (n < rest->n && !ascii_space(rest->p[n]))
        n++;
    struct str word = str_sub(*rest, 0, n);
    *rest = str_trim_left(str_sub(*rest, n, rest->n));
    return word;
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

static bool
is_word_byte(struct str s, size_t at)
{
    return at < s.n && (ascii_alnum(s.p[at]) || s.p[at] == '_');
}

bool
str_has_word(struct str s, struct str word)
{
    for (size_t at = 0; (at = str_find(s, word, at)) != STR_NPOS; at++)
        if ((at == 0 || !is_word_byte(s, at - 1)) && !is_word_byte(s, at + word.n))
            return true;
    return false;
}

size_t
str_count(struct str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; (i = str_chr(s, c, i)) != STR_NPOS; i++)
        n++;
    return n;
}

bool
str_has_nul(struct str s)
{
    return str_chr(s, '\0', 0) != STR_NPOS;
}

/* --- letters --- */

/* Fewer than eight bytes as one word; those of three to seven overlap. */
static inline uint64_t
short_word(const char *p, size_t n)
{
    if (n >= 4)
        return load4(p) | (uint64_t)load4(p + n - 4) << 32;
    if (n == 0)
        return 0;
    return (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 |
           (uint64_t)(unsigned char)p[n - 1] << 16;
}

static inline bool
has_letter(struct str s, unsigned first)
{
    if (s.n < 8)
        return letter_bits(short_word(s.p, s.n), first) != 0;
    const char *last = s.p + s.n - 8;
    uint64_t found = letter_bits(load8(last), first);
    for (const char *p = s.p; p < last && found == 0; p += 8)
        found = letter_bits(load8(p), first);
    return found != 0;
}

bool
str_has_upper(struct str s)
{
    return has_letter(s, 'A');
}

bool
str_has_lower(struct str s)
{
    return has_letter(s, 'a');
}

/* --- hashes --- */

static inline uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h << 35 | h >> 29;
}

static inline uint64_t
finish(uint64_t h)
{
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

/* Two words a round, each with a sum of its own; the last words overlap what was before. */
uint64_t
str_hash(struct str s)
{
    uint64_t h = UINT64_C(0x51ed270b0b1f3a2d) ^ s.n;
    uint64_t g = UINT64_C(0x2545f4914f6cdd1d);
    if (s.n < 8)
        return finish(mix(h, short_word(s.p, s.n)));
    const char *p = s.p;
    const char *last = p + s.n - 8;
    for (; last - p > 8; p += 16) {
        h = mix(h, load8(p));
        g = mix(g, load8(p + 8));
    }
    if (p < last)
        h = mix(h, load8(p));
    return finish(mix(h ^ g, load8(last)));
}

uint64_t
str_ihash(struct str s)
{
    uint64_t h = UINT64_C(0x2545f4914f6cdd1d) ^ s.n;
    if (s.n < 8)
        return finish(mix(h, swap_case(short_word(s.p, s.n), 'A')));
    const char *last = s.p + s.n - 8;
    for (const char *p = s.p; p < last; p += 8)
        h = mix(h, swap_case(load8(p), 'A'));
    return finish(mix(h, swap_case(load8(last), 'A')));
}

/* --- copies --- */

void
str_wipe(struct str s)
{
    union {
        const char *text;
        void *bytes;
    } p = {.text = s.p};
    if (s.n > 0)
        explicit_bzero(p.bytes, s.n);
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

/* A copy with the letters of one case, the one that begins with `first`, as those of the other. */
static inline struct str
copy_swapped(struct arena *a, struct str s, char first)
{
    char *p = arena_alloc(a, (size_t)s.n + 1);
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t w = swap_case(load8(s.p + i), (unsigned char)first);
        memcpy(p + i, &w, sizeof w);
    }
    for (; i < s.n; i++) {
        bool letter = s.p[i] >= first && s.p[i] < first + 26;
        p[i] = (char)(s.p[i] ^ (letter ? 'a' ^ 'A' : 0));
    }
    p[s.n] = '\0';
    return (struct str){p, s.n, s.taint};
}

struct str
str_lower(struct arena *a, struct str s)
{
    return copy_swapped(a, s, 'A');
}

struct str
str_upper(struct arena *a, struct str s)
{
    return copy_swapped(a, s, 'a');
}

/* Most are of a few bytes, for which a loop of bytes is best. */
static inline struct str
changed(struct arena *a, struct str s, char first)
{
    if (s.n > 12)
        return has_letter(s, (unsigned char)first) ? copy_swapped(a, s, first) : s;
    char *p = arena_alloc(a, 16);
    unsigned changes = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned c = (unsigned char)s.p[i];
        unsigned change = (unsigned)(c - (unsigned char)first < 26) << 5;
        changes |= change;
        p[i] = (char)(c ^ change);
    }
    p[s.n] = '\0';
    return changes == 0 ? s : (struct str){p, s.n, s.taint};
}

struct str
str_lowered(struct arena *a, struct str s)
{
    return changed(a, s, 'A');
}

struct str
str_uppered(struct arena *a, struct str s)
{
    return changed(a, s, 'a');
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
str_join(struct arena *a, const struct str *parts, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += parts[i].n;
    assert(total <= STR_MAX);
    char *p = arena_alloc(a, total + 1), *at = p;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    *at = '\0';
    return str_from(p, total);
}

struct str
str_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    char text[512]; /* most are shorter */
    int n = format_text(text, sizeof text, fmt, ap);
    bool known = n >= 0;
    if (!known) {
        va_copy(again, ap);
        n = vsnprintf(text, sizeof text, fmt, again);
        va_end(again);
    }
    assert(n >= 0 && (size_t)n <= STR_MAX);
    char *p = arena_alloc(a, (size_t)n + 1);
    if ((size_t)n < sizeof text)
        memcpy(p, text, (size_t)n + 1);
    else if (known)
        (void)format_text(p, (size_t)n + 1, fmt, ap);
    else
        (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
    return str_from(p, (size_t)n);
}

struct str
str_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = str_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}
