/* Finding one of a few bytes in a text, sixteen bytes at a time where the processor can (SSE2, which every amd64 has);
 * elsewhere byte by byte. Nothing outside the text is read. */
#ifndef REMEX_BASE_SCAN_H
#define REMEX_BASE_SCAN_H

#include "base/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A set of up to three bytes; give one of them again for fewer. */
struct scan_set {
    char a, b, c;
};

#ifdef __SSE2__
enum { SCAN_STEP = 16 };

/* Bit i: byte i of the sixteen at p is in the set. */
static inline unsigned
scan_mask(const char *p, struct scan_set set)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i a = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(set.a));
    __m128i b = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(set.b));
    __m128i c = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(set.c));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b), c));
}
#endif

/* Offset of the first byte of the set at or after `at`, which is at most s.n; s.n when there is none. */
static inline size_t
scan_any(struct str s, size_t at, struct scan_set set)
{
#ifdef __SSE2__
    unsigned found;
    for (; s.n - at >= SCAN_STEP; at += SCAN_STEP) {
        if ((found = scan_mask(s.p + at, set)) != 0)
            return at + (size_t)__builtin_ctz(found);
    }
    if (s.n >= SCAN_STEP) { /* the last ones, some of which were seen */
        found = scan_mask(s.p + s.n - SCAN_STEP, set) >> (SCAN_STEP - (s.n - at));
        return found != 0 ? at + (size_t)__builtin_ctz(found) : s.n;
    }
#endif
    while (at < s.n && s.p[at] != set.a && s.p[at] != set.b && s.p[at] != set.c)
        at++;
    return at;
}

/* The first c in [p, end), or end. */
static inline const char *
scan_byte(const char *p, const char *end, char c)
{
#ifdef __SSE2__
    for (; end - p >= SCAN_STEP; p += SCAN_STEP) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
        if (found != 0)
            return p + __builtin_ctz((unsigned)found);
    }
#endif
    while (p < end && *p != c)
        p++;
    return p;
}

/* How many of the n bytes at a and b are the same before the first that is not. */
static inline size_t
scan_same(const char *a, const char *b, size_t n)
{
    size_t i = 0;
#ifdef __SSE2__
    for (; n - i >= SCAN_STEP; i += SCAN_STEP) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(a + i));
        __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(b + i));
        unsigned others = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) ^ 0xffff;
        if (others != 0)
            return i + (size_t)__builtin_ctz(others);
    }
    if (n >= SCAN_STEP && i < n) { /* the last ones, some of which were seen */
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(a + n - SCAN_STEP));
        __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(b + n - SCAN_STEP));
        unsigned others = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) ^ 0xffff;
        return others != 0 ? n - SCAN_STEP + (size_t)__builtin_ctz(others) : n;
    }
#endif
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

#endif
