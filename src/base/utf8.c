/* UTF-8 and the conversions of the expansion language.
 *
 * utf8_decode is the strict one, for everything new. utf8_clean and utf8_to_latin1 keep to what
 * the reference does with bad input, byte for byte, and so have loops of their own.
 */
#include "base/utf8.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

/* Bytes that follow a lead byte, 0 for any other byte. */
static unsigned
follow_count(unsigned char c)
{
    return c < 0xc2 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 0;
}

size_t
utf8_decode(const char *p, size_t n, uint32_t *code)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (n == 0)
        return 0;
    unsigned char c = (unsigned char)p[0];
    unsigned follow = follow_count(c);
    uint32_t v = c < 0x80 ? c : c & (0x3fu >> follow);
    if ((c >= 0x80 && follow == 0) || n <= follow)
        return 0;
    for (unsigned i = 1; i <= follow; i++) {
        unsigned char f = (unsigned char)p[i];
        if ((f & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (f & 0x3fu);
    }
    if (v < least[follow] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return 0;
    if (code != NULL)
        *code = v;
    return follow + 1;
}

size_t
utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xff) | code);
    return n;
}

bool
utf8_valid(struct str s)
{
    size_t step;
    for (size_t i = 0; i < s.n; i += step)
        if ((step = utf8_decode(s.p + i, s.n - i, NULL)) == 0)
            return false;
    return true;
}

bool
utf8_has_8bit(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

/* What the cleaner has seen of a character. */
struct cleaner {
    unsigned left; /* bytes still to come */
    uint32_t code;
    char bytes[4];
    size_t n;
};

static void
clean_lead(struct cleaner *k, char ch, struct buf *out)
{
    unsigned char c = (unsigned char)ch;
    if (c < 0x80) {
        buf_addc(out, ch);
    } else if (c < 0xc2 || c > 0xf7) {
        buf_addc(out, '?');
    } else {
        k->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        k->code = c & (0x3fu >> k->left);
        k->bytes[0] = ch;
        k->n = 1;
    }
}

static void
clean_follow(struct cleaner *k, char ch, struct buf *out)
{
    unsigned char c = (unsigned char)ch;
    if ((c & 0xc0) != 0x80) {
        /* The reference drops a lead byte that cuts another character short. */
        k->left = 0;
        buf_addc(out, '?');
        if (c < 0x80)
            buf_addc(out, ch);
        return;
    }
    k->code = k->code << 6 | (c & 0x3fu);
    k->bytes[k->n++] = ch;
    if (--k->left > 0)
        return;
    if (k->code > 0x10ffff || (k->code >= 0xd800 && k->code < 0xe000))
        buf_addc(out, '?');
    else
        buf_add(out, k->bytes, k->n);
}

struct str
utf8_clean(struct arena *a, struct str s)
{
    if (!utf8_has_8bit(s))
        return s;
    struct buf b = buf_in(a, 0);
    struct cleaner k = {0};
    for (size_t i = 0; i < s.n; i++)
        if (k.left > 0)
            clean_follow(&k, s.p[i], &b);
        else
            clean_lead(&k, s.p[i], &b);
    if (k.left > 0)
        buf_addc(&b, '?');
    b.taint = s.taint;
    return buf_str(&b);
}

/* The loose decoding of ${from_utf8:}: as many bytes as the lead byte says, whatever they are;
 * missing ones count as zero. Lead bytes of five and six byte forms are known. */
static size_t
loose_decode(const char *p, size_t n, uint32_t *code)
{
    unsigned char c = (unsigned char)p[0];
    *code = c;
    if (c < 0xc0)
        return 1;
    unsigned follow = c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf8 ? 3 : c < 0xfc ? 4 : 5;
    *code = c & (0x3fu >> follow);
    for (unsigned i = 1; i <= follow; i++)
        *code = *code << 6 | (i < n ? (unsigned char)p[i] & 0x3fu : 0);
    return follow + 1 < n ? follow + 1 : n;
}

struct str
utf8_to_latin1(struct arena *a, struct str s)
{
    if (!utf8_has_8bit(s))
        return s;
    struct buf b = buf_in(a, 0);
    uint32_t code;
    for (size_t i = 0; i < s.n;) {
        i += loose_decode(s.p + i, s.n - i, &code);
        buf_addc(&b, code < 256 ? (char)code : '_');
    }
    b.taint = s.taint;
    return buf_str(&b);
}

struct str
utf8_from_latin1(struct arena *a, struct str s)
{
    if (!utf8_has_8bit(s))
        return s;
    struct buf b = buf_in(a, 0);
    char bytes[4];
    for (size_t i = 0; i < s.n; i++)
        buf_add(&b, bytes, utf8_encode((unsigned char)s.p[i], bytes));
    b.taint = s.taint;
    return buf_str(&b);
}

/* --- modified UTF-7 --- */

/* Bits of UTF-16 that wait for six to be complete. */
struct folder {
    struct buf *out;
    bool shifted;
    uint32_t bits;
    unsigned n;
};

static const char folder_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static void
folder_unit(struct folder *f, uint32_t unit)
{
    if (!f->shifted)
        buf_addc(f->out, '&');
    f->shifted = true;
    f->bits = f->bits << 16 | unit;
    f->n += 16;
    for (; f->n >= 6; f->n -= 6)
        buf_addc(f->out, folder_digits[f->bits >> (f->n - 6) & 63]);
}

static void
folder_unshift(struct folder *f)
{
    if (!f->shifted)
        return;
    if (f->n > 0)
        buf_addc(f->out, folder_digits[f->bits << (6 - f->n) & 63]);
    buf_addc(f->out, '-');
    *f = (struct folder){.out = f->out};
}

static void
folder_encode(struct folder *f, uint32_t code)
{
    if (code < 0x10000) {
        folder_unit(f, code);
        return;
    }
    folder_unit(f, 0xd800 + ((code - 0x10000) >> 10));
    folder_unit(f, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

static void
folder_plain(struct folder *f, char c)
{
    folder_unshift(f);
    buf_addc(f->out, c);
    if (c == '&')
        buf_addc(f->out, '-');
}

/* Whether s is the beginning of a character and no more. */
static bool
is_cut(struct str s)
{
    char low[4] = {0};
    char high[4] = {0};
    if (s.n == 0 || s.n >= sizeof low)
        return false;
    memset(low, 0x80, sizeof low);
    memset(high, 0xbf, sizeof high);
    memcpy(low, s.p, s.n);
    memcpy(high, s.p, s.n);
    return utf8_decode(low, sizeof low, NULL) > s.n ||
           utf8_decode(high, sizeof high, NULL) > s.n;
}

enum utf8_folder_status
utf8_to_folder(struct buf *out, struct str s, char sep, struct str specials, char *bad)
{
    struct folder f = {.out = out};
    uint32_t code;
    size_t step;
    bool between = false;
    out->taint = str_taint_join(out->taint, s.taint);
    for (size_t i = 0; i < s.n; i += step) {
        step = utf8_decode(s.p + i, s.n - i, &code);
        if (step == 0)
            return is_cut(str_sub(s, i, s.n)) ? UTF8_FOLDER_CUT : UTF8_FOLDER_INVALID;
        char c = s.p[i];
        if (c == sep) {
            between = out->n > 0;
            continue;
        }
        if (between)
            folder_plain(&f, '.');
        between = false;
        if (!ascii_print(c) || str_chr(specials, c, 0) != STR_NPOS) {
            folder_encode(&f, code);
        } else if (c == '.' || c == '/') {
            *bad = c;
            return UTF8_FOLDER_ILLEGAL;
        } else {
            folder_plain(&f, c);
        }
    }
    folder_unshift(&f);
    return UTF8_FOLDER_OK;
}
