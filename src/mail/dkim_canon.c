/* Canonical forms; see dkim_canon.h. */
#include "mail/dkim_canon.h"

#include "base/scan.h"

/* --- headers --- */

static const char crlf[2] = "\r\n";

static bool
wsp(char c)
{
    return c == ' ' || c == '\t';
}

static void
put(struct dkim_sink to, const char *p, size_t n)
{
    if (n > 0)
        to.put(to.ctx, p, n);
}

/* Text whose lines end in LF or CRLF, with CRLF. */
static void
simple_text(struct str s, struct dkim_sink to)
{
    for (size_t at = 0; at < s.n;) {
        size_t end = str_chr(s, '\n', at);
        if (end == STR_NPOS) {
            put(to, s.p + at, s.n - at);
            return;
        }
        put(to, s.p + at, end - at - (end > at && s.p[end - 1] == '\r'));
        put(to, crlf, 2);
        at = end + 1;
    }
}

/* Words with a space between: line ends are taken out, white space is one space, none at either end (section 3.4.2).
 * *space: some was seen before, behind something that went out. */
struct relaxing {
    struct dkim_sink to;
    bool begun, space;
};

static void
relaxed_text(struct relaxing *r, struct str s)
{
    for (size_t at = 0; at < s.n;) {
        size_t start = at;
        while (at < s.n && !wsp(s.p[at]) && s.p[at] != '\r' && s.p[at] != '\n')
            at++;
        if (at > start) {
            if (r->space && r->begun)
                put(r->to, " ", 1);
            put(r->to, s.p + start, at - start);
            r->begun = true;
            r->space = false;
        }
        for (; at < s.n && (wsp(s.p[at]) || s.p[at] == '\r' || s.p[at] == '\n'); at++)
            r->space = r->space || wsp(s.p[at]);
    }
}

static void
relaxed_name(struct str name, struct dkim_sink to)
{
    char small[64];
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        small[n++] = ascii_lower(name.p[i]);
        if (n == sizeof small) {
            put(to, small, n);
            n = 0;
        }
    }
    put(to, small, n);
    put(to, ":", 1);
}

/* The line without [from, until) and without its final line end. */
static void
canon_line(enum dkim_canon canon, struct str line, uint32_t from, uint32_t until,
           struct dkim_sink to)
{
    struct str head = str_sub(line, 0, from), tail = str_sub(line, until, line.n);
    if (canon == DKIM_CANON_SIMPLE) {
        simple_text(head, to);
        simple_text(tail, to);
        return;
    }
    size_t colon = str_chr(head, ':', 0);
    struct relaxing r = {.to = to};
    if (colon == STR_NPOS)
        colon = head.n;
    relaxed_name(str_trim(str_sub(head, 0, colon)), to);
    relaxed_text(&r, str_sub(head, colon + 1, head.n));
    relaxed_text(&r, tail);
}

static struct str
without_line_end(struct str line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\n')
        line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

void
dkim_canon_header(enum dkim_canon canon, struct str line, struct dkim_sink to)
{
    line = without_line_end(line);
    canon_line(canon, line, line.n, line.n, to);
    put(to, crlf, 2);
}

void
dkim_canon_signature(enum dkim_canon canon, struct str line, uint32_t from, uint32_t until,
                     struct dkim_sink to)
{
    line = without_line_end(line);
    canon_line(canon, line, from < line.n ? from : line.n, until < line.n ? until : line.n, to);
}

/* --- bodies --- */

static void
flush(struct dkim_body *b)
{
    put(b->to, b->block, b->block_n);
    b->block_n = 0;
}

/* Canonical bytes, up to the limit. */
static void
emit(struct dkim_body *b, const char *p, size_t n)
{
    b->size += (int64_t)n;
    if ((int64_t)n > b->left)
        n = (size_t)b->left;
    b->left -= (int64_t)n;
    if (n > sizeof b->block - b->block_n)
        flush(b);
    if (n > sizeof b->block) {
        put(b->to, p, n);
        return;
    }
    memcpy(b->block + b->block_n, p, n);
    b->block_n += n;
}

/* Something follows: what was held back counts. */
static void
release(struct dkim_body *b)
{
    for (; b->lines > 0; b->lines--)
        emit(b, crlf, 2);
    if (b->space)
        emit(b, " ", 1);
    b->space = false;
}

/* A part of a line without line ends. */
static void
feed_text(struct dkim_body *b, const char *p, size_t n)
{
    if (n == 0)
        return;
    b->line += (int64_t)n;
    if (b->line > b->longest)
        b->longest = b->line;
    if (b->canon == DKIM_CANON_SIMPLE) {
        release(b);
        emit(b, p, n);
        return;
    }
    struct str s = str_from(p, n);
    for (size_t at = 0; at < n;) {
        size_t end = scan_any(s, at, (struct scan_set){' ', '\t', ' '});
        if (end > at) {
            release(b);
            emit(b, p + at, end - at);
        }
        for (at = end; at < n && wsp(p[at]); at++)
            b->space = true;
    }
}

/* White space at the end of a line is dropped (relaxed); the line end waits for what follows. */
static void
end_line(struct dkim_body *b)
{
    b->space = false;
    b->cr = false;
    b->line = 0;
    b->lines++;
}

void
dkim_body_start(struct dkim_body *b, enum dkim_canon canon, int64_t limit, struct dkim_sink to)
{
    b->canon = canon;
    b->left = limit < 0 ? 0 : limit;
    b->size = b->longest = b->line = b->lines = 0;
    b->cr = b->space = false;
    b->to = to;
    b->block_n = 0;
}

/* The longest piece that is looked at as one text. */
enum { PIECE_MAX = 1 << 20 };

static void
feed_piece(struct dkim_body *b, const char *p, size_t n)
{
    const char *end = p + n;
    while (p < end) {
        const char *lf = scan_byte(p, end, '\n');
        if (b->cr && lf > p)
            feed_text(b, "\r", 1); /* it was no line end */
        b->cr = lf > p ? lf[-1] == '\r' : b->cr;
        feed_text(b, p, (size_t)(lf - p) - (lf > p && b->cr));
        if (lf == end)
            return;
        end_line(b);
        p = lf + 1;
    }
}

void
dkim_body_feed(struct dkim_body *b, const char *p, size_t n)
{
    while (n > 0) {
        size_t piece = n < PIECE_MAX ? n : PIECE_MAX;
        feed_piece(b, p, piece);
        p += piece;
        n -= piece;
    }
}

void
dkim_body_end(struct dkim_body *b)
{
    if (b->cr)
        feed_text(b, "\r", 1);
    /* A body that is not empty ends in one CRLF; an empty one is that alone (simple), or nothing (relaxed). */
    if (b->size > 0 || b->canon == DKIM_CANON_SIMPLE)
        emit(b, crlf, 2);
    flush(b);
}
