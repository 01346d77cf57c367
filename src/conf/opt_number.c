/* Numbers of option values: integers with multipliers, octal, fixed point, time intervals.
 *
 * Source: specification, sections "Integer values" to "Time intervals". Every step is checked: the
 * digits come from a file.
 */
#include "conf/opt_parse.h"

enum { SECOND = 1, MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 604800 };

struct digits {
    int64_t value;
    size_t used; /* 0: no number */
    bool overflow;
};

/* An optional sign and digits; base 0 reads 0x and a leading 0 as C does. */
static struct digits
read_digits(struct str s, int base)
{
    struct digits d = {.value = 0};
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    int64_t sign = i == 1 && s.p[0] == '-' ? -1 : 1;
    if (base == 0 && i + 2 < s.n && s.p[i] == '0' && ascii_lower(s.p[i + 1]) == 'x' &&
        ascii_hex(s.p[i + 2]) >= 0) {
        base = 16;
        i += 2;
    }
    if (base == 0)
        base = i < s.n && s.p[i] == '0' ? 8 : 10;
    for (; i < s.n; i++) {
        int digit = ascii_hex(s.p[i]);
        if (digit < 0 || digit >= base)
            break;
        d.overflow |= __builtin_mul_overflow(d.value, base, &d.value) ||
                      __builtin_add_overflow(d.value, sign * digit, &d.value);
        d.used = i + 1;
    }
    return d;
}

/* log2 of the multiplier that a letter stands for, or -1. */
static int
suffix_shift(char c)
{
    static const char letters[] = "kmgtpez";
    for (int i = 0; letters[i] != '\0'; i++)
        if (ascii_lower(c) == letters[i])
            return 10 * (i + 1);
    return -1;
}

static bool
multiply(int64_t *v, int shift)
{
    int64_t factor = shift < 63 ? (int64_t)1 << shift : 0;
    return *v == 0 || (factor != 0 && !__builtin_mul_overflow(*v, factor, v));
}

/* INT, SIZE, KSIZE (whose unit is 1024, so that K multiplies by one) and OCTAL. */
static enum opt_number
read_integer(enum opt_type type, struct str s, int64_t *out, size_t *used)
{
    struct digits d = read_digits(s, type == OPT_T_OCTAL ? 8 : 0);
    *used = d.used;
    if (d.used == 0)
        return OPT_NUMBER_NONE;
    int shift = d.used < s.n ? suffix_shift(s.p[d.used]) : -1;
    if (shift >= 0) {
        (*used)++;
        d.overflow |= !multiply(&d.value, type == OPT_T_KSIZE ? shift - 10 : shift);
    }
    bool wide = type == OPT_T_KSIZE;
    if (d.overflow || (!wide && (d.value > INT32_MAX || d.value < INT32_MIN)))
        return OPT_NUMBER_OVERFLOW;
    *out = d.value;
    return OPT_NUMBER_OK;
}

/* Thousandths; digits after the third are read and dropped. */
static enum opt_number
read_fixed(struct str s, int64_t *out, size_t *used)
{
    struct digits d = read_digits(s, 10);
    *used = d.used;
    if (d.used == 0 || s.p[0] == '+')
        return OPT_NUMBER_NONE;
    if (d.overflow || d.value < 0 || s.p[0] == '-' || d.value > INT32_MAX)
        return OPT_NUMBER_OVERFLOW;
    int64_t v = d.value * 1000;
    size_t i = d.used;
    if (i < s.n && s.p[i] == '.') {
        int64_t unit = 100;
        for (i++; i < s.n && ascii_digit(s.p[i]); i++, unit /= 10)
            v += unit * (s.p[i] - '0');
    }
    *used = i;
    *out = v;
    return OPT_NUMBER_OK;
}

enum opt_number
opt_read_number(enum opt_type type, struct str text, int64_t *out, size_t *used)
{
    return type == OPT_T_FIXED ? read_fixed(text, out, used)
                               : read_integer(type, text, out, used);
}

static int64_t
unit_of(char c)
{
    static const struct {
        char letter;
        int32_t seconds;
    } units[] = {{'s', SECOND}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', WEEK}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].letter == c)
            return units[i].seconds;
    return 0;
}

int64_t
opt_read_time(struct str text)
{
    int64_t total = 0;
    size_t i = 0;
    do {
        struct str rest = str_sub(text, i, text.n);
        if (rest.n == 0 || !ascii_digit(rest.p[0]))
            return -1;
        struct digits d = read_digits(rest, 10);
        int64_t unit = d.used < rest.n ? unit_of(rest.p[d.used]) : 0;
        int64_t part;
        if (unit == 0 || d.overflow || __builtin_mul_overflow(d.value, unit, &part) ||
            __builtin_add_overflow(total, part, &total) || total > INT32_MAX)
            return -1;
        i += d.used + 1;
    } while (i < text.n);
    return total;
}
