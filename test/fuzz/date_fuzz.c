/* Dates and SMTP replies: what is read prints and reads back the same. */
#include "mail/date.h"
#include "mail/smtp_reply.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_date(struct str s)
{
    char text[DATE_TEXT_MAX];
    struct date d;
    struct date back;
    if (!date_parse(s, &d))
        return;
    size_t n = date_print(d, text);
    if (!date_parse(str_from(text, n), &back))
        abort();
    if (back.seconds != d.seconds || back.offset_s != d.offset_s)
        abort();
}

static void
check_reply(struct str s)
{
    struct arena *a = arena_new();
    struct smtp_reply r;
    size_t used;
    int code;
    struct str enhanced;
    if (smtp_reply_parse(a, s, &used, &r) == SMTP_REPLY_DONE &&
        (used > s.n || r.code < 200 || r.code > 599 || r.text.n > used ||
         smtp_reply_line(&r, r.lines - 1).n > SMTP_REPLY_LINE_MAX))
        abort();
    (void)smtp_code_split(s, &code, &enhanced);
    arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct str s = str_from((const char *)data, size);
    check_date(s);
    check_reply(s);
    return 0;
}
