/* A-labels and UTF-8. A text without any byte above 127 is its own A-label; the library is asked only for
 * the others. Source: specification, "Internationalisation support". */
#include "sys/idn.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

#include <assert.h>
#include <idn2.h>
#include <string.h>

/* A copy that ends in NUL, or NULL: too long, or with a NUL in it. */
static char *
terminated(struct arena *a, struct str s, const char **error)
{
    *error = "string too long";
    return s.n > IDN_MAX ? NULL : str_cstr(a, s);
}

static struct str
marked_copy(struct arena *a, const char *z, uint32_t taint)
{
    struct str s = str_dup(a, str_from_cstr(z));
    s.taint = taint;
    return s;
}

bool
idn_domain_to_alabel(struct arena *a, struct str s, struct str *out, const char **error)
{
    char *made = NULL;
    char *z = terminated(a, s, error);
    *out = s;
    if (!utf8_has_8bit(s))
        return true;
    if (z == NULL)
        return false;
    int rc = idn2_to_ascii_8z(z, &made, IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK) {
        *error = idn2_strerror(rc);
        return false;
    }
    *out = marked_copy(a, made, s.taint);
    idn2_free(made);
    return true;
}

/* Only lower-case prefixes are known, as in the reference; other labels stay as they are. */
static bool
add_unicode_label(struct arena *a, struct buf *b, struct str label)
{
    char *made = NULL;
    if (!str_starts(label, "xn--")) {
        buf_adds(b, label);
        return true;
    }
    if (label.n == 4)
        return true;
    char *z = str_cstr(a, label);
    if (z == NULL || idn2_to_unicode_8z8z(z, &made, 0) != IDN2_OK)
        return false;
    buf_adds(b, (struct str){made, (uint32_t)strlen(made), label.taint});
    idn2_free(made);
    return true;
}

/* The reference reads the name as a list: two dots are one within a label, white space round a label is lost, and
 * so is a dot at the end. */
static size_t
label_end(struct str s, size_t from)
{
    size_t i = from;
    while (i < s.n && (s.p[i] != '.' || (i + 1 < s.n && s.p[i + 1] == '.')))
        i += s.p[i] == '.' ? 2 : 1;
    return i < s.n ? i : s.n;
}

bool
idn_domain_from_alabel(struct arena *a, struct str s, struct str *out, const char **error)
{
    *error = "string too long";
    if (s.n > IDN_MAX)
        return false;
    *error = "Invalid input";
    struct buf b = buf_in(a, 0);
    b.taint = s.taint;
    for (size_t from = 0; from < s.n;) {
        size_t end = label_end(s, from);
        if (b.n > 0)
            buf_addc(&b, '.');
        if (!add_unicode_label(a, &b, str_trim(str_sub(s, from, end - from))))
            return false;
        from = end + 1;
    }
    *out = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return true;
}

/* --- local parts: punycode alone (RFC 3492) behind the usual prefix --- */

enum {
    BASE = 36,
    T_MIN = 1,
    T_MAX = 26,
    SKEW = 38,
    DAMP = 700,
    FIRST_BIAS = 72,
    FIRST_CODE = 128
};

static uint32_t
adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t
threshold(uint32_t k, uint32_t bias)
{
    return k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
}

static char
digit_char(uint32_t d)
{
    return (char)(d < 26 ? 'a' + d : '0' + (d - 26));
}

static char *
put_number(char *p, uint32_t q, uint32_t bias)
{
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = threshold(k, bias);
        if (q < t)
            break;
        *p++ = digit_char(t + (q - t) % (BASE - t));
        q = (q - t) / (BASE - t);
    }
    *p++ = digit_char(q);
    return p;
}

static uint32_t
smallest_from(const uint32_t *code, size_t n, uint32_t from)
{
    uint32_t m = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        if (code[i] >= from && code[i] < m)
            m = code[i];
    }
    return m;
}

/* At most IDN_MAX codes, so that no sum here can overflow 32 bits: 1024 * 0x110000. */
static char *
punycode(char *p, const uint32_t *code, size_t n)
{
    uint32_t done = 0;
    uint32_t delta = 0;
    uint32_t bias = FIRST_BIAS;
    uint32_t next = FIRST_CODE;
    for (size_t i = 0; i < n; i++) {
        if (code[i] < FIRST_CODE) {
            *p++ = (char)code[i];
            done++;
        }
    }
    uint32_t basic = done;
    if (basic > 0)
        *p++ = '-';
    while (done < n) {
        uint32_t m = smallest_from(code, n, next);
        delta += (m - next) * (done + 1);
        next = m;
        for (size_t i = 0; i < n; i++) {
            if (code[i] < next)
                delta++;
            if (code[i] != next)
                continue;
            p = put_number(p, delta, bias);
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        next++;
    }
    return p;
}

bool
idn_localpart_to_alabel(struct arena *a, struct str s, struct str *out, const char **error)
{
    *out = s;
    if (!utf8_has_8bit(s))
        return true;
    *error = "string too long";
    if (s.n > IDN_MAX)
        return false;
    uint32_t *code = ARENA_ARRAY(a, uint32_t, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t step = utf8_decode(s.p + i, s.n - i, &code[n++]);
        *error = "l_u2a: bad UTF-8 input";
        if (step == 0)
            return false;
        i += step;
    }
    /* a number takes at most 7 digits */
    char *text = arena_alloc(a, 4 + 8 * (size_t)s.n + 1);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the rest follows */
    memcpy(text, "xn--", 4);
    const char *end = punycode(text + 4, code, n);
    *out = str_from(text, (size_t)(end - text));
    out->taint = s.taint;
    return true;
}

static int
char_digit(char c)
{
    if (ascii_digit(c))
        return c - '0' + 26;
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z' ? c - 'a' : -1;
}

/* Adds the number at s[*i] to *index. */
static bool
take_number(struct str s, size_t *i, uint32_t bias, uint64_t *index)
{
    uint64_t weight = 1;
    for (uint32_t k = BASE; *i < s.n; k += BASE) {
        int d = char_digit(s.p[(*i)++]);
        uint32_t t = threshold(k, bias);
        if (d < 0)
            return false;
        *index += (uint64_t)d * weight;
        if (*index > UINT32_MAX)
            return false;
        if ((uint32_t)d < t)
            return true;
        weight *= BASE - t;
        if (weight > UINT32_MAX)
            return false;
    }
    return false;
}

/* Codes of a punycode text; code has room for s.n. */
static bool
unpunycode(struct str s, uint32_t *code, size_t *count)
{
    size_t dash = str_rchr(s, '-');
    size_t n = 0;
    size_t i = 0;
    if (dash != STR_NPOS && dash > 0) {
        assert(s.p != NULL);
        for (; n < dash; n++)
            code[n] = (unsigned char)s.p[n];
        i = dash + 1;
    }
    uint32_t bias = FIRST_BIAS;
    uint64_t next = FIRST_CODE;
    uint64_t index = 0;
    while (i < s.n) {
        uint64_t old = index;
        if (!take_number(s, &i, bias, &index))
            return false;
        n++;
        bias = adapt((uint32_t)(index - old), (uint32_t)n, old == 0);
        next += index / n;
        index %= n;
        if (next > 0x10ffff)
            return false;
        memmove(code + index + 1, code + index, (n - 1 - index) * sizeof *code);
        code[index++] = (uint32_t)next;
    }
    *count = n;
    return true;
}

bool
idn_localpart_from_alabel(struct arena *a, struct str s, struct str *out, const char **error)
{
    *error = "string too long";
    if (s.n > IDN_MAX)
        return false;
    *error = "bad alabel prefix";
    if (!str_starts(s, "xn--"))
        return false;
    struct str body = str_sub(s, 4, s.n);
    uint32_t *code = ARENA_ARRAY(a, uint32_t, (size_t)body.n + 1);
    size_t n;
    *error = "Invalid input";
    if (utf8_has_8bit(body) || !unpunycode(body, code, &n))
        return false;
    char *text = arena_alloc(a, 4 * n);
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += utf8_encode(code[i], text + at);
    *out = str_from(text, at);
    out->taint = s.taint;
    return true;
}
