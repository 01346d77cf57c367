/* Base 64 and hexadecimal. Output is sized before the loop; no table lookup is indexed by an
 * unchecked byte. The decoder accepts what the reference's ${base64d:} does and no more. */
#include "base/base64.h"

#include "base/arena.h"
#include "base/buf.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
add_quartet(struct buf *out, const unsigned char *p, size_t n)
{
    unsigned v = (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
    char q[4] = {base64_digits[v >> 18], base64_digits[v >> 12 & 63],
                 n > 1 ? base64_digits[v >> 6 & 63] : '=', n > 2 ? base64_digits[v & 63] : '='};
    buf_add(out, q, sizeof q);
}

void
base64_add(struct buf *out, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n; i += 3)
        add_quartet(out, p + i, s.n - i);
    out->taint = str_taint_join(out->taint, s.taint);
}

struct str
base64_encode(struct arena *a, struct str s)
{
    struct buf b = buf_in(a, 0);
    base64_add(&b, s);
    return buf_str(&b);
}

int
base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* State of a decoder: bits collected in the quartet, digits and padding signs seen in it. */
struct decoder {
    unsigned bits;
    unsigned digits;
    unsigned pads;
    bool ended; /* a padded quartet is complete */
};

static bool
decode_byte(struct decoder *d, char c, struct buf *out)
{
    int v = base64_value(c);
    if (d->ended || (v < 0 && c != '='))
        return false;
    if (c == '=') {
        if (d->digits < 2)
            return false;
        d->pads++;
    } else {
        if (d->pads > 0)
            return false;
        d->bits = d->bits << 6 | (unsigned)v;
        d->digits++;
    }
    if (d->digits + d->pads < 4)
        return true;
    d->bits <<= 6 * d->pads;
    for (unsigned i = 0; i < 3 - d->pads; i++)
        buf_addc(out, (char)(d->bits >> (16 - 8 * i) & 0xff));
    *d = (struct decoder){.ended = d->pads > 0};
    return true;
}

bool
base64_decode(struct arena *a, struct str s, struct str *out, size_t *error_at)
{
    struct decoder d = {0};
    struct buf b = buf_in(a, 0);
    size_t i = 0;
    b.taint = s.taint;
    for (; i < s.n; i++)
        if (!ascii_space(s.p[i]) && !decode_byte(&d, s.p[i], &b))
            break;
    if (i < s.n || d.digits != 0) {
        if (error_at != NULL)
            *error_at = i;
        return false;
    }
    *out = buf_str(&b);
    return true;
}

struct str
hex_encode(struct arena *a, struct str s)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        buf_addc(&b, "0123456789abcdef"[c >> 4]);
        buf_addc(&b, "0123456789abcdef"[c & 15]);
    }
    b.taint = s.taint;
    return buf_str(&b);
}

bool
hex_decode(struct arena *a, struct str s, struct str *out, size_t *error_at)
{
    size_t i = 0;
    while (i < s.n && ascii_hex(s.p[i]) >= 0)
        i++;
    if (i < s.n || s.n % 2 != 0) {
        if (error_at != NULL)
            *error_at = i;
        return false;
    }
    char *p = arena_alloc(a, s.n / 2 + 1);
    for (i = 0; i < s.n / 2; i++)
        p[i] = (char)(ascii_hex(s.p[2 * i]) << 4 | ascii_hex(s.p[2 * i + 1]));
    p[i] = '\0';
    *out = str_from(p, s.n / 2);
    out->taint = s.taint;
    return true;
}
