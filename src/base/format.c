/* printf for common directives; see format.h. */
#include "base/format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { DIGITS_MAX = 20, WIDTH_MAX = 20 };

/* Where text goes; n counts what does not fit, too. */
struct sink {
    char *out;
    size_t cap, n;
};

/* The arguments, as a value that can be passed on. */
struct arguments {
    va_list v;
};

enum length { LENGTH_INT, LENGTH_LONG, LENGTH_LONG_LONG, LENGTH_SIZE, LENGTH_MAX };

struct directive {
    unsigned width; /* of zeros */
    bool star;      /* %.*s */
    enum length length;
    char what;
};

static void
put(struct sink *s, const char *p, size_t n)
{
    if (s->n < s->cap) {
        size_t room = s->cap - s->n;
        memcpy(s->out + s->n, p, n < room ? n : room);
    }
    s->n += n;
}

/* Reads one behind its percent sign. NULL: another kind. */
static const char *
read_directive(const char *p, struct directive *d)
{
    *d = (struct directive){.length = LENGTH_INT};
    if (*p == '0') {
        for (p++; *p >= '0' && *p <= '9' && d->width <= WIDTH_MAX; p++)
            d->width = d->width * 10 + (unsigned)(*p - '0');
    }
    if (p[0] == '.' && p[1] == '*') {
        d->star = true;
        p += 2;
    }
    if (p[0] == 'l' && p[1] == 'l') {
        d->length = LENGTH_LONG_LONG;
        p += 2;
    } else if (*p == 'l' || *p == 'z' || *p == 'j') {
        d->length = *p == 'l' ? LENGTH_LONG : *p == 'z' ? LENGTH_SIZE : LENGTH_MAX;
        p++;
    }
    d->what = *p;
    if (d->width > WIDTH_MAX || *p == '\0')
        return NULL;
    return p + 1;
}

static uintmax_t
take_unsigned(struct arguments *a, enum length length)
{
    switch (length) {
    case LENGTH_INT:
        return va_arg(a->v, unsigned);
    case LENGTH_LONG:
        return va_arg(a->v, unsigned long);
    case LENGTH_LONG_LONG:
        return va_arg(a->v, unsigned long long);
    case LENGTH_SIZE:
        return va_arg(a->v, size_t);
    case LENGTH_MAX:
        break;
    }
    return va_arg(a->v, uintmax_t);
}

static intmax_t
take_signed(struct arguments *a, enum length length)
{
    switch (length) {
    case LENGTH_INT:
        return va_arg(a->v, int);
    case LENGTH_LONG:
        return va_arg(a->v, long);
    case LENGTH_LONG_LONG:
        return va_arg(a->v, long long);
    case LENGTH_SIZE:
        return va_arg(a->v, ptrdiff_t);
    case LENGTH_MAX:
        break;
    }
    return va_arg(a->v, intmax_t);
}

static void
put_number(struct sink *s, const struct directive *d, bool negative, uintmax_t n)
{
    static const char digits[] = "0123456789abcdef";
    char text[1 + WIDTH_MAX + DIGITS_MAX];
    char *end = text + sizeof text, *p = end;
    unsigned base = d->what == 'x' ? 16 : 10;
    do {
        *--p = digits[n % base];
        n /= base;
    } while (n > 0);
    while ((size_t)(end - p) + negative < d->width)
        *--p = '0';
    if (negative)
        *--p = '-';
    put(s, p, (size_t)(end - p));
}

static void
put_text(struct sink *s, const struct directive *d, struct arguments *a)
{
    int most = d->star ? va_arg(a->v, int) : -1;
    const char *p = va_arg(a->v, const char *);
    if (p == NULL) /* as the C library does */
        p = most < 0 || most >= 6 ? "(null)" : "";
    put(s, p, most < 0 ? strlen(p) : strnlen(p, (size_t)most));
}

static bool
put_directive(struct sink *s, const struct directive *d, struct arguments *a)
{
    char c;
    intmax_t n;
    if (d->what == 's' && d->width == 0 && d->length == LENGTH_INT) {
        put_text(s, d, a);
        return true;
    }
    if (d->star)
        return false;
    switch (d->what) {
    case 'd':
    case 'i':
        n = take_signed(a, d->length);
        put_number(s, d, n < 0, n < 0 ? 0 - (uintmax_t)n : (uintmax_t)n);
        return true;
    case 'u':
    case 'x':
        put_number(s, d, false, take_unsigned(a, d->length));
        return true;
    case 'c':
        c = (char)va_arg(a->v, int);
        put(s, &c, 1);
        return d->width == 0 && d->length == LENGTH_INT;
    default:
        return false;
    }
}

/* Its own function for the sake of a copy of the arguments. */
static bool
put_all(struct sink *s, const char *fmt, struct arguments *a)
{
    for (;;) {
        const char *percent = strchr(fmt, '%');
        struct directive d;
        if (percent == NULL) {
            put(s, fmt, strlen(fmt));
            return true;
        }
        put(s, fmt, (size_t)(percent - fmt));
        if (percent[1] == '%') {
            put(s, percent, 1);
            fmt = percent + 2;
            continue;
        }
        fmt = read_directive(percent + 1, &d);
        if (fmt == NULL || !put_directive(s, &d, a))
            return false;
    }
}

int
format_text(char *out, size_t cap, const char *fmt, va_list ap)
{
    struct sink s = {.out = out, .cap = cap};
    struct arguments a;
    va_copy(a.v, ap);
    bool known = put_all(&s, fmt, &a);
    va_end(a.v);
    if (!known || s.n > INT_MAX)
        return FORMAT_UNKNOWN;
    if (cap > 0)
        out[s.n < cap ? s.n : cap - 1] = '\0';
    return (int)s.n;
}
