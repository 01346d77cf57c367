/* -H files: what is read keeps the caps, is written without complaint, and what was written reads back and
 * is written the same. */
#include "engine/spool_header.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The id in the first line, or one that will not fit it. */
static struct message_id
id_of(struct str s)
{
    struct message_id id = {"1xVNEb-00079s-2P"};
    size_t n = message_id_prefix(s);
    if (n > 0)
        (void)message_id_parse(str_sub(s, 0, n), &id);
    return id;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct str in = str_from((const char *)data, size), out, again;
    struct message_id id = id_of(in);
    struct spool_header h, back;
    struct spool_fault f = {0};
    if (!spool_header_parse(a, &id, in, &h, &f)) {
        if (f.text[0] == '\0')
            abort();
    } else {
        if (h.headers.n > HEADER_LINES_MAX || h.recipients.n > SPOOL_RECIPIENTS_MAX)
            abort();
        if (!spool_header_format(a, &h, &out, &f) ||
            !spool_header_parse(a, &id, out, &back, &f) ||
            !spool_header_format(a, &back, &again, &f) || !str_eq(out, again))
            abort();
    }
    arena_free(a);
    return 0;
}
