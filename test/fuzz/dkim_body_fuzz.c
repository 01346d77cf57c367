/* Bodies: canonical forms do not depend on the pieces in which a body comes, are those that the words of RFC 6376 section 3.4 give when
 * they are followed line by line, and do not change when they are made canonical again. */
#include "mail/dkim_canon.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
into_buf(void *ctx, const char *p, size_t n)
{
    buf_add(ctx, p, n);
}

static struct str
canonical(struct arena *a, enum dkim_canon canon, struct str text, size_t piece, int64_t limit)
{
    struct buf b = buf_in(a, 0);
    struct dkim_body *body = ARENA_NEW(a, struct dkim_body);
    dkim_body_start(body, canon, limit, (struct dkim_sink){into_buf, &b});
    for (size_t at = 0; at < text.n; at += piece)
        dkim_body_feed(body, text.p + at, text.n - at < piece ? text.n - at : piece);
    dkim_body_end(body);
    return buf_str(&b);
}

static bool
wsp(char c)
{
    return c == ' ' || c == '\t';
}

/* One line, by the book. */
static void
add_line(struct buf *b, enum dkim_canon canon, struct str line)
{
    if (canon == DKIM_CANON_SIMPLE) {
        buf_adds(b, line);
        return;
    }
    while (line.n > 0 && wsp(line.p[line.n - 1]))
        line.n--;
    for (size_t i = 0; i < line.n; i++)
        if (!wsp(line.p[i]))
            buf_addc(b, line.p[i]);
        else if (i == 0 || !wsp(line.p[i - 1]))
            buf_addc(b, ' ');
}

static struct str
by_the_book(struct arena *a, enum dkim_canon canon, struct str text)
{
    struct buf b = buf_in(a, 0);
    size_t kept = 0;
    for (size_t at = 0; at < text.n;) {
        size_t end = str_chr(text, '\n', at), from = b.n;
        if (end == STR_NPOS)
            end = text.n;
        struct str line = str_sub(text, at, end - at);
        if (end < text.n && line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        add_line(&b, canon, line);
        bool is_empty = b.n == from;
        buf_addz(&b, "\r\n");
        if (!is_empty)
            kept = b.n;
        at = end + 1;
    }
    b.n = kept;
    if (kept == 0 && canon == DKIM_CANON_SIMPLE)
        buf_addz(&b, "\r\n");
    return buf_str(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct str text = str_from((const char *)data + 1, size - 1);
    size_t piece = (size_t)data[0] + 1;
    for (unsigned i = 0; i < DKIM_CANONS; i++) {
        enum dkim_canon c = (enum dkim_canon)i;
        struct str book = by_the_book(a, c, text);
        int64_t limit = (int64_t)data[0] * 3;
        if (!str_eq(canonical(a, c, text, piece, DKIM_BODY_ALL), book) ||
            !str_eq(canonical(a, c, text, size, DKIM_BODY_ALL), book) ||
            !str_eq(canonical(a, c, book, piece, DKIM_BODY_ALL), book) ||
            !str_eq(canonical(a, c, text, piece, limit), str_sub(book, 0, (size_t)limit)))
            abort();
    }
    arena_free(a);
    return 0;
}
