/* The text of a message in every framing: the first byte chooses it and the size of the pieces. What comes out has no CR,
 * its lines end in LF, its figures are right, nothing is lost behind the end, and pieces make no difference. */
#include "engine/receive_text.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
    struct str rest;
    size_t piece;
    size_t ungot;
};

static ssize_t
get(void *ctx, char *p, size_t n)
{
    struct pieces *s = ctx;
    struct str part = str_sub(s->rest, 0, n < s->piece ? n : s->piece);
    if (part.n > 0)
        memcpy(p, part.p, part.n);
    s->rest = str_sub(s->rest, part.n, s->rest.n);
    return (ssize_t)part.n;
}

static void
unget(void *ctx, const char *p, size_t n)
{
    struct pieces *s = ctx;
    (void)p;
    s->ungot += n;
}

static bool
put(void *ctx, const char *p, size_t n)
{
    buf_add(ctx, p, n);
    return true;
}

struct text_read {
    struct str header, body;
    size_t left;
    enum receive_text_end end;
};

static void
check(bool good)
{
    if (!good)
        abort();
}

static void
check_header_line(struct str line)
{
    check(str_chr(line, '\r', 0) == STR_NPOS && !str_has_nul(line));
    for (size_t nl = str_chr(line, '\n', 0); nl + 1 < line.n; nl = str_chr(line, '\n', nl + 1))
        check(line.p[nl + 1] == ' ' || line.p[nl + 1] == '\t');
}

static struct text_read
read_all(struct arena *a, enum receive_framing framing, struct str in, size_t piece)
{
    struct pieces s = {.rest = in, .piece = piece};
    struct receive_source source = {.get = get, .unget = unget, .ctx = &s};
    struct text_read o;
    struct receive_text t;
    struct buf header = buf_in(a, 0), body = buf_in(a, 0);
    struct str line, first = STR_EMPTY;
    receive_text_start(&t, a, framing, &source);
    t.caps = (struct receive_caps){.header = 4096, .header_line = 2048, .message = 32768};
    t.put = put;
    t.put_ctx = &body;
    while ((o.end = receive_text_line(&t, a, &line)) == RECEIVE_TEXT_MORE) {
        check_header_line(line);
        if (header_name_length(line) == 0) {
            first = line;
            break;
        }
        buf_adds(&header, line);
    }
    if (o.end == RECEIVE_TEXT_MORE || o.end == RECEIVE_TEXT_BODY || o.end == RECEIVE_TEXT_OVER)
        o.end = receive_text_body(&t, first);
    check(o.end != RECEIVE_TEXT_OVER || (int64_t)body.n == t.body_size);
    if (o.end != RECEIVE_TEXT_OVER)
        (void)receive_text_drain(&t);
    o.header = buf_str(&header);
    o.body = buf_str(&body);
    o.left = s.ungot + s.rest.n;
    return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 65536)
        return 0;
    struct arena *a = arena_new();
    enum receive_framing framing = (enum receive_framing)(data[0] % 5);
    struct str in = str_from((const char *)data + 1, size - 1);
    struct text_read one = read_all(a, framing, in, 1u + data[0] / 5u);
    struct text_read other = read_all(a, framing, in, SIZE_MAX);
    check(one.end == other.end && one.left == other.left);
    check(str_eq(one.header, other.header));
    if (one.end == RECEIVE_TEXT_OVER) {
        check(str_eq(one.body, other.body) && str_chr(one.body, '\r', 0) == STR_NPOS);
        check(framing == RECEIVE_CHUNKS || one.body.n == 0 ||
              one.body.p[one.body.n - 1] == '\n');
    }
    arena_free(a);
    return 0;
}
