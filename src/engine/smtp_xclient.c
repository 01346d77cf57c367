/* XCLIENT: a proxy that understands SMTP tells whom it speaks for.
 *
 * Only hosts of hosts_xclient may. What the client says afterwards begins with HELO or EHLO. Source: Postfix's XCLIENT
 * documentation for the form; specification of Exim's experiment for answers and what is shown of it.
 */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/num.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "mail/ip.h"
#include "mail/xtext.h"

/* What the command says; unset: it does not say. */
struct xclient {
    struct str name, login;
    struct str address, to_address;
    int64_t port, to_port; /* -1: not given */
};

struct parameter {
    struct smtp_session *s;
    struct xclient *x;
    struct str value;
};

typedef bool take_fn(struct parameter *p);

static bool
is_unavailable(struct str value)
{
    return str_ieqz(value, "[UNAVAILABLE]") || str_ieqz(value, "[TEMPUNAVAIL]");
}

static bool
take_address(struct parameter *p, struct str *out)
{
    struct str text = p->value;
    struct ip ip;
    if (str_istarts(text, "IPV6:"))
        text = str_sub(text, 5, text.n);
    if (!ip_parse(text, &ip))
        return false;
    *out = ip_text(p->s->arena, &ip);
    return true;
}

static bool
take_port(struct parameter *p, int64_t *out)
{
    uint64_t n;
    if (!num_parse_digits(p->value, &n) || n > UINT16_MAX)
        return false;
    *out = (int64_t)n;
    return true;
}

static bool
take_addr(struct parameter *p)
{
    return is_unavailable(p->value) || take_address(p, &p->x->address);
}

static bool
take_destaddr(struct parameter *p)
{
    return is_unavailable(p->value) || take_address(p, &p->x->to_address);
}

static bool
take_sourceport(struct parameter *p)
{
    return is_unavailable(p->value) || take_port(p, &p->x->port);
}

static bool
take_destport(struct parameter *p)
{
    return is_unavailable(p->value) || take_port(p, &p->x->to_port);
}

/* A name that may stand in log lines and header lines. */
static bool
take_name(struct parameter *p)
{
    for (uint32_t i = 0; !is_unavailable(p->value) && i < p->value.n; i++)
        if (!ascii_alnum(p->value.p[i]) &&
            str_chr(STR_LIT(".-_"), p->value.p[i], 0) == STR_NPOS)
            return false;
    p->x->name = str_tainted(str_dup(p->s->arena, p->value));
    return true;
}

static bool
take_login(struct parameter *p)
{
    p->x->login = str_tainted(str_dup(p->s->arena, p->value));
    return true;
}

static const struct {
    const char *name;
    take_fn *take;
} parameters[] = {
    {"ADDR", take_addr},   {"NAME", take_name},         {"PORT", take_sourceport},
    {"LOGIN", take_login}, {"DESTADDR", take_destaddr}, {"DESTPORT", take_destport},
};

static take_fn *
find_parameter(struct str name)
{
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (str_ieqz(name, parameters[i].name))
            return parameters[i].take;
    return NULL;
}

/* STR_NULL: the word is good and taken. */
static struct str
take_word(struct smtp_session *s, struct xclient *x, struct str word)
{
    struct arena *a = s->message_arena;
    size_t eq = str_chr(word, '=', 0);
    struct str name = str_sub(word, 0, eq == STR_NPOS ? word.n : eq);
    struct parameter p = {.s = s, .x = x};
    take_fn *take = find_parameter(name);
    if (take == NULL)
        return str_printf(a, "XCLIENT: unrecognised parameter '%.*s'", STR_ARG(name));
    if (eq == STR_NPOS)
        return str_printf(a, "XCLIENT: missing value for parameter '%.*s'", STR_ARG(name));
    struct str value = str_sub(word, eq + 1, word.n);
    if (value.n == 0)
        return STR_LIT("XCLIENT: zero-length value for param");
    if (!xtext_decode(a, value, &p.value) || !take(&p))
        return str_printf(a, "XCLIENT: bad value for parameter '%.*s'", STR_ARG(name));
    return STR_NULL;
}

static struct str
take_words(struct smtp_session *s, struct xclient *x)
{
    struct str rest = str_trim(s->argument), fault = STR_NULL;
    if (rest.n == 0)
        return STR_LIT("XCLIENT must have at least one operand");
    while (rest.n > 0 && !str_is_set(fault)) {
        uint32_t n = 0;
        while (n < rest.n && !ascii_space(rest.p[n]))
            n++;
        fault = take_word(s, x, str_sub(rest, 0, n));
        rest = str_trim_left(str_sub(rest, n, rest.n));
    }
    return fault;
}

static void
set_login(struct session *m, struct str login)
{
    bool known = !is_unavailable(login);
    m->sender_host_authenticated = known ? STR_LIT("xclient") : STR_NULL;
    m->authenticated_id = known ? login : STR_NULL;
}

static void
set_name(struct session *m, struct str name)
{
    m->host_lookup_failed = str_ieqz(name, "[UNAVAILABLE]");
    m->host_lookup_deferred = str_ieqz(name, "[TEMPUNAVAIL]");
    m->sender_host_names = STR_NULL;
    m->sender_host_name = is_unavailable(name) ? STR_NULL : name;
}

static void
obey(struct smtp_session *s, const struct xclient *x)
{
    struct session *m = s->model;
    if (str_is_set(x->address))
        smtp_proxy_set_peer(s, x->address, x->port >= 0 ? x->port : 0);
    else if (x->port >= 0)
        m->sender_host_port = x->port;
    m->proxy = true;
    if (str_is_set(x->to_address))
        m->proxy_external = x->to_address;
    if (x->to_port >= 0)
        m->proxy_external_port = x->to_port;
    if (str_is_set(x->name))
        set_name(m, x->name);
    if (str_is_set(x->login))
        set_login(m, x->login);
    m->helo_verified = STR_NULL;
    s->helo_seen = s->esmtp = false;
    s->offered = (struct smtp_offered){.size = false};
    peer_set_names(s->engine, m);
}

enum smtp_next
smtp_do_xclient(struct smtp_session *s)
{
    struct xclient x = {.name = STR_NULL, .port = -1, .to_port = -1};
    if (!s->offered.xclient)
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 501, STR_NULL,
                           STR_LIT("XCLIENT command used when not advertised"));
    if (s->sender_given) {
        smtp_answer(s, "503 mail transaction in progress");
        smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
                 "rejected XCLIENT from %.*s: mail transaction in progress",
                 STR_ARG(smtp_peer(s, false)));
        return SMTP_NEXT_COMMAND;
    }
    struct str fault = take_words(s, &x);
    if (str_is_set(fault))
        return smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL, fault);
    obey(s, &x);
    smtp_answer(s, "220 XCLIENT success");
    return SMTP_NEXT_COMMAND;
}
