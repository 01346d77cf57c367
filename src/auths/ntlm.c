/* NTLM messages; see ntlm.h. Fields are those of MS-NLMP sections 2.2.1.1 to 2.2.1.3. */
#include "auths/ntlm.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/record.h"
#include "base/utf16.h"
#include "base/utf8.h"

static const char signature[8] = "NTLMSSP";

enum message_type { REQUEST = 1, CHALLENGE = 2, RESPONSE = 3 };

enum {
    UNICODE = 0x1,
    OEM = 0x2,
    NTLM = 0x200,
    ALWAYS_SIGN = 0x8000,
    TARGET_INFO = 0x800000,

    BUFFER = 8, /* bytes of a security buffer */
    TYPE_AT = 8,
    REQUEST_HEAD = 32,
    CHALLENGE_HEAD = 48,
    CHALLENGE_SHORT = 32, /* where a server knows nothing of target information */
    CHALLENGE_FLAGS = 20,
    CHALLENGE_NONCE = 24,
    CHALLENGE_TARGET = 40,
    RESPONSE_HEAD = 64,
    RESPONSE_LM = 12,
    RESPONSE_NT = 20,
    RESPONSE_DOMAIN = 28,
    RESPONSE_USER = 36,
    RESPONSE_HOST = 44,
    RESPONSE_KEY = 52,
    RESPONSE_FLAGS = 60,
    RESPONSE_SHORT = 52, /* without key and flags */

    PAIR = 4, /* bytes of a pair's head */
    PAIR_END = 0,
    PAIR_COMPUTER = 1,
    PAIR_TIME = 7,
    TIME = 8,
};

/* --- writing --- */

static void
add_number(struct buf *b, uint64_t value, size_t bytes)
{
    char p[8];
    record_put_number(p, value, bytes);
    buf_add(b, p, bytes);
}

static void
add_buffer(struct buf *b, size_t n, size_t offset)
{
    add_number(b, n, 2);
    add_number(b, n, 2);
    add_number(b, offset, 4);
}

static struct buf
begin(struct arena *a, enum message_type type)
{
    struct buf b = buf_in(a, NTLM_MESSAGE_MAX);
    buf_add(&b, signature, sizeof signature);
    add_number(&b, type, 4);
    return b;
}

struct str
ntlm_target(struct arena *a, struct str computer)
{
    struct buf b = buf_in(a, 0);
    struct str name;
    if (computer.n > NTLM_NAME_MAX || !utf16_from_utf8(a, computer, &name))
        name = STR_EMPTY;
    add_number(&b, PAIR_COMPUTER, 2);
    add_number(&b, name.n, 2);
    buf_adds(&b, name);
    add_number(&b, PAIR_END, 2);
    add_number(&b, 0, 2);
    return buf_str(&b);
}

struct str
ntlm_write_request(struct arena *a)
{
    struct buf b = begin(a, REQUEST);
    add_number(&b, UNICODE | OEM | NTLM | ALWAYS_SIGN, 4);
    add_buffer(&b, 0, REQUEST_HEAD); /* domain */
    add_buffer(&b, 0, REQUEST_HEAD); /* workstation */
    return buf_str(&b);
}

struct str
ntlm_write_challenge(struct arena *a, const struct ntlm_challenge *c)
{
    struct buf b = begin(a, CHALLENGE);
    /* No name of a target; Exim writes the offset of nothing with its bytes the wrong way round, and readers of its messages know that. */
    add_buffer(&b, 0, 0x2800);
    add_number(&b, UNICODE | NTLM | ALWAYS_SIGN | (c->target.n > 0 ? TARGET_INFO : 0), 4);
    buf_add(&b, (const char *)c->nonce, NTLM_NONCE);
    add_number(&b, 0, 8);
    add_buffer(&b, c->target.n, CHALLENGE_HEAD);
    buf_adds(&b, c->target);
    /* Whole groups of base 64, without "=" at the end, as Exim's message is. */
    while (b.n % 3 != 0)
        buf_addc(&b, '\0');
    return buf_str(&b);
}

static bool
encode(struct arena *a, const struct ntlm_response *r, struct str name, struct str *out)
{
    *out = name;
    return r->unicode ? utf16_from_utf8(a, name, out) : utf8_valid(name);
}

bool
ntlm_write_response(struct arena *a, const struct ntlm_response *r, struct str *out)
{
    struct buf b = begin(a, RESPONSE);
    struct str user, domain;
    if (r->user.n > NTLM_NAME_MAX || r->domain.n > NTLM_NAME_MAX ||
        !encode(a, r, r->user, &user) || !encode(a, r, r->domain, &domain))
        return false;
    size_t at_user = RESPONSE_HEAD + domain.n, at_lm = at_user + user.n,
           at_nt = at_lm + r->lm.n, end = at_nt + r->nt.n;
    add_buffer(&b, r->lm.n, at_lm);
    add_buffer(&b, r->nt.n, at_nt);
    add_buffer(&b, domain.n, RESPONSE_HEAD);
    add_buffer(&b, user.n, at_user);
    add_buffer(&b, 0, at_lm); /* workstation */
    add_buffer(&b, 0, end);   /* session key */
    add_number(&b, (r->unicode ? UNICODE : OEM) | NTLM | ALWAYS_SIGN, 4);
    buf_adds(&b, domain);
    buf_adds(&b, user);
    buf_adds(&b, r->lm);
    buf_adds(&b, r->nt);
    *out = buf_str(&b);
    return !b.overflow;
}

/* --- reading --- */

static uint32_t
number_at(struct str m, size_t at, size_t bytes)
{
    return (uint32_t)record_get_number(m.p + at, bytes);
}

static bool
is_message(struct str m, enum message_type type, size_t head)
{
    return m.n >= head && m.n <= NTLM_MESSAGE_MAX &&
           memcmp(m.p, signature, sizeof signature) == 0 && number_at(m, TYPE_AT, 4) == type;
}

/* What the security buffer at an offset of the head points at; the offset of nothing may be anything. */
static bool
take_buffer(struct str m, size_t at, struct str *out)
{
    uint32_t n = number_at(m, at, 2), offset = number_at(m, at + 4, 4);
    *out = STR_EMPTY;
    if (n == 0)
        return true;
    if (offset > m.n || n > m.n - offset)
        return false;
    *out = str_sub(m, offset, n);
    return true;
}

bool
ntlm_read_challenge(struct str message, struct ntlm_challenge *out)
{
    *out = (struct ntlm_challenge){.target = STR_EMPTY};
    if (!is_message(message, CHALLENGE, CHALLENGE_SHORT))
        return false;
    uint32_t flags = number_at(message, CHALLENGE_FLAGS, 4);
    memcpy(out->nonce, message.p + CHALLENGE_NONCE, NTLM_NONCE);
    out->unicode = (flags & UNICODE) != 0;
    return (flags & TARGET_INFO) == 0 || message.n < CHALLENGE_HEAD ||
           take_buffer(message, CHALLENGE_TARGET, &out->target);
}

struct str
ntlm_target_time(struct str target)
{
    for (size_t at = 0; at + PAIR <= target.n;) {
        uint32_t id = number_at(target, at, 2), n = number_at(target, at + 2, 2);
        if (id == PAIR_END || n > target.n - at - PAIR)
            break;
        if (id == PAIR_TIME && n == TIME)
            return str_sub(target, at + PAIR, n);
        at += PAIR + n;
    }
    return STR_NULL;
}

/* A name; no NUL is in one. */
static bool
take_name(struct arena *a, struct str m, size_t at, bool unicode, struct str *out)
{
    struct str raw;
    if (!take_buffer(m, at, &raw))
        return false;
    *out = raw;
    if (unicode ? !utf16_to_utf8(a, raw, out) : !utf8_valid(raw))
        return false;
    return out->n <= NTLM_NAME_MAX && !str_has_nul(*out);
}

/* Flags are there unless the head ends before them, where what it points at begins. */
static bool
is_unicode(struct str m)
{
    uint32_t first = (uint32_t)m.n;
    for (size_t at = RESPONSE_LM; at < RESPONSE_KEY; at += BUFFER)
        if (number_at(m, at, 2) > 0 && number_at(m, at + 4, 4) < first)
            first = number_at(m, at + 4, 4);
    return first >= RESPONSE_HEAD && (number_at(m, RESPONSE_FLAGS, 4) & UNICODE) != 0;
}

bool
ntlm_read_response(struct arena *a, struct str message, struct ntlm_response *out)
{
    *out = (struct ntlm_response){.user = STR_EMPTY, .domain = STR_EMPTY};
    if (!is_message(message, RESPONSE, RESPONSE_SHORT))
        return false;
    out->unicode = is_unicode(message);
    return take_buffer(message, RESPONSE_LM, &out->lm) &&
           take_buffer(message, RESPONSE_NT, &out->nt) &&
           take_name(a, message, RESPONSE_DOMAIN, out->unicode, &out->domain) &&
           take_name(a, message, RESPONSE_USER, out->unicode, &out->user);
}
