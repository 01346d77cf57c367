/* Replies of SMTP servers. The input is a server's, hence a stranger's: every line and the
 * number of lines are capped, control characters in the text become spaces, so that it can go
 * into a log line or a bounce. */
#include "mail/smtp_reply.h"

#include "base/arena.h"
#include "base/buf.h"

/* The three digits at the start of a line; -1 when they are none. */
static int
read_code(struct str line)
{
    if (line.n < 3 || !ascii_digit(line.p[0]) || !ascii_digit(line.p[1]) ||
        !ascii_digit(line.p[2]))
        return -1;
    return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
}

static size_t
digits(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && ascii_digit(s.p[at + n]))
        n++;
    return n;
}

size_t
smtp_enhanced_length(struct str s)
{
    size_t at = 1;
    if (s.n < 5 || (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5'))
        return 0;
    for (int part = 0; part < 2; part++) {
        if (at >= s.n || s.p[at] != '.')
            return 0;
        size_t n = digits(s, ++at);
        if (n < 1 || n > 3)
            return 0;
        at += n;
    }
    return at == s.n || ascii_space(s.p[at]) ? at : 0;
}

static void
add_line(struct buf *b, struct str line)
{
    if (b->n > 0)
        buf_addc(b, '\n');
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        buf_addc(b, c < ' ' || c == 0x7f ? ' ' : (char)c);
    }
}

/* One line at *at without its end; false when it has no end yet. */
static bool
next_line(struct str in, size_t *at, struct str *line)
{
    size_t end = str_chr(in, '\n', *at);
    if (end == STR_NPOS)
        return false;
    *line = str_sub(in, *at, end - *at);
    if (str_ends(*line, STR_LIT("\r")))
        line->n--;
    *at = end + 1;
    return true;
}

static void
set_enhanced(struct smtp_reply *r)
{
    struct str first = smtp_reply_line(r, 0);
    size_t n = smtp_enhanced_length(first);
    r->enhanced = n > 0 && first.p[0] - '0' == r->code / 100 ? str_sub(first, 0, n) : STR_NULL;
}

enum smtp_reply_status
smtp_reply_parse(struct arena *a, struct str in, size_t *used, struct smtp_reply *out)
{
    struct buf b = buf_in(a, 0);
    struct smtp_reply r = {.enhanced = STR_NULL};
    struct str line;
    b.taint = STR_TAINTED;
    for (size_t at = 0; next_line(in, &at, &line);) {
        int code = read_code(line);
        if (code < 0 || (r.lines > 0 && code != r.code) || line.n > SMTP_REPLY_LINE_MAX ||
            r.lines >= SMTP_REPLY_LINES_MAX)
            return SMTP_REPLY_BAD;
        if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
            return SMTP_REPLY_BAD;
        r.code = code;
        r.lines++;
        add_line(&b, line);
        if (line.n > 3 && line.p[3] == '-')
            continue;
        r.text = buf_str(&b);
        set_enhanced(&r);
        *used = at;
        *out = r;
        return SMTP_REPLY_DONE;
    }
    return in.n > (size_t)SMTP_REPLY_LINE_MAX * SMTP_REPLY_LINES_MAX ? SMTP_REPLY_BAD
                                                                     : SMTP_REPLY_MORE;
}

struct str
smtp_reply_line(const struct smtp_reply *r, size_t i)
{
    size_t at = 0;
    for (; i > 0; i--) {
        size_t end = str_chr(r->text, '\n', at);
        if (end == STR_NPOS)
            return STR_EMPTY;
        at = end + 1;
    }
    size_t end = str_chr(r->text, '\n', at);
    struct str line = str_sub(r->text, at, (end == STR_NPOS ? r->text.n : end) - at);
    return str_sub(line, 4, line.n);
}

struct str
smtp_code_split(struct str s, int *code, struct str *enhanced)
{
    *enhanced = STR_NULL;
    *code = read_code(s);
    if (*code < 200 || *code > 599 || (s.n > 3 && !ascii_space(s.p[3]))) {
        *code = 0;
        return s;
    }
    s = str_trim_left(str_sub(s, 3, s.n));
    size_t n = smtp_enhanced_length(s);
    if (n == 0 || s.p[0] - '0' != *code / 100)
        return s;
    *enhanced = str_sub(s, 0, n);
    return str_trim_left(str_sub(s, n, s.n));
}
