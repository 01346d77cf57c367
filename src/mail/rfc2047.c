/* RFC 2047 encoded words. A word is recognised as a whole before any of it is decoded; what is
 * not one passes as it is. Limits (75 bytes a word, where words are split) are those of the
 * reference. */
#include "mail/rfc2047.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"

/* WORD_CAP bounds the search for the end of a word where any length is allowed. */
enum { WORD_MAX = 75, WORD_CAP = 4096, SPLIT_AFTER = 67 };

/* The parts of an encoded word. */
struct word {
    struct str charset;
    char encoding; /* 'q' or 'b' */
    struct str text;
    size_t end; /* offset behind "?=" */
};

/* Recognises a word whose "=?" stands at `at`. */
static bool
read_word(struct str s, size_t at, unsigned flags, struct word *w)
{
    s = str_sub(s, 0, at + ((flags & RFC2047_ANY_LENGTH) != 0 ? WORD_CAP : WORD_MAX));
    size_t q1 = str_chr(s, '?', at + 2);
    if (q1 == STR_NPOS || q1 + 2 >= s.n || s.p[q1 + 2] != '?')
        return false;
    size_t end = str_find(s, STR_LIT("?="), q1 + 3);
    if (end == STR_NPOS)
        return false;
    w->charset = str_sub(s, at + 2, q1 - at - 2);
    w->encoding = ascii_lower(s.p[q1 + 1]);
    w->text = str_sub(s, q1 + 3, end - q1 - 3);
    w->end = end + 2;
    return w->encoding == 'q' || w->encoding == 'b';
}

static bool
decode_q(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '=') {
            if (i + 2 >= s.n || ascii_hex(s.p[i + 1]) < 0 || ascii_hex(s.p[i + 2]) < 0)
                return false;
            c = (char)(ascii_hex(s.p[i + 1]) * 16 + ascii_hex(s.p[i + 2]));
            i += 2;
        } else if (c == ' ' || c == '\t') {
            return false;
        } else if (c == '_') {
            c = ' ';
        }
        buf_addc(&b, c);
    }
    *out = buf_str(&b);
    return true;
}

static struct str
without_nul(struct arena *a, struct str s)
{
    if (!str_has_nul(s))
        return s;
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < s.n; i++)
        buf_addc(&b, s.p[i] == '\0' ? '?' : s.p[i]);
    return buf_str(&b);
}

/* Into the target's character set, or as it is. */
static struct str
convert(struct arena *a, struct str s, struct str from, const struct charset_target *target,
        struct str *error)
{
    struct str out;
    if (target == NULL || target->convert == NULL || target->to.n == 0 || from.n == 0 ||
        str_ieq(from, target->to))
        return s;
    enum charset_status st = target->convert(target->ctx, a, s, from, target->to, &out);
    if (st == CHARSET_OK)
        return out;
    if (st == CHARSET_UNKNOWN && error != NULL && !str_is_set(*error)) {
        struct buf b = buf_in(a, 0);
        buf_addz(&b, "iconv_open(\"");
        buf_adds(&b, target->to);
        buf_addz(&b, "\", \"");
        buf_adds(&b, from);
        buf_addz(&b, "\") failed: Invalid argument (maybe unsupported conversion)");
        *error = buf_str(&b);
    }
    return s;
}

static bool
decode_word(struct arena *a, const struct word *w, const struct charset_target *target,
            struct str *error, struct buf *out)
{
    struct str bytes;
    bool good = w->encoding == 'q' ? decode_q(a, w->text, &bytes)
                                   : base64_decode(a, w->text, &bytes, NULL);
    if (!good)
        return false;
    struct str text = convert(a, without_nul(a, bytes), w->charset, target, error);
    buf_add(out, text.p, text.n);
    return true;
}

static size_t
skip_space(struct str s, size_t at)
{
    while (at < s.n && ascii_space(s.p[at]))
        at++;
    return at;
}

struct str
rfc2047_decode(struct arena *a, struct str s, const struct charset_target *target,
               unsigned flags, struct str *error)
{
    struct word w = {0};
    struct buf b = buf_in(a, 0);
    size_t done = 0; /* everything before is in b */
    bool after_word = false;
    if (error != NULL)
        *error = STR_NULL;
    for (size_t at; (at = str_find(s, STR_LIT("=?"), done)) != STR_NPOS;) {
        bool is_word = read_word(s, at, flags, &w);
        size_t text_n = b.n;
        /* White space since the last word goes if this one decodes. */
        if (!after_word || skip_space(s, done) != at)
            buf_add(&b, s.p + done, at - done);
        after_word = is_word && decode_word(a, &w, target, error, &b);
        if (!after_word) {
            b.n = text_n;
            buf_add(&b, s.p + done, at + 2 - done);
        }
        done = after_word ? w.end : at + 2;
    }
    if (done == 0)
        return s;
    buf_add(&b, s.p + done, s.n - done);
    b.taint = s.taint;
    return buf_str(&b);
}

/* --- encoding --- */

static bool
is_special(char c)
{
    return (unsigned char)c < ' ' || (unsigned char)c > '~' ||
           str_chr(STR_LIT("?=()<>@,;:\\\".[]_"), c, 0) != STR_NPOS;
}

static void
begin_word(struct buf *b, struct str charset)
{
    buf_addz(b, "=?");
    buf_add(b, charset.p, charset.n);
    buf_addz(b, "?Q?");
}

/* One byte in the Q encoding; *odd flips with each that needs three. */
static void
encode_byte(struct buf *b, char c, bool *odd)
{
    unsigned char u = (unsigned char)c;
    if (is_special(c)) {
        char hex[3] = {'=', "0123456789ABCDEF"[u >> 4], "0123456789ABCDEF"[u & 15]};
        buf_add(b, hex, sizeof hex);
        *odd = !*odd;
        return;
    }
    buf_addc(b, c == ' ' ? '_' : c);
    *odd = false;
}

struct str
rfc2047_encode(struct arena *a, struct str s, struct str charset)
{
    size_t i = 0;
    while (i < s.n && !is_special(s.p[i]))
        i++;
    if (i == s.n)
        return s;
    struct buf b = buf_in(a, 0);
    bool odd = false;
    begin_word(&b, charset);
    size_t start = b.n;
    for (i = 0; i < s.n; i++) {
        /* As the reference: never between the two bytes of what may be a character of UTF-8. */
        if (b.n - start > SPLIT_AFTER && !odd) {
            buf_addz(&b, "?= ");
            begin_word(&b, charset);
            start = b.n;
        }
        encode_byte(&b, s.p[i], &odd);
    }
    buf_addz(&b, "?=");
    b.taint = s.taint;
    return buf_str(&b);
}

/* --- folding --- */

/* Where the line that starts at `from` ends: before the last white space within `room` columns,
 * or the first after them, or at the end of the text. */
static size_t
line_end(struct str s, size_t from, size_t room)
{
    size_t best = STR_NPOS;
    for (size_t i = from; i < s.n; i++) {
        if (!ascii_space(s.p[i]))
            continue;
        if (i > from && (i - from <= room || best == STR_NPOS))
            best = i;
        if (i - from > room)
            return best == STR_NPOS ? i : best;
    }
    return s.n - from <= room || best == STR_NPOS ? s.n : best;
}

struct str
rfc2047_wrap(struct arena *a, struct str s, size_t cols, size_t limit)
{
    enum { TAB_COLS = 8 };
    struct buf b = buf_in(a, 0);
    size_t room = cols;
    for (size_t from = 0; from < s.n && b.n < limit;) {
        size_t end = line_end(s, from, room);
        buf_add(&b, s.p + from, end - from);
        from = skip_space(s, end);
        if (from < s.n)
            buf_addz(&b, "\n\t");
        room = cols > TAB_COLS ? cols - TAB_COLS : 1;
    }
    b.taint = s.taint;
    return str_sub(buf_str(&b), 0, limit);
}
