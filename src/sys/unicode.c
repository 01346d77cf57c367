/* Unicode; see the header. */
#include "sys/unicode.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

#include <unicase.h>

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
