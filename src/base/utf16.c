/* UTF-16, low byte first; see the header. Source: RFC 2781. */
#include "base/utf16.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

enum { PLANE = 0x10000, HIGH = 0xd800, LOW = 0xdc00, SURROGATES_END = 0xe000, HALF_BITS = 10 };

static void
add_unit(struct buf *b, uint32_t unit)
{
    buf_addc(b, (char)(unit & 0xff));
    buf_addc(b, (char)(unit >> 8));
}

bool
utf16_from_utf8(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a, 0);
    uint32_t code;
    b.taint = s.taint;
    for (size_t at = 0, n; at < s.n; at += n) {
        n = utf8_decode(s.p + at, s.n - at, &code);
        if (n == 0)
            return false;
        if (code < PLANE) {
            add_unit(&b, code);
            continue;
        }
        add_unit(&b, HIGH + ((code - PLANE) >> HALF_BITS));
        add_unit(&b, LOW + ((code - PLANE) & ((1U << HALF_BITS) - 1)));
    }
    *out = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return !b.overflow;
}

static uint32_t
unit_at(struct str s, size_t at)
{
    return (uint32_t)(unsigned char)s.p[at] | (uint32_t)(unsigned char)s.p[at + 1] << 8;
}

/* The character at *at, which moves behind it. False: half of a pair. */
static bool
take_code(struct str s, size_t *at, uint32_t *code)
{
    *code = unit_at(s, *at);
    *at += 2;
    if (*code < HIGH || *code >= SURROGATES_END)
        return true;
    if (*code >= LOW || *at >= s.n)
        return false;
    uint32_t low = unit_at(s, *at);
    if (low < LOW || low >= SURROGATES_END)
        return false;
    *at += 2;
    *code = PLANE + ((*code - HIGH) << HALF_BITS) + (low - LOW);
    return true;
}

bool
utf16_to_utf8(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a, 0);
    uint32_t code;
    char bytes[4];
    b.taint = s.taint;
    if (s.n % 2 != 0)
        return false;
    for (size_t at = 0; at < s.n;) {
        if (!take_code(s, &at, &code))
            return false;
        buf_add(&b, bytes, utf8_encode(code, bytes));
    }
    *out = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return !b.overflow;
}
