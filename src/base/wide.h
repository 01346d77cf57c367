/* Looking at sixteen bytes at a time: which of them are of some kind, as a mask with bit i for byte i.
 *
 * SSE2 where the compiler has it (every amd64), loops with the same answers elsewhere. The caller sees to it that sixteen
 * bytes can be read.
 */
#ifndef REMEX_BASE_WIDE_H
#define REMEX_BASE_WIDE_H

#include "base/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WIDE_BYTES = 16 };

/* The loops; wide_is and so on are what is called. */
uint32_t wide_plain_range(const char *p, char from, char to);
void wide_plain_lower(char *to, const char *from);

#ifdef __SSE2__

/* Sixteen bytes, and which of them are of some kind. */
typedef __m128i wide_block;
typedef __m128i wide_set;

static inline wide_block
wide_read(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Bytes that are c. */
static inline wide_set
wide_is(wide_block v, char c)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

/* Bytes from `from` up to and with `to`: as unsigned numbers, those below `from` wrap round and are more than the others. */
static inline wide_set
wide_within(wide_block v, char from, char to)
{
    __m128i above = _mm_sub_epi8(v, _mm_set1_epi8(from));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8((char)(to - from))), above);
}

static inline wide_set
wide_or(wide_set a, wide_set b)
{
    return _mm_or_si128(a, b);
}

static inline wide_set
wide_and(wide_set a, wide_set b)
{
    return _mm_and_si128(a, b);
}

static inline uint32_t
wide_mask(wide_set s)
{
    return (uint32_t)_mm_movemask_epi8(s);
}

/* The same sixteen bytes. */
static inline bool
wide_same(const char *a, const char *b)
{
    return wide_mask(_mm_cmpeq_epi8(wide_read(a), wide_read(b))) == 0xffff;
}

/* The first n of sixteen bytes are the same. */
static inline bool
wide_same_first(const char *a, const char *b, uint32_t n)
{
    uint32_t same = wide_mask(_mm_cmpeq_epi8(wide_read(a), wide_read(b)));
    return (~same & ((UINT32_C(1) << n) - 1)) == 0;
}

/* Sixteen bytes, ASCII letters in lower case. */
static inline void
wide_lower(char *to, const char *from)
{
    __m128i v = wide_read(from);
    __m128i bit = _mm_and_si128(wide_within(v, 'A', 'Z'), _mm_set1_epi8('a' - 'A'));
    _mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(v, bit));
}

#else

typedef const char *wide_block;
typedef uint32_t wide_set;

static inline wide_block
wide_read(const char *p)
{
    return p;
}

static inline wide_set
wide_is(wide_block v, char c)
{
    return wide_plain_range(v, c, c);
}

static inline wide_set
wide_within(wide_block v, char from, char to)
{
    return wide_plain_range(v, from, to);
}

static inline wide_set
wide_or(wide_set a, wide_set b)
{
    return a | b;
}

static inline wide_set
wide_and(wide_set a, wide_set b)
{
    return a & b;
}

static inline uint32_t
wide_mask(wide_set s)
{
    return s;
}

static inline bool
wide_same(const char *a, const char *b)
{
    return memcmp(a, b, WIDE_BYTES) == 0;
}

static inline bool
wide_same_first(const char *a, const char *b, uint32_t n)
{
    return memcmp(a, b, n) == 0;
}

static inline void
wide_lower(char *to, const char *from)
{
    wide_plain_lower(to, from);
}

#endif

/* White space as ascii_space has it. */
static inline wide_set
wide_space(wide_block v)
{
    return wide_or(wide_is(v, ' '), wide_within(v, '\t', '\r'));
}

/* The lowest byte of a mask that is not 0. */
static inline unsigned
wide_first(uint32_t mask)
{
    return (unsigned)__builtin_ctz(mask);
}

/* The same n bytes; WIDE_BYTES bytes can be read where the last of them is. */
static inline bool
wide_same_all(const char *a, const char *b, uint32_t n)
{
    if (n < WIDE_BYTES)
        return wide_same_first(a, b, n);
    const char *last = a + n - WIDE_BYTES;
    const char *last_b = b + n - WIDE_BYTES;
    for (; a < last; a += WIDE_BYTES, b += WIDE_BYTES) {
        if (!wide_same(a, b))
            return false;
    }
    return wide_same(last, last_b);
}

/* A copy of n bytes, ASCII letters in lower case. WIDE_BYTES bytes more than n are written (anything) to `to`, and none is read
 * behind the n of `from`. */
void wide_lower_all(char *to, const char *from, size_t n);
/* Offset of needle (of any case, not empty) in s, whose letters are in lower case; STR_NPOS: it is not there. WIDE_BYTES
 * bytes behind s can be read. */
size_t wide_find_lower(struct str s, struct str needle);

#endif
