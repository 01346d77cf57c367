/* One decoder of backslash escapes; see escape.h. */
#include "base/escape.h"

#include "base/buf.h"

static unsigned
take_digits(struct str s, size_t *at, unsigned base, unsigned most)
{
    unsigned value = 0;
    for (unsigned i = 0; i < most && *at < s.n; i++) {
        int d = ascii_hex(s.p[*at]);
        if (d < 0 || (unsigned)d >= base)
            break;
        value = value * base + (unsigned)d;
        ++*at;
    }
    return value;
}

char
escape_byte(struct str s, size_t *at)
{
    static const char from[] = "bfnrtv";
    static const char to[] = "\b\f\n\r\t\v";
    char c = s.p[*at];
    if (c >= '0' && c <= '7')
        return (char)take_digits(s, at, 8, 3);
    ++*at;
    if (c == 'x')
        return (char)take_digits(s, at, 16, 2);
    for (size_t i = 0; i < sizeof from - 1; i++) {
        if (c == from[i])
            return to[i];
    }
    return c;
}

struct str
escape_quoted_word(struct arena *a, struct str s, size_t *at)
{
    struct buf b = buf_in(a, 0);
    size_t i = *at + 1;
    b.taint = s.taint;
    while (i < s.n && s.p[i] != '"') {
        char c = s.p[i++];
        buf_addc(&b, c == '\\' && i < s.n ? escape_byte(s, &i) : c);
    }
    *at = i < s.n ? i + 1 : i;
    struct str word = buf_str(&b);
    return word.p != NULL ? word : (struct str){"", 0, s.taint};
}
