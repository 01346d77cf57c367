/* SASLprep; see the header. The steps are those of RFC 4013 section 2. */
#include "sys/saslprep.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "sys/unicode.h"

enum kind { SPACE, NOTHING, FORBIDDEN };

static const struct {
    uint32_t from, to;
    enum kind kind;
} rows[] = {
#define ROW(from, to, what, table) {from, to, what},
#include "sys/saslprep.def"
#undef ROW
};

static bool
is(uint32_t code, enum kind kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].kind == kind && code >= rows[i].from && code <= rows[i].to)
            return true;
    return false;
}

/* False: not UTF-8. */
static bool
map(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a, 0);
    uint32_t code;
    b.taint = s.taint;
    for (size_t at = 0, n; at < s.n; at += n) {
        n = utf8_decode(s.p + at, s.n - at, &code);
        if (n == 0)
            return false;
        /* U+200B is in both tables; the space is what others make of it. */
        if (is(code, SPACE))
            buf_addc(&b, ' ');
        else if (!is(code, NOTHING))
            buf_add(&b, s.p + at, n);
    }
    *out = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return true;
}

/* Nothing forbidden is in it; and text that goes from right to left has no letter of the other direction, and such at both ends (RFC 3454
 * section 6). */
static bool
is_good(struct str s)
{
    enum unicode_direction first = UNICODE_OTHER, last = UNICODE_OTHER;
    bool left = false, right = false;
    uint32_t code = 0;
    for (size_t at = 0; at < s.n; at += utf8_decode(s.p + at, s.n - at, &code)) {
        (void)utf8_decode(s.p + at, s.n - at, &code);
        if (is(code, FORBIDDEN) || is(code, SPACE))
            return false;
        last = unicode_direction(code);
        first = at == 0 ? last : first;
        left = left || last == UNICODE_LEFT_TO_RIGHT;
        right = right || last == UNICODE_RIGHT_TO_LEFT;
    }
    return !right || (!left && first == UNICODE_RIGHT_TO_LEFT && last == UNICODE_RIGHT_TO_LEFT);
}

static bool
is_plain(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (!ascii_print(s.p[i]))
            return false;
    return true;
}

bool
saslprep(struct arena *a, struct str s, struct str *out)
{
    struct str mapped;
    *out = s;
    if (s.n > SASLPREP_MAX)
        return false;
    return is_plain(s) || (map(a, s, &mapped) && unicode_nfkc(a, mapped, out) && is_good(*out));
}
