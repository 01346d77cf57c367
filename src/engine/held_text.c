/* Connections as texts; see held_text.h. */
#include "engine/held_text.h"

#include "base/num.h"
#include "conf/tls_state.h"

/* --- what the server can --- */

/* A letter each. */
static const struct {
    char letter;
    size_t offset; /* of a bool in struct smtp_client */
} features[] = {
    {'e', offsetof(struct smtp_client, esmtp)},
    {'p', offsetof(struct smtp_client, pipelines)},
    {'a', offsetof(struct smtp_client, downconvert)},
    {'P', offsetof(struct smtp_client, peer.pipelining)},
    {'C', offsetof(struct smtp_client, peer.chunking)},
    {'R', offsetof(struct smtp_client, peer.prdr)},
    {'D', offsetof(struct smtp_client, peer.dsn)},
    {'U', offsetof(struct smtp_client, peer.smtputf8)},
    {'8', offsetof(struct smtp_client, peer.eightbit)},
    {'Q', offsetof(struct smtp_client, peer.ignore_quota)},
    {'S', offsetof(struct smtp_client, peer.size)},
    {'L', offsetof(struct smtp_client, peer.limits)},
};

enum {
    FEATURES = sizeof features / sizeof features[0],
    NUMBERS = 4,
    MAIL_UTF8 = 'u', /* what MAIL said: SMTPUTF8, */
    MAIL_DSN = 'd',  /* DSN parameters */
};

static const size_t numbers[NUMBERS] = {
    offsetof(struct smtp_client, peer.size_max),
    offsetof(struct smtp_client, peer.mail_max),
    offsetof(struct smtp_client, peer.rcpt_max),
    offsetof(struct smtp_client, peer.rcpt_domain_max),
};

void
held_text_add_server(struct buf *b, const struct smtp_client *c, const struct smtp_mail *mail)
{
    for (size_t i = 0; i < FEATURES; i++)
        if (*(const bool *)((const char *)c + features[i].offset))
            buf_addc(b, features[i].letter);
    if (mail->smtputf8)
        buf_addc(b, MAIL_UTF8);
    if (mail->dsn)
        buf_addc(b, MAIL_DSN);
    for (size_t i = 0; i < NUMBERS; i++) {
        const int64_t *n = (const int64_t *)(const void *)((const char *)c + numbers[i]);
        buf_printf(b, " %lld", (long long)*n);
    }
}

static bool
read_letter(struct smtp_client *c, struct smtp_mail *mail, char letter)
{
    for (size_t i = 0; i < FEATURES; i++) {
        if (features[i].letter == letter) {
            *(bool *)((char *)c + features[i].offset) = true;
            return true;
        }
    }
    mail->smtputf8 = mail->smtputf8 || letter == MAIL_UTF8;
    mail->dsn = mail->dsn || letter == MAIL_DSN;
    return letter == MAIL_UTF8 || letter == MAIL_DSN;
}

bool
held_text_read_server(struct str text, struct smtp_client *c, struct smtp_mail *mail)
{
    struct str letters = str_take_until(&text, ' ');
    for (uint32_t i = 0; i < letters.n; i++)
        if (!read_letter(c, mail, letters.p[i]))
            return false;
    for (size_t i = 0; i < NUMBERS; i++) {
        uint64_t n;
        struct str part = i + 1 < NUMBERS ? str_take_until(&text, ' ') : text;
        if (!num_parse_digits(part, &n) || n > INT64_MAX)
            return false;
        *(int64_t *)(void *)((char *)c + numbers[i]) = (int64_t)n;
    }
    return true;
}

/* --- as whom --- */

enum { SELF_N = 64 }; /* hexadecimal digits */

static bool
is_self(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (!ascii_digit(s.p[i]) && (s.p[i] < 'a' || s.p[i] > 'f'))
            return false;
    return s.n == SELF_N;
}

static bool
is_sound(const struct held_who *w)
{
    if (w->authenticator.n > 0)
        return is_self(w->self);
    return w->id.n == 0 && w->self.n == 0;
}

static bool
add_line(struct buf *b, struct str s)
{
    if (str_chr(s, '\n', 0) != STR_NPOS || str_has_nul(s))
        return false;
    buf_adds(b, s);
    buf_addc(b, '\n');
    return true;
}

bool
held_text_add_who(struct buf *b, const struct held_who *w)
{
    return is_sound(w) && add_line(b, w->authenticator) && add_line(b, w->id) &&
           add_line(b, w->self) && add_line(b, w->sender);
}

bool
held_text_read_who(struct str text, struct held_who *w)
{
    struct str *const parts[] = {&w->authenticator, &w->id, &w->self, &w->sender};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (str_chr(text, '\n', 0) == STR_NPOS)
            return false;
        *parts[i] = str_take_until(&text, '\n');
    }
    return text.n == 0 && is_sound(w);
}

/* --- TLS --- */

struct str
held_text_tls(struct arena *a, const struct tls_state *t)
{
    return str_printf(a, "%.*s\n%.*s\n%.*s\n%lld\n%d", STR_ARG(t->cipher),
                      STR_ARG(t->cipher_std), STR_ARG(t->version), (long long)t->bits,
                      t->verified != 0);
}

bool
held_text_read_tls(struct str text, struct tls_state *t)
{
    uint64_t bits;
    tls_state_forget(t);
    t->cipher = str_take_until(&text, '\n');
    t->cipher_std = str_take_until(&text, '\n');
    t->version = str_take_until(&text, '\n');
    if (!num_parse_digits(str_take_until(&text, '\n'), &bits) || bits > INT32_MAX)
        return false;
    t->bits = (int64_t)bits;
    t->verified = str_eqz(text, "1");
    return t->verified || str_eqz(text, "0");
}
