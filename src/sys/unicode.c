/* Unicode; see the header. */
#include "sys/unicode.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

bool
unicode_upper(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a, 0);
    char bytes[4];
    uint32_t code;
    b.taint = s.taint;
    for (size_t at = 0, n; at < s.n; at += n) {
        n = utf8_decode(s.p + at, s.n - at, &code);
        if (n == 0)
            return false;
        buf_add(&b, bytes, utf8_encode(uc_toupper(code), bytes));
    }
    *out = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return !b.overflow;
}

bool
unicode_nfkc(struct arena *a, struct str s, struct str *out)
{
    size_t n = 0;
    *out = STR_EMPTY;
    if (!utf8_valid(s))
        return false;
    if (s.n == 0)
        return true;
    uint8_t *made = u8_normalize(UNINORM_NFKC, (const uint8_t *)s.p, s.n, NULL, &n);
    if (made == NULL)
        return false;
    *out = str_dup(a, str_from((const char *)made, n));
    out->taint = s.taint;
    explicit_bzero(made, n);
    free(made);
    return true;
}

enum unicode_direction
unicode_direction(uint32_t code)
{
    switch (uc_bidi_category(code)) {
    case UC_BIDI_L:
        return UNICODE_LEFT_TO_RIGHT;
    case UC_BIDI_R:
    case UC_BIDI_AL:
        return UNICODE_RIGHT_TO_LEFT;
    default:
        return UNICODE_OTHER;
    }
}
