/* Lines out of blocks; see mime_lines.h. */
#include "mail/mime_lines.h"

void
mime_lines_start(struct mime_lines *l, void (*line)(void *ctx, const struct mime_line *l),
                 void *ctx)
{
    l->at = l->seen = 0;
    l->n = 0;
    l->cut = false;
    l->taint = STR_CLEAN;
    l->line = line;
    l->ctx = ctx;
}

static void
keep(struct mime_lines *l, struct str s)
{
    size_t room = MIME_LINE_MAX - l->n;
    size_t n = s.n < room ? s.n : room;
    if (n > 0)
        memcpy(l->text + l->n, s.p, n);
    l->n += n;
    l->cut = l->cut || s.n > room;
    l->taint = str_taint_join(l->taint, s.taint);
}

/* text: the whole line, or its last piece when earlier ones are kept. */
static void
complete(struct mime_lines *l, struct str text, int64_t next)
{
    if (l->n > 0 || text.n > MIME_LINE_MAX) {
        keep(l, text);
        text = str_from(l->text, l->n);
        text.taint = l->taint;
    }
    if (!l->cut && text.n > 0 && text.p[text.n - 1] == '\r')
        text.n--;
    const struct mime_line line = {.text = text, .at = l->at, .next = next, .cut = l->cut};
    l->at = next;
    l->n = 0;
    l->cut = false;
    l->line(l->ctx, &line);
}

void
mime_lines_feed(struct mime_lines *l, struct str block)
{
    int64_t start = l->seen;
    size_t at = 0;
    l->seen += block.n;
    while (at < block.n) {
        size_t nl = str_chr(block, '\n', at);
        if (nl == STR_NPOS) {
            keep(l, str_sub(block, at, block.n));
            return;
        }
        complete(l, str_sub(block, at, nl - at), start + (int64_t)nl + 1);
        at = nl + 1;
    }
}

void
mime_lines_end(struct mime_lines *l)
{
    if (l->at < l->seen)
        complete(l, STR_EMPTY, l->seen);
}
