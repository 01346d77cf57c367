/* The text of a message from its source; see receive_text.h.
 *
 * The header is read byte by byte, since every byte of it can matter; the body in runs between line ends, which memchr
 * finds.
 */
#include "engine/receive_text.h"

#include "base/arena.h"

#include <errno.h>
#include <string.h>

enum {
    IN_SIZE = 32768,
    OUT_SIZE = 65536,
    /* No cap means this one: a logical line must fit into memory many times over. */
    HEADER_CAP = 256 << 20,
};

/* What a byte of the input can be besides itself. */
enum { END_OF_INPUT = -1, READ_FAILED = -2 };

void
receive_text_start(struct receive_text *t, struct arena *a, enum receive_framing framing,
                   const struct receive_source *source)
{
    *t = (struct receive_text){.framing = framing, .source = *source, .line_start = true};
    t->in = arena_alloc(a, IN_SIZE);
    t->out = arena_alloc(a, OUT_SIZE);
}

/* --- input --- */

/* Reads more behind what is left. */
static int
fill(struct receive_text *t)
{
    if (t->source_end != 0)
        return t->source_end;
    memmove(t->in, t->in + t->at, t->n - t->at);
    t->n -= t->at;
    t->at = 0;
    ssize_t n;
    do {
        n = t->source.get(t->source.ctx, t->in + t->n, IN_SIZE - t->n);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        t->n += (size_t)n;
        return 0;
    }
    t->source_end = n < 0 ? READ_FAILED : END_OF_INPUT;
    return t->source_end;
}

static inline int
peek(struct receive_text *t)
{
    int r = t->at < t->n ? 0 : fill(t);
    return r < 0 ? r : (unsigned char)t->in[t->at];
}

static inline int
get(struct receive_text *t)
{
    int c = peek(t);
    if (c >= 0)
        t->at++;
    return c;
}

static bool
is_smtp(const struct receive_text *t)
{
    return t->framing == RECEIVE_SMTP || t->framing == RECEIVE_BATCH_SMTP;
}

static bool
has_dots(const struct receive_text *t)
{
    return is_smtp(t) || t->framing == RECEIVE_DOT;
}

/* Where the input ends although the framing has another end. */
static enum receive_text_end
at_end_of_input(struct receive_text *t, int c)
{
    if (c == READ_FAILED)
        return RECEIVE_TEXT_NO_READ;
    t->ended = true;
    return is_smtp(t) ? RECEIVE_TEXT_CUT_OFF : RECEIVE_TEXT_OVER;
}

/* --- line ends --- */

enum line_end { LINE_END_LF, LINE_END_CR, LINE_END_CRLF };

/* After CR or LF was taken. */
static enum line_end
take_line_end(struct receive_text *t, int c)
{
    if (c == '\n')
        return LINE_END_LF;
    if (peek(t) != '\n')
        return LINE_END_CR;
    t->at++;
    return LINE_END_CRLF;
}

static void
end_line(struct receive_text *t, enum line_end e)
{
    if (!t->mode_known) {
        t->mode_known = true;
        t->crlf = e == LINE_END_CRLF;
    }
    if (t->line_n > t->max_line)
        t->max_line = t->line_n;
    t->line_n = 0;
    t->line_start = true;
    t->after_cr = e == LINE_END_CR;
}

/* At a dot that begins a line. True when it ends the message; then the line end is taken as well. Otherwise the dot is
 * taken and *keep says whether it belongs to the text. */
static bool
take_dot(struct receive_text *t, bool *keep)
{
    t->at++;
    *keep = !is_smtp(t);
    int c = peek(t);
    if (c == '\n' && (!t->crlf || !is_smtp(t))) {
        t->at++;
        return true;
    }
    if (c != '\r')
        return false;
    /* CR LF ends it, CR alone does not; the LF may be in the next block. */
    if (t->at + 1 == t->n)
        (void)fill(t);
    if (t->at + 1 >= t->n || t->in[t->at + 1] != '\n')
        return false;
    t->at += 2;
    return true;
}

/* --- header --- */

/* Takes a dot at the start of a physical line into b, or ends the message. */
static bool
header_dot(struct receive_text *t, struct buf *b)
{
    bool keep;
    if (!t->line_start || t->after_cr || !has_dots(t) || peek(t) != '.')
        return false;
    if (take_dot(t, &keep)) {
        t->ended = true;
        return true;
    }
    t->line_start = false;
    if (keep) {
        buf_addc(b, '.');
        t->line_n++;
    }
    return false;
}

static void
header_byte(struct receive_text *t, struct buf *b, int c)
{
    t->line_start = false;
    t->high |= c > 127;
    buf_addc(b, c == '\0' ? '?' : (char)c);
    t->line_n++;
}

/* A line end within a header; true when the logical line is over (*b has it). */
static bool
header_line_end(struct receive_text *t, struct buf *b, int c)
{
    bool known = t->mode_known;
    enum line_end e = take_line_end(t, c);
    bool bare = e == LINE_END_CR || (e == LINE_END_LF && known && t->crlf);
    buf_addc(b, '\n');
    end_line(t, e);
    t->header_lines++;
    if (bare) {
        buf_addc(b, ' ');
        t->line_start = false;
        t->line_n = 1;
        return false;
    }
    if (b->n == 1)
        return true;
    int next = peek(t);
    return next != ' ' && next != '\t';
}

/* The caps of one line and of the whole header. */
static enum receive_text_end
check_caps(struct receive_text *t, const struct buf *b)
{
    int64_t n = (int64_t)b->n, all = t->header_size + n;
    int64_t most = t->caps.header > 0 ? t->caps.header : HEADER_CAP;
    if (all > most)
        return RECEIVE_TEXT_HEADER_BIG;
    if (t->caps.header_line > 0 && n > t->caps.header_line)
        return RECEIVE_TEXT_LINE_BIG;
    return RECEIVE_TEXT_MORE;
}

/* The end of the input, or a line of one dot, behind what b has. */
static enum receive_text_end
last_line(struct receive_text *t, struct buf *b, int c)
{
    if (c < 0) {
        t->fault = at_end_of_input(t, c);
        if (t->fault != RECEIVE_TEXT_OVER)
            return t->fault;
    }
    if (b->n == 0)
        return RECEIVE_TEXT_OVER;
    if (b->p[b->n - 1] != '\n') {
        buf_addc(b, '\n');
        end_line(t, LINE_END_LF);
        t->header_lines++;
    }
    return RECEIVE_TEXT_MORE;
}

/* Reads a logical line into b. */
static enum receive_text_end
collect(struct receive_text *t, struct buf *b)
{
    for (;;) {
        if (header_dot(t, b))
            return last_line(t, b, 0);
        int c = get(t);
        if (c < 0)
            return last_line(t, b, c);
        if (b->n == 0 && c == '\n' && t->mode_known && t->crlf) {
            t->body_space = true; /* an empty line all the same */
            buf_addc(b, '\n');
            end_line(t, LINE_END_LF);
            return RECEIVE_TEXT_MORE;
        }
        if (c != '\r' && c != '\n') {
            header_byte(t, b, c);
        } else if (c == '\n' && t->framing == RECEIVE_CHUNKS) {
            (void)header_line_end(t, b, c);
            return RECEIVE_TEXT_LINE_END;
        } else if (header_line_end(t, b, c)) {
            return b->n == 1 ? RECEIVE_TEXT_MORE
                             : check_caps(t, b); /* the empty line is free */
        }
        enum receive_text_end r = check_caps(t, b);
        if (r != RECEIVE_TEXT_MORE)
            return r;
    }
}

/* Continuation lines of nothing but white space at the end of a line go. */
static struct str
cut_empty_ends(struct str line)
{
    for (;;) {
        size_t end = line.n - 1, at = end;
        while (at > 0 && (line.p[at - 1] == ' ' || line.p[at - 1] == '\t'))
            at--;
        if (at == 0 || line.p[at - 1] != '\n' || at == end)
            return line;
        line = str_sub(line, 0, at);
    }
}

enum receive_text_end
receive_text_line(struct receive_text *t, struct arena *a, struct str *line)
{
    *line = STR_EMPTY;
    if (t->fault != RECEIVE_TEXT_MORE || t->ended)
        return t->fault != RECEIVE_TEXT_MORE ? t->fault : RECEIVE_TEXT_OVER;
    struct buf b = buf_in(a, 0);
    enum receive_text_end r = collect(t, &b);
    *line = b.n > 0 ? str_tainted(buf_str(&b)) : STR_EMPTY;
    if (r != RECEIVE_TEXT_MORE)
        return r;
    t->header_size += line->n;
    if (str_eqz(*line, "\n"))
        return RECEIVE_TEXT_BODY;
    if (header_name_length(*line) > 0)
        *line = cut_empty_ends(*line);
    return RECEIVE_TEXT_MORE;
}

/* --- body --- */

static bool
flush(struct receive_text *t)
{
    bool ok = t->out_n == 0 || t->put == NULL || t->put(t->put_ctx, t->out, t->out_n);
    t->out_n = 0;
    return ok;
}

static bool
put(struct receive_text *t, const char *p, size_t n)
{
    t->body_size += (int64_t)n;
    if (n > OUT_SIZE - t->out_n && !flush(t))
        return false;
    if (n > OUT_SIZE - t->out_n)
        return t->put == NULL || t->put(t->put_ctx, p, n);
    memcpy(t->out + t->out_n, p, n);
    t->out_n += n;
    return true;
}

static bool
put_line_end(struct receive_text *t, enum line_end e)
{
    if (e == LINE_END_LF && t->crlf && is_smtp(t)) {
        t->line_start = false;
        t->line_n++;
        return put(t, " ", 1);
    }
    end_line(t, e);
    t->body_lines++;
    return put(t, "\n", 1);
}

/* Bytes from at to the next line end in the buffer. */
static size_t
run_length(const struct receive_text *t)
{
    const char *p = t->in + t->at;
    size_t n = t->n - t->at;
    const char *lf = memchr(p, '\n', n);
    if (lf != NULL)
        n = (size_t)(lf - p);
    const char *cr = memchr(p, '\r', n);
    return cr != NULL ? (size_t)(cr - p) : n;
}

static void
count_zeros(struct receive_text *t, const char *p, size_t n)
{
    const char *z;
    while (n > 0 && (z = memchr(p, '\0', n)) != NULL) {
        t->body_zeros++;
        n -= (size_t)(z + 1 - p);
        p = z + 1;
    }
}

static bool
put_run(struct receive_text *t)
{
    size_t n = run_length(t);
    const char *p = t->in + t->at;
    if (n == 0)
        return true;
    count_zeros(t, p, n);
    t->line_start = false;
    t->line_n += (int64_t)n;
    t->at += n;
    return put(t, p, n);
}

/* A dot at the start of a line. */
static bool
put_dot(struct receive_text *t)
{
    bool keep;
    if (!t->line_start || t->after_cr || !has_dots(t) || t->in[t->at] != '.')
        return true;
    if (take_dot(t, &keep)) {
        t->ended = true;
        return true;
    }
    t->line_start = false;
    t->line_n += keep;
    return !keep || put(t, ".", 1);
}

/* A last line without its newline gets one. */
static enum receive_text_end
end_body(struct receive_text *t, enum receive_text_end end)
{
    if (end == RECEIVE_TEXT_OVER && !t->line_start) {
        end_line(t, LINE_END_LF);
        t->body_lines++;
        if (!put(t, "\n", 1))
            end = RECEIVE_TEXT_NO_WRITE;
    }
    if (end == RECEIVE_TEXT_OVER && !flush(t))
        end = RECEIVE_TEXT_NO_WRITE;
    return end;
}

static bool
is_too_big(const struct receive_text *t)
{
    return t->caps.message > 0 && t->header_size + t->body_size > t->caps.message;
}

static enum receive_text_end
read_body(struct receive_text *t)
{
    while (!t->ended) {
        int c = peek(t);
        if (c < 0)
            return end_body(t, at_end_of_input(t, c));
        if (!put_dot(t))
            return RECEIVE_TEXT_NO_WRITE;
        if (t->ended)
            break;
        if (t->at < t->n && !put_run(t))
            return RECEIVE_TEXT_NO_WRITE;
        if (t->at < t->n && (t->in[t->at] == '\r' || t->in[t->at] == '\n')) {
            c = get(t);
            if (!put_line_end(t, take_line_end(t, c)))
                return RECEIVE_TEXT_NO_WRITE;
        }
        if (is_too_big(t))
            return flush(t) ? RECEIVE_TEXT_BIG : RECEIVE_TEXT_NO_WRITE;
    }
    return end_body(t, RECEIVE_TEXT_OVER);
}

/* What pipelining brought along. */
static void
give_back(struct receive_text *t)
{
    if (t->source.unget != NULL && t->n > t->at)
        t->source.unget(t->source.ctx, t->in + t->at, t->n - t->at);
    t->at = t->n = 0;
}

enum receive_text_end
receive_text_body(struct receive_text *t, struct str first)
{
    enum receive_text_end r = RECEIVE_TEXT_OVER;
    if (t->fault != RECEIVE_TEXT_MORE && t->fault != RECEIVE_TEXT_OVER)
        return t->fault;
    for (size_t at = str_chr(first, '\n', 0); at != STR_NPOS;
         at = str_chr(first, '\n', at + 1)) {
        t->body_lines++;
        t->header_lines--;
    }
    t->header_size -= first.n;
    if (!put(t, first.p, first.n) || (t->body_space && !put(t, " ", 1)))
        return RECEIVE_TEXT_NO_WRITE;
    if (t->body_space) {
        t->line_start = false;
        t->line_n = 1;
    }
    r = read_body(t);
    if (t->ended)
        give_back(t);
    return r;
}

struct str
receive_text_rest(struct receive_text *t, struct arena *a, size_t most)
{
    struct buf b = buf_in(a, most);
    while (b.n < most && peek(t) >= 0) {
        size_t n = t->n - t->at;
        n = n < most - b.n ? n : most - b.n;
        buf_add(&b, t->in + t->at, n);
        t->at += n;
    }
    return b.n > 0 ? str_tainted(buf_str(&b)) : STR_EMPTY;
}

static bool
drop(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return true;
}

enum receive_text_end
receive_text_drain(struct receive_text *t)
{
    t->caps = (struct receive_caps){.message = 0};
    t->put = drop;
    t->out_n = 0;
    enum receive_text_end r = t->ended ? RECEIVE_TEXT_OVER : read_body(t);
    if (t->ended)
        give_back(t);
    return r;
}
