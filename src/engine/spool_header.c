/* What reader and writer of the -H file share; see spool_header.h. */
#include "engine/spool_header.h"

#include "engine/spool_item.h"

#include <stdio.h>

void
spool_header_init(struct spool_header *h)
{
    memset(h, 0, sizeof *h);
    h->uid = h->gid = SPOOL_NONE;
    for (const struct spool_item *i = spool_items; i->name != NULL; i++) {
        if (i->kind == SPOOL_ITEM_NUMBER || i->kind == SPOOL_ITEM_FRACTION ||
            i->kind == SPOOL_ITEM_STAMP)
            *(int64_t *)(void *)((char *)h + i->offset) = SPOOL_NONE;
    }
}

bool
spool_header_text_ok(struct str s)
{
    return s.n <= SPOOL_LINE_MAX / 2 && !str_has_nul(s) && str_chr(s, '\n', 0) == STR_NPOS &&
           str_chr(s, '\r', 0) == STR_NPOS;
}

/* At most 80 bytes, without those that would spoil a log line. */
static size_t
shown(struct str s, char out[static 84])
{
    size_t n = s.n < 80 ? s.n : 80;
    for (size_t i = 0; i < n; i++)
        out[i] = ascii_print(s.p[i]) ? s.p[i] : '?';
    out[n] = '\0';
    return n;
}

bool
spool_header_fault(struct spool_fault *f, const struct message_id *id, unsigned line,
                   const char *item, const char *what, struct str value)
{
    char text[84], at[32] = "", quoted[88] = "";
    f->line = line;
    f->sys_errno = 0;
    if (line != 0)
        (void)snprintf(at, sizeof at, ", line %u", line);
    if (str_is_set(value)) {
        (void)shown(value, text);
        (void)snprintf(quoted, sizeof quoted, ": \"%s\"", text);
    }
    (void)snprintf(f->text, sizeof f->text, "spool file %s-H%s: %.80s: %s%s",
                   id != NULL ? id->text : "?", at, item, what, quoted);
    return false;
}
