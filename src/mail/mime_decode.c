/* Transfer encodings; see mime_decode.h. What becomes of broken text is as the reference shows it. */
#include "mail/mime_decode.h"

#include "base/base64.h"

enum mime_encoding
mime_encoding_find(struct str name)
{
    if (str_ieqz(name, "base64"))
        return MIME_BASE64;
    return str_ieqz(name, "quoted-printable") ? MIME_QUOTED_PRINTABLE : MIME_IDENTITY;
}

static void
flush(struct mime_decoder *d)
{
    if (d->n > 0 && !d->failed)
        d->failed = !d->put(d->ctx, d->out, d->n);
    d->n = 0;
}

static void
put(struct mime_decoder *d, char c)
{
    if (d->n == sizeof d->out)
        flush(d);
    d->out[d->n++] = c;
}

/* --- base64 --- */

/* The bytes of a quartet that is cut short, by padding or the end. */
static void
end_quartet(struct mime_decoder *d)
{
    if (d->digits == 3)
        put(d, (char)(d->bits >> 10));
    if (d->digits == 2)
        put(d, (char)(d->bits >> 4));
    else if (d->digits == 3)
        put(d, (char)(d->bits >> 2));
    d->digits = 0;
    d->bits = 0;
}

static void
take_base64(struct mime_decoder *d, char c)
{
    int value = base64_value(c);
    if (c == '=') {
        end_quartet(d);
    } else if (value < 0) {
        d->anomalies += c != '\n' && c != '\r';
    } else {
        d->bits = d->bits << 6 | (uint32_t)value;
        if (++d->digits < 4)
            return;
        put(d, (char)(d->bits >> 16));
        put(d, (char)(d->bits >> 8));
        put(d, (char)d->bits);
        d->digits = 0;
        d->bits = 0;
    }
}

/* --- quoted-printable --- */

static void
give_up(struct mime_decoder *d)
{
    for (size_t i = 0; i < d->held_n; i++)
        put(d, d->held[i]);
    d->held_n = 0;
    d->anomalies++;
}

/* c comes behind '=' and what is held. True: it is used up. */
static bool
take_escaped(struct mime_decoder *d, char c)
{
    bool blank = c == ' ' || c == '\t' || c == '\r';
    bool only_blanks = d->held_n == 1 || ascii_space(d->held[1]);
    if (c == '\n' && only_blanks) {
        d->held_n = 0; /* a soft line break */
        return true;
    }
    if (blank && only_blanks && d->held_n < sizeof d->held) {
        d->held[d->held_n++] = c;
        return true;
    }
    if (d->held_n == 1 && ascii_hex(c) >= 0) {
        d->held[d->held_n++] = c;
        return true;
    }
    if (d->held_n == 2 && !only_blanks && ascii_hex(c) >= 0) {
        put(d, (char)(ascii_hex(d->held[1]) * 16 + ascii_hex(c)));
        d->held_n = 0;
        return true;
    }
    give_up(d);
    return false;
}

static void
take_quoted(struct mime_decoder *d, char c)
{
    if (d->held_n > 0 && take_escaped(d, c))
        return;
    if (c == '=')
        d->held[d->held_n++] = c;
    else
        put(d, c);
}

/* --- public --- */

void
mime_decode_start(struct mime_decoder *d, enum mime_encoding encoding,
                  bool (*put_block)(void *ctx, const char *p, size_t n), void *ctx)
{
    d->encoding = encoding;
    d->put = put_block;
    d->ctx = ctx;
    d->anomalies = 0;
    d->failed = false;
    d->bits = 0;
    d->digits = 0;
    d->held_n = d->n = 0;
}

bool
mime_decode_feed(struct mime_decoder *d, struct str block)
{
    if (d->failed)
        return false;
    switch (d->encoding) {
    case MIME_IDENTITY:
        d->failed = block.n > 0 && !d->put(d->ctx, block.p, block.n);
        break;
    case MIME_BASE64:
        for (size_t i = 0; i < block.n; i++)
            take_base64(d, block.p[i]);
        break;
    case MIME_QUOTED_PRINTABLE:
        for (size_t i = 0; i < block.n; i++)
            take_quoted(d, block.p[i]);
        break;
    }
    return !d->failed;
}

bool
mime_decode_end(struct mime_decoder *d)
{
    if (d->encoding == MIME_BASE64)
        end_quartet(d);
    if (d->held_n > 0 && (d->held_n == 1 || ascii_space(d->held[1])))
        d->held_n = 0;
    else if (d->held_n > 0)
        give_up(d);
    flush(d);
    return !d->failed;
}
