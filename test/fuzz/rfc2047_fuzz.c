/* Encoded words, parameters, folding. Encoding and decoding again gives the text back, whatever
 * it was (but for NUL, which cannot come back). */
#include "mail/rfc2047.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 16384)
        return 0;
    struct arena *a = arena_new();
    struct str s = str_tainted(str_from((const char *)data, size));
    struct str error;
    struct str out;
    struct str once = rfc2047_decode(a, s, NULL, 0, &error);
    if (once.n > s.n || once.taint != s.taint)
        abort();
    (void)rfc2047_decode(a, s, NULL, RFC2047_ANY_LENGTH, NULL);
    struct str words = rfc2047_encode(a, s, STR_LIT("UTF-8"));
    if (!str_has_nul(s) && !str_eq(rfc2047_decode(a, words, NULL, RFC2047_ANY_LENGTH, NULL), s))
        abort();
    if (rfc2047_wrap(a, s, 40, 998).n > 998)
        abort();
    if (rfc2231_param(a, s, STR_LIT("n"), NULL, &out) && out.n > s.n)
        abort();
    arena_free(a);
    return 0;
}
