/* Between a -H file and the models; see spool_model.h. */
#include "engine/spool_model.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stddef.h>

enum row_kind {
    ROW_TEXT,
    ROW_NUMBER,   /* always in the file */
    ROW_POSITIVE, /* only when it is not zero */
    ROW_FLAG,
    ROW_ESCAPED, /* a text of several lines */
};

struct row {
    enum row_kind kind;
    size_t spool, model;
};

#define ROW(kind, field, type, member)                                                         \
    {                                                                                          \
        (kind), offsetof(struct spool_header, field), offsetof(struct type, member)            \
    }

/* clang-format off */
static const struct row message_rows[] = {
    ROW(ROW_TEXT,     sender,             message, sender),
    ROW(ROW_TEXT,     auth_sender,        message, authenticated_sender),
    ROW(ROW_TEXT,     received_protocol,  message, received_protocol),
    ROW(ROW_TEXT,     local_scan,         message, local_scan_text),
    ROW(ROW_NUMBER,   uid,                message, originator_uid),
    ROW(ROW_NUMBER,   gid,                message, originator_gid),
    ROW(ROW_NUMBER,   received_time,      message, received_time),
    ROW(ROW_NUMBER,   received_time_us,   message, received_time_us),
    ROW(ROW_NUMBER,   body_lines,         message, body_lines),
    ROW(ROW_NUMBER,   max_received_line,  message, max_received_line),
    ROW(ROW_POSITIVE, body_zeros,         message, body_zeros),
    ROW(ROW_TEXT,     dsn_envid,          message, dsn_envid),
    ROW(ROW_POSITIVE, dsn_ret,            message, dsn_ret),
    ROW(ROW_FLAG,     smtputf8,           message, smtputf8),
    ROW(ROW_FLAG,     utf8_downconvert,   message, utf8_downconvert),
    ROW(ROW_FLAG,     utf8_optional_downconvert, message, utf8_optional_downconvert),
    ROW(ROW_FLAG,     first_delivery,     message, first_delivery),
};

static const struct row session_rows[] = {
    ROW(ROW_TEXT,     helo_name,            session, sender_helo_name),
    ROW(ROW_TEXT,     host.address,         session, sender_host_address),
    ROW(ROW_NUMBER,   host.port,            session, sender_host_port),
    ROW(ROW_TEXT,     host_name,            session, sender_host_name),
    ROW(ROW_TEXT,     host_auth,            session, sender_host_authenticated),
    ROW(ROW_TEXT,     host_auth_pubname,    session, auth_public_name),
    ROW(ROW_TEXT,     interface.address,    session, interface_address),
    ROW(ROW_NUMBER,   interface.port,       session, interface_port),
    ROW(ROW_TEXT,     active_hostname,      session, active_hostname),
    ROW(ROW_TEXT,     ident,                session, sender_ident),
    ROW(ROW_TEXT,     auth_id,              session, authenticated_id),
    ROW(ROW_FLAG,     host_lookup_deferred, session, host_lookup_deferred),
    ROW(ROW_FLAG,     host_lookup_failed,   session, host_lookup_failed),
    ROW(ROW_TEXT,     spam_bar,             session, spam_bar),
    ROW(ROW_TEXT,     spam_score,           session, spam_score),
    ROW(ROW_TEXT,     spam_score_int,       session, spam_score_int),
    ROW(ROW_TEXT,     tls_cipher,           session, tls_in.cipher),
    ROW(ROW_ESCAPED,  tls_ourcert,          session, tls_in.ourcert),
    ROW(ROW_ESCAPED,  tls_peercert,         session, tls_in.peercert),
    ROW(ROW_ESCAPED,  tls_peerdn,           session, tls_in.peerdn),
    ROW(ROW_TEXT,     tls_sni,              session, tls_in.sni),
    ROW(ROW_TEXT,     tls_version,          session, tls_in.version),
    ROW(ROW_POSITIVE, tls_ocsp,             session, tls_in.ocsp),
};
/* clang-format on */

/* Newlines as \n, backslashes doubled. */
static struct str
escaped(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    b.taint = text.taint;
    if (!str_is_set(text))
        return STR_NULL;
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            buf_addz(&b, "\\n");
        else if (text.p[i] == '\\')
            buf_addz(&b, "\\\\");
        else
            buf_addc(&b, text.p[i]);
    }
    struct str s = buf_str(&b);
    return s.p != NULL ? s : STR_EMPTY;
}

static struct str
unescaped(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    b.taint = text.taint;
    if (!str_is_set(text))
        return STR_NULL;
    for (uint32_t i = 0; i < text.n; i++) {
        bool code = text.p[i] == '\\' && i + 1 < text.n;
        i += code;
        buf_addc(&b, code && text.p[i] == 'n' ? '\n' : text.p[i]);
    }
    struct str s = buf_str(&b);
    return s.p != NULL ? s : STR_EMPTY;
}

static void
load(struct arena *a, const struct spool_header *h, void *model, const struct row *rows,
     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const void *from = (const char *)h + rows[i].spool;
        void *to = (char *)model + rows[i].model;
        if (rows[i].kind == ROW_TEXT)
            *(struct str *)to = *(const struct str *)from;
        else if (rows[i].kind == ROW_ESCAPED)
            *(struct str *)to = unescaped(a, *(const struct str *)from);
        else if (rows[i].kind == ROW_FLAG)
            *(bool *)to = *(const bool *)from;
        else
            *(int64_t *)to = *(const int64_t *)from == SPOOL_NONE ? 0 : *(const int64_t *)from;
    }
}

static void
store(struct arena *a, struct spool_header *h, const void *model, const struct row *rows,
      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *to = (char *)h + rows[i].spool;
        const void *from = (const char *)model + rows[i].model;
        if (rows[i].kind == ROW_TEXT)
            *(struct str *)to = *(const struct str *)from;
        else if (rows[i].kind == ROW_ESCAPED)
            *(struct str *)to = escaped(a, *(const struct str *)from);
        else if (rows[i].kind == ROW_FLAG)
            *(bool *)to = *(const bool *)from;
        else if (rows[i].kind == ROW_NUMBER || *(const int64_t *)from != 0)
            *(int64_t *)to = *(const int64_t *)from;
        else
            *(int64_t *)to = SPOOL_NONE;
    }
}

void
spool_model_load(struct arena *a, const struct spool_header *h, struct message *m,
                 struct session *s)
{
    load(a, h, m, message_rows, sizeof message_rows / sizeof *message_rows);
    load(a, h, s, session_rows, sizeof session_rows / sizeof *session_rows);
    m->id = str_dup(a, message_id_str(&h->id));
    s->tls_in.verified = h->tls_certificate_verified;
    m->headers = ARENA_NEW(a, struct header_list);
    *m->headers = h->headers;
    m->received_count = 0;
    for (size_t i = 0; i < h->headers.n; i++)
        m->received_count += h->headers.v[i].type == HEADER_TYPE_RECEIVED;
    m->recipients.n = 0;
    for (size_t i = 0; i < h->recipients.n; i++) {
        const struct spool_recipient *r = &h->recipients.v[i];
        vec_push(a, &m->recipients,
                 ((struct recipient){.address = r->address,
                                     .errors_to = r->errors_to,
                                     .orcpt = r->orcpt,
                                     .dsn_flags = r->dsn_flags,
                                     .parent = r->parent}));
    }
}

bool
spool_model_store(struct arena *a, const struct message *m, const struct session *s,
                  struct spool_header *h)
{
    if (!message_id_parse(m->id, &h->id))
        return false;
    store(a, h, m, message_rows, sizeof message_rows / sizeof *message_rows);
    store(a, h, s, session_rows, sizeof session_rows / sizeof *session_rows);
    h->tls_certificate_verified = s->tls_in.verified != 0;
    if (h->wireformat)
        h->body_lines = SPOOL_NONE;
    if (m->headers != NULL)
        h->headers = *m->headers;
    h->recipients.n = 0;
    for (size_t i = 0; i < m->recipients.n; i++) {
        const struct recipient *r = &m->recipients.v[i];
        vec_push(a, &h->recipients,
                 ((struct spool_recipient){.address = r->address,
                                           .errors_to = r->errors_to,
                                           .orcpt = r->orcpt,
                                           .dsn_flags = r->dsn_flags,
                                           .parent = SPOOL_NONE}));
    }
    return true;
}
