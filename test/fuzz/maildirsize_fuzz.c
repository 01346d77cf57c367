/* maildirsize files: sums that are accepted are not negative, and stay what they are when they are written anew. */
#include "transports/maildirsize.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 * MAILDIRSIZE_MAX)
        return 0;
    struct arena *a = arena_new();
    struct maildirsize m, again;
    if (maildirsize_parse(str_from((const char *)data, size), &m)) {
        if (size > MAILDIRSIZE_MAX || m.size < 0 || m.files < 0 || m.limit < 0 ||
            m.limit_files < 0)
            abort();
        struct str text =
            str_printf(a, "%lldS,%lldC\n%lld %lld\n", (long long)m.limit,
                       (long long)m.limit_files, (long long)m.size, (long long)m.files);
        if (!maildirsize_parse(text, &again) || again.size != m.size ||
            again.files != m.files || again.limit != m.limit || again.lines != 1)
            abort();
    }
    arena_free(a);
    return 0;
}
