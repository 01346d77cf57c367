/* Numbers as Exim's languages write them.
 *
 * Every sum and product of outside digits is checked or saturates; where the reference wraps
 * around (base 62, arithmetic) unsigned arithmetic does so without undefined behaviour. The
 * arithmetic evaluator is in num_eval.c.
 */
#include "base/num.h"

#include "base/buf.h"

#include <inttypes.h>
#include <string.h>

static unsigned
digit_value(char c)
{
    int v = ascii_hex(c);
    return v < 0 ? 99 : (unsigned)v;
}

/* Digits of one base into *n; true unless they overflow. */
static bool
scan_digits(struct str s, size_t *pos, unsigned base, uint64_t *n)
{
    bool fits = true;
    *n = 0;
    for (; *pos < s.n && digit_value(s.p[*pos]) < base; ++*pos)
        if (__builtin_mul_overflow(*n, base, n) ||
            __builtin_add_overflow(*n, digit_value(s.p[*pos]), n))
            fits = false;
    return fits;
}

/* Bits to shift for a suffix at pos, 0 for none. */
static unsigned
suffix_bits(struct str s, size_t pos, unsigned flags)
{
    if (pos >= s.n)
        return 0;
    if ((flags & NUM_SUFFIX_T) != 0 && s.p[pos] == 'T')
        return 40;
    if ((flags & NUM_SUFFIX) == 0)
        return 0;
    switch (s.p[pos]) {
    case 'K':
    case 'k':
        return 10;
    case 'M':
    case 'm':
        return 20;
    case 'G':
    case 'g':
        return 30;
    default:
        return 0;
    }
}

/* The base that a prefix at *pos calls for; steps over "0x". */
static unsigned
scan_base(struct str s, size_t *pos, unsigned flags)
{
    if ((flags & NUM_OCTAL_HEX) == 0 || *pos >= s.n || s.p[*pos] != '0')
        return 10;
    if (*pos + 2 < s.n && ascii_lower(s.p[*pos + 1]) == 'x' && ascii_hex(s.p[*pos + 2]) >= 0) {
        *pos += 2;
        return 16;
    }
    return 8;
}

static bool
signed_value(bool negative, uint64_t n, int64_t *out)
{
    if (n > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

enum num_status
num_scan(struct str s, size_t *pos, unsigned flags, int64_t *out)
{
    size_t at = *pos;
    uint64_t n;
    bool negative = at < s.n && s.p[at] == '-';
    if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
        at++;
    if (at >= s.n || !ascii_digit(s.p[at]))
        return NUM_NONE;
    unsigned base = scan_base(s, &at, flags);
    bool fits = scan_digits(s, &at, base, &n);
    unsigned bits = suffix_bits(s, at, flags);
    if (bits != 0) {
        at++;
        fits = fits && !__builtin_mul_overflow(n, UINT64_C(1) << bits, &n);
    }
    *pos = at;
    return fits && signed_value(negative, n, out) ? NUM_OK : NUM_RANGE;
}

/* Up to nine digits, perhaps with a suffix behind them: what nearly all numbers are. */
static inline bool
parse_short_int(struct str s, int64_t *out)
{
    const char *p = s.p;
    const char *const end = p + (s.n < 9 ? s.n : 9);
    uint64_t n = 0;
    unsigned digit;
    for (; p < end && (digit = (unsigned)(unsigned char)*p - '0') < 10; p++)
        n = n * 10 + digit;
    *out = (int64_t)n;
    uint32_t used = (uint32_t)(p - s.p);
    if (used == s.n)
        return used > 0;
    unsigned bits = suffix_bits(s, used, NUM_SUFFIX);
    *out = (int64_t)(n << bits);
    return used > 0 && bits != 0 && used + 1 == s.n;
}

enum num_status
num_parse_int(struct str s, int64_t *out)
{
    if (parse_short_int(s, out))
        return NUM_OK;
    struct str t = str_trim(s);
    size_t pos = 0;
    *out = 0;
    if (t.n == 0)
        return NUM_OK;
    enum num_status st = num_scan(t, &pos, NUM_SUFFIX, out);
    if (st == NUM_NONE || pos == t.n)
        return st;
    return NUM_BAD;
}

char *
num_write_before(char *end, uint64_t n)
{
    static const char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940"
        "4142434445464748495051525354555657585960616263646566676869707172737475767778798081"
        "828384858687888990919293949596979899";
    for (; n >= 10000; n /= 10000) {
        uint32_t four = (uint32_t)(n % 10000);
        memcpy(end -= 2, pairs + four % 100 * 2, 2);
        memcpy(end -= 2, pairs + four / 100 * 2, 2);
    }
    for (; n >= 100; n /= 100)
        memcpy(end -= 2, pairs + n % 100 * 2, 2);
    if (n >= 10)
        memcpy(end -= 2, pairs + n * 2, 2);
    else
        *--end = (char)('0' + n);
    return end;
}

struct str
num_int_error(struct arena *a, enum num_status st, struct str s)
{
    struct buf b = buf_in(a, 0);
    s = str_trim_left(s);
    buf_addz(&b, st == NUM_NONE    ? "integer expected but \""
                 : st == NUM_RANGE ? "absolute value of integer \""
                                   : "invalid integer \"");
    buf_adds(&b, s);
    buf_addz(&b, st == NUM_NONE    ? "\" found"
                 : st == NUM_RANGE ? "\" is too large (overflow)"
                                   : "\"");
    return buf_str(&b);
}

bool
num_parse_option(struct arena *a, struct str s, int64_t *out, struct str *why)
{
    enum num_status st = str_trim(s).n == 0 ? NUM_NONE : num_parse_int(s, out);
    if (st == NUM_OK && *out >= 0)
        return true;
    *why = st != NUM_OK ? num_int_error(a, st, s)
                        : str_printf(a, "non-negative integer expected but \"%.*s\" found",
                                     STR_ARG(str_trim_left(s)));
    return false;
}

bool
num_parse_unsigned(struct str s, uint64_t *out)
{
    size_t pos = 0;
    *out = 0;
    if (s.n == 0)
        return true;
    while (pos < s.n && ascii_space(s.p[pos]))
        pos++;
    bool negative = pos < s.n && s.p[pos] == '-';
    if (pos < s.n && (s.p[pos] == '-' || s.p[pos] == '+'))
        pos++;
    if (pos >= s.n || !ascii_digit(s.p[pos]))
        return false;
    if (!scan_digits(s, &pos, 10, out))
        *out = UINT64_MAX;
    else if (negative)
        *out = 0 - *out;
    return pos == s.n;
}

bool
num_parse_digits(struct str s, uint64_t *out)
{
    size_t pos = 0;
    return scan_digits(s, &pos, 10, out) && pos == s.n && s.n > 0;
}

/* --- intervals --- */

static int64_t
unit_seconds(char c)
{
    switch (c) {
    case 'w':
        return 604800;
    case 'd':
        return 86400;
    case 'h':
        return 3600;
    case 'm':
        return 60;
    case 's':
        return 1;
    default:
        return 0;
    }
}

/* Up to three decimals behind a point at *pos, as thousandths; further digits are skipped. */
static int64_t
scan_decimals(struct str s, size_t *pos)
{
    int64_t milli = 0;
    int64_t weight = 100;
    for (; *pos < s.n && ascii_digit(s.p[*pos]); ++*pos, weight /= 10)
        milli += (s.p[*pos] - '0') * weight;
    return milli;
}

/* One "5m" part at *pos added to *ms; fractions only before 's' and only where wanted. */
static bool
interval_part(struct str s, size_t *pos, bool fractions, int64_t *ms)
{
    uint64_t n;
    int64_t decimals = 0;
    if (!ascii_digit(s.p[*pos]) || !scan_digits(s, pos, 10, &n) || n > INT32_MAX)
        return false;
    bool point = fractions && *pos < s.n && s.p[*pos] == '.';
    if (point) {
        ++*pos;
        decimals = scan_decimals(s, pos);
    }
    int64_t unit = *pos < s.n ? unit_seconds(s.p[*pos]) : 0;
    if (unit == 0 || (point && unit != 1))
        return false;
    ++*pos;
    *ms += (int64_t)n * unit * 1000 + decimals;
    return *ms / 1000 <= INT32_MAX;
}

static bool
parse_interval(struct str s, bool fractions, int64_t *ms)
{
    size_t pos = 0;
    *ms = 0;
    if (s.n == 0)
        return false;
    while (pos < s.n)
        if (!interval_part(s, &pos, fractions, ms))
            return false;
    return true;
}

bool
num_parse_interval(struct str s, int64_t *seconds)
{
    int64_t ms;
    bool ok = parse_interval(s, false, &ms);
    *seconds = ok ? ms / 1000 : 0;
    return ok;
}

bool
num_parse_interval_ms(struct str s, int64_t *ms)
{
    return parse_interval(s, true, ms);
}

void
num_add_interval(struct buf *out, int64_t seconds)
{
    static const char units[] = "wdhms";
    uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    if (seconds < 0)
        buf_addc(out, '-');
    if (left == 0)
        buf_addz(out, "0s");
    for (const char *u = units; *u != '\0'; u++) {
        uint64_t size = (uint64_t)unit_seconds(*u);
        if (left / size > 0)
            buf_printf(out, "%" PRIu64 "%c", left / size, *u);
        left %= size;
    }
}

/* --- thousandths --- */

enum num_status
num_parse_fixed(struct str s, int64_t *thousandths)
{
    size_t pos = 0;
    *thousandths = 0;
    enum num_status st = num_scan(s, &pos, 0, thousandths);
    if (st != NUM_OK)
        return st;
    if (*thousandths > INT32_MAX / 1000 || s.p[0] == '-')
        return NUM_RANGE;
    *thousandths *= 1000;
    if (pos < s.n && s.p[pos] == '.') {
        pos++;
        *thousandths += scan_decimals(s, &pos);
    }
    if (pos != s.n)
        return NUM_BAD;
    return *thousandths > INT32_MAX ? NUM_RANGE : NUM_OK;
}

void
num_add_fixed(struct buf *out, int64_t thousandths)
{
    uint64_t n = thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
    unsigned rest = (unsigned)(n % 1000);
    buf_printf(out, "%s%" PRIu64 ".%u", thousandths < 0 ? "-" : "", n / 1000, rest / 100);
    for (rest %= 100; rest != 0; rest = rest * 10 % 100)
        buf_addc(out, (char)('0' + rest / 10));
}

/* --- bases --- */

static const char base62_digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void
num_base62(uint64_t n, char out[NUM_BASE62_DIGITS])
{
    for (size_t i = NUM_BASE62_DIGITS; i-- > 0; n /= 62)
        out[i] = base62_digits[n % 62];
}

static unsigned
base62_value(char c)
{
    if (ascii_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A') + 10;
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 36;
    return 62;
}

bool
num_base62_parse(struct str s, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned v = base62_value(s.p[i]);
        if (v > 61)
            return false;
        *out = *out * 62 + v;
    }
    return true;
}

size_t
num_base32(uint64_t n, char out[NUM_BASE32_MAX])
{
    char reversed[NUM_BASE32_MAX];
    size_t used = 0;
    for (; n != 0; n /= 32)
        reversed[used++] = "abcdefghijklmnopqrstuvwxyz234567"[n % 32];
    for (size_t i = 0; i < used; i++)
        out[i] = reversed[used - 1 - i];
    return used;
}

bool
num_base32_parse(struct str s, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '2' && c <= '7'))
            return false;
        *out = *out * 32 + (unsigned)(c >= 'a' ? c - 'a' : c - '2' + 26);
    }
    return true;
}
