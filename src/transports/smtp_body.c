/* The message itself; see smtp_body.h. Source: RFC 5321 section 4.1.1.4, RFC 3030. */
#include "transports/smtp_body.h"

#include <errno.h>

enum { MS = 1000 };

bool
smtp_body_data(struct smtp_client *c, const struct message_write *w,
               struct message_written *written)
{
    struct message_write own = *w;
    struct message_sink sink = smtp_client_sink(c, w->arena, c->opt->data_timeout * MS);
    own.flags |= MESSAGE_WRITE_DOTS | MESSAGE_WRITE_CRLF;
    message_write(&own, &sink, written);
    if (!written->ok)
        c->broken = true;
    return written->ok;
}

/* --- chunks --- */

struct chunks {
    struct smtp_client *c;
    struct arena *arena;
    bool (*before)(void *ctx, size_t n);
    void *ctx;
    struct buf text; /* of the chunk that is being made */
    size_t sent;
};

/* Sends what was gathered as one chunk. */
static bool
send_chunk(struct chunks *k, bool last)
{
    struct smtp_client *c = k->c;
    if (k->sent > 0 && !k->before(k->ctx, k->sent)) {
        errno = ECANCELED;
        return false;
    }
    (void)smtp_client_put(c, k->arena, "BDAT %zu%s", k->text.n, last ? " LAST" : "");
    struct message_sink sink = smtp_client_sink(c, k->arena, c->opt->data_timeout * MS);
    message_sink_adds(&sink, buf_str(&c->out));
    c->out.n = 0;
    message_sink_adds(&sink, buf_str(&k->text));
    k->text.n = 0;
    k->sent++;
    if (message_sink_flush(&sink))
        return true;
    c->broken = true;
    errno = sink.sys_errno;
    return false;
}

static bool
take(void *ctx, struct iovec *v, int n)
{
    struct chunks *k = ctx;
    for (int i = 0; i < n; i++) {
        if (k->text.n > 0 && k->text.n + v[i].iov_len > SMTP_BODY_CHUNK &&
            !send_chunk(k, false))
            return false;
        buf_add(&k->text, v[i].iov_base, v[i].iov_len);
    }
    return true;
}

bool
smtp_body_chunks(struct smtp_client *c, const struct message_write *w,
                 bool (*before)(void *ctx, size_t n), void *ctx,
                 struct message_written *written)
{
    struct message_write own = *w;
    struct chunks k = {.c = c, .arena = w->arena, .before = before, .ctx = ctx};
    struct message_sink sink = {.arena = w->arena, .fd = -1, .put = take, .ctx = &k};
    k.text = buf_in(w->arena, 0);
    own.flags |= MESSAGE_WRITE_CRLF;
    message_write(&own, &sink, written);
    if (written->ok && !send_chunk(&k, true)) {
        written->ok = false;
        written->sys_errno = errno;
    }
    if (!written->ok && written->sys_errno != ECANCELED)
        c->broken = true;
    return written->ok;
}
