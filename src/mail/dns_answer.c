/* Answers of the DNS; see dns_answer.h. */
#include "mail/dns_answer.h"

#include "base/buf.h"

#include <string.h>

enum {
    HEADER_BYTES = 12,
    CLASS_IN = 1,
    FLAG_RESPONSE = 0x8000,
    FLAG_AUTHORITATIVE = 0x0400,
    FLAG_TRUNCATED = 0x0200,
    FLAG_AUTHENTICATED = 0x0020,
    RCODE_MASK = 0x000f,
    POINTER = 0xc0,
    TTL_MAX = 0x7fffffff, /* a larger one counts as 0 (RFC 2181, section 8) */
};

/* Where reading is; end is that of the message or of a record in it. */
struct cursor {
    struct arena *arena;
    const unsigned char *p; /* the whole message */
    size_t at, end;
    bool bad; /* something went beyond the end */
};

static uint32_t
take_number(struct cursor *c, size_t bytes)
{
    uint32_t v = 0;
    if (c->bad || c->end - c->at < bytes) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | c->p[c->at++];
    return v;
}

static struct str
take_bytes(struct cursor *c, size_t n)
{
    if (c->bad || c->end - c->at < n) {
        c->bad = true;
        return STR_EMPTY;
    }
    struct str s = str_from((const char *)c->p + c->at, n);
    c->at += n;
    return str_tainted(str_dup(c->arena, s));
}

/* --- names --- */

static void
add_label(struct buf *b, const unsigned char *p, size_t n)
{
    if (b->n > 0)
        buf_addc(b, '.');
    for (size_t i = 0; i < n; i++) {
        char ch = (char)p[i];
        if (strchr(".\\\"();@$", ch) != NULL && ch != '\0')
            buf_printf(b, "\\%c", ch);
        else if (p[i] <= ' ' || p[i] == 0x7f)
            buf_printf(b, "\\%03u", p[i]);
        else
            buf_addc(b, ch);
    }
}

/* Labels from `at` on. A pointer leads to before the place where this part of the name began, so the chain ends. */
static bool
read_labels(const struct cursor *c, size_t at, size_t *after, struct buf *b)
{
    size_t wire = 0, limit = at, message_end = c->end;
    *after = 0;
    for (;;) {
        if (at >= message_end)
            return false;
        size_t n = c->p[at];
        if (n == 0) {
            *after = *after == 0 ? at + 1 : *after;
            return true;
        }
        if ((n & POINTER) == POINTER) {
            if (message_end - at < 2)
                return false;
            size_t to = (n & ~(size_t)POINTER) << 8 | c->p[at + 1];
            *after = *after == 0 ? at + 2 : *after;
            if (to >= limit)
                return false;
            at = limit = to;
            continue;
        }
        wire += n + 1;
        if ((n & POINTER) != 0 || n >= message_end - at || wire + 1 > DNS_NAME_MAX)
            return false;
        add_label(b, c->p + at + 1, n);
        at += n + 1;
    }
}

static struct str
take_name(struct cursor *c)
{
    struct buf b = buf_in(c->arena, 0);
    size_t after;
    if (c->bad || !read_labels(c, c->at, &after, &b)) {
        c->bad = true;
        return STR_EMPTY;
    }
    c->at = after;
    return str_tainted(buf_str(&b));
}

/* --- records --- */

static void
take_ip(struct cursor *c, struct dns_record *r, uint8_t bytes)
{
    struct str s = take_bytes(c, bytes);
    if (c->bad)
        return;
    r->ip.n = bytes;
    memcpy(r->ip.b, s.p, bytes);
}

/* Numbers of the same width. */
static void
take_numbers(struct cursor *c, struct dns_record *r, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++)
        r->number[i] = take_number(c, bytes);
}

static bool
is_text(struct str rest)
{
    struct str text;
    while (dns_answer_next_text(&rest, &text))
        continue;
    return rest.n == 0;
}

/* True: the type is one that is kept, and its content is whole. */
static bool
take_content(struct cursor *c, struct dns_record *r)
{
    switch (r->type) {
    case DNS_A:
        take_ip(c, r, 4);
        break;
    case DNS_AAAA:
        take_ip(c, r, 16);
        break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        r->name = take_name(c);
        break;
    case DNS_MX:
        take_numbers(c, r, 1, 2);
        r->name = take_name(c);
        break;
    case DNS_SRV:
        take_numbers(c, r, 3, 2);
        r->name = take_name(c);
        break;
    case DNS_SOA:
        r->name = take_name(c);
        r->mailbox = take_name(c);
        take_numbers(c, r, 5, 4);
        break;
    case DNS_TLSA:
        take_numbers(c, r, 3, 1);
        r->bytes = take_bytes(c, c->bad ? 0 : c->end - c->at);
        break;
    case DNS_TXT:
    case DNS_SPF:
        r->bytes = take_bytes(c, c->end - c->at);
        return !c->bad && is_text(r->bytes);
    default:
        return false;
    }
    return !c->bad && c->at == c->end;
}

/* One record. *keep: it is of use. */
static bool
take_record(struct cursor *c, struct dns_record *r, bool *keep)
{
    memset(r, 0, sizeof *r);
    r->owner = take_name(c);
    r->type = take_number(c, 2);
    unsigned class = take_number(c, 2);
    r->ttl_s = take_number(c, 4);
    size_t n = take_number(c, 2);
    if (r->ttl_s > TTL_MAX)
        r->ttl_s = 0;
    if (c->bad || c->end - c->at < n)
        return false;
    struct cursor inner = *c;
    inner.end = c->at + n;
    *keep = class == CLASS_IN && take_content(&inner, r);
    c->at += n;
    return true;
}

static bool
take_questions(struct cursor *c, size_t count)
{
    for (size_t i = 0; i < count && !c->bad; i++) {
        (void)take_name(c);
        (void)take_number(c, 4);
    }
    return !c->bad;
}

static bool
take_section(struct cursor *c, size_t count, struct dns_answer *out, bool answers)
{
    for (size_t i = 0; i < count; i++) {
        struct dns_record r;
        bool keep = false;
        if (!take_record(c, &r, &keep))
            return false;
        if (!keep)
            continue;
        if (answers && out->answers.n < DNS_RECORDS_MAX)
            vec_push(c->arena, &out->answers, r);
        else if (!answers && out->authority.n < DNS_RECORDS_MAX)
            vec_push(c->arena, &out->authority, r);
    }
    return true;
}

bool
dns_answer_read(struct arena *a, struct str wire, struct dns_answer *out)
{
    struct cursor c = {.arena = a, .p = (const unsigned char *)wire.p, .end = wire.n};
    memset(out, 0, sizeof *out);
    if (wire.n < HEADER_BYTES || wire.n > DNS_MESSAGE_MAX)
        return false;
    (void)take_number(&c, 2);
    unsigned flags = take_number(&c, 2);
    size_t questions = take_number(&c, 2), answers = take_number(&c, 2);
    size_t authority = take_number(&c, 2);
    c.at = HEADER_BYTES;
    out->rcode = flags & RCODE_MASK;
    out->authoritative = (flags & FLAG_AUTHORITATIVE) != 0;
    out->truncated = (flags & FLAG_TRUNCATED) != 0;
    out->authenticated = (flags & FLAG_AUTHENTICATED) != 0;
    return (flags & FLAG_RESPONSE) != 0 && take_questions(&c, questions) &&
           take_section(&c, answers, out, true) && take_section(&c, authority, out, false);
}

bool
dns_answer_next_text(struct str *rest, struct str *text)
{
    if (rest->n == 0)
        return false;
    size_t n = (unsigned char)rest->p[0];
    if (n > rest->n - 1u)
        return false;
    *text = str_sub(*rest, 1, n);
    *rest = str_sub(*rest, n + 1, rest->n);
    return true;
}

struct str
dns_answer_join_texts(struct arena *a, struct str bytes)
{
    struct buf b = buf_in(a, 0);
    struct str one;
    while (dns_answer_next_text(&bytes, &one))
        buf_adds(&b, one);
    return buf_str(&b);
}
