/* Looking at sixteen bytes at a time; see wide.h. */
#include "base/wide.h"

uint32_t
wide_plain_range(const char *p, char from, char to)
{
    uint32_t mask = 0;
    unsigned width = (unsigned char)to - (unsigned)(unsigned char)from;
    for (unsigned i = 0; i < WIDE_BYTES; i++) {
        unsigned above = (unsigned char)p[i] - (unsigned)(unsigned char)from;
        mask |= (uint32_t)(above <= width) << i;
    }
    return mask;
}

void
wide_plain_lower(char *to, const char *from)
{
    for (unsigned i = 0; i < WIDE_BYTES; i++)
        to[i] = ascii_lower(from[i]);
}

void
wide_lower_all(char *to, const char *from, size_t n)
{
    size_t at = 0;
    for (; n - at >= WIDE_BYTES; at += WIDE_BYTES)
        wide_lower(to + at, from + at);
    for (; at < n; at++)
        to[at] = ascii_lower(from[at]);
    memset(to + n, 0, WIDE_BYTES);
}

/* The first place of the needle. */
static bool
is_lower_of(const char *s, struct str needle)
{
    uint32_t i = 0;
    while (i < needle.n && s[i] == ascii_lower(needle.p[i]))
        i++;
    return i == needle.n;
}

/* From offset `at` on, where the first and the last byte fit, every place is tried. */
static size_t __attribute__((noinline)) find_from(struct str s, struct str needle, size_t at)
{
    char first = ascii_lower(needle.p[0]);
    for (size_t last = s.n - needle.n; at <= last; at++) {
        const char *p = memchr(s.p + at, first, last + 1 - at);
        if (p == NULL)
            return STR_NPOS;
        at = (size_t)(p - s.p);
        if (is_lower_of(p, needle))
            return at;
    }
    return STR_NPOS;
}

/* Nothing is called in the loop, which finds that there is no such place most of the time. */
size_t
wide_find_lower(struct str s, struct str needle)
{
    if (needle.n - 1 >= s.n)
        return STR_NPOS;
    const char *p = s.p;
    const char *behind = p + (s.n - needle.n) + 1;
    size_t last_at = needle.n - 1;
    char first = ascii_lower(needle.p[0]);
    char last = ascii_lower(needle.p[last_at]);
    do {
        wide_set fit =
            wide_and(wide_is(wide_read(p), first), wide_is(wide_read(p + last_at), last));
        if (wide_mask(fit) != 0)
            return find_from(s, needle, (size_t)(p - s.p));
        p += WIDE_BYTES;
    } while (p < behind);
    return STR_NPOS;
}
