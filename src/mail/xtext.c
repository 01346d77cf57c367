/* xtext; see xtext.h. */
#include "mail/xtext.h"

#include "base/buf.h"

bool
xtext_decode(struct arena *a, struct str s, struct str *out)
{
    struct buf b = buf_in(a, 0);
    b.taint = s.taint;
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c < '!' || c > '~' || c == '=')
            return false;
        if (c == '+') {
            int high = i + 1 < s.n ? ascii_hex(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? ascii_hex(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
            if (c == '\0' || c == '\r' || c == '\n')
                return false;
        }
        buf_addc(&b, c);
    }
    *out = buf_str(&b);
    return true;
}

struct str
xtext_encode(struct arena *a, struct str s)
{
    struct buf b = buf_in(a, 0);
    b.taint = s.taint;
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < '!' || c > '~' || c == '+' || c == '=')
            buf_printf(&b, "+%02X", c);
        else
            buf_addc(&b, (char)c);
    }
    return buf_str(&b);
}
