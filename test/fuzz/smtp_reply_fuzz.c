/* Replies of SMTP and LMTP servers: a reply ends within the input, its lines and text agree, and it reads the same however it
 * arrives. */
#include "mail/smtp_reply.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct str in = str_from((const char *)data, size);
    struct smtp_reply r, again;
    size_t used = 0, used_again = 0;
    if (smtp_reply_parse(a, in, &used, &r) == SMTP_REPLY_DONE) {
        if (used == 0 || used > size || r.code < 0 || r.code > 999 || r.lines == 0 ||
            r.lines > SMTP_REPLY_LINES_MAX)
            abort();
        for (size_t i = 0; i < r.lines; i++)
            if (smtp_reply_line(&r, i).n > SMTP_REPLY_LINE_MAX)
                abort();
        if (smtp_reply_parse(a, str_sub(in, 0, used), &used_again, &again) != SMTP_REPLY_DONE ||
            used_again != used || again.code != r.code || !str_eq(again.text, r.text))
            abort();
        if (smtp_reply_parse(a, str_sub(in, 0, used - 1), &used_again, &again) ==
            SMTP_REPLY_DONE)
            abort();
    }
    arena_free(a);
    return 0;
}
