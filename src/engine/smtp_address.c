/* The arguments of MAIL and RCPT: an address, and parameters behind it. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "engine/maillog.h"
#include "engine/rewrite.h"
#include "mail/address.h"

bool
smtp_take_parameter(struct str *argument, struct str *name, struct str *value)
{
    struct str all = str_trim(*argument);
    uint32_t at = all.n;
    while (at > 0 && !ascii_space(all.p[at - 1]))
        at--;
    struct str word = str_sub(all, at, all.n);
    size_t eq = str_chr(word, '=', 0);
    struct str left = str_sub(word, 0, eq == STR_NPOS ? word.n : eq);
    if (at == 0 || left.n == 0)
        return false;
    for (uint32_t i = 0; i < left.n; i++)
        if (!ascii_alnum(left.p[i]) && left.p[i] != '-')
            return false;
    *name = left;
    *value = eq == STR_NPOS ? STR_NULL : str_sub(word, eq + 1, word.n);
    *argument = str_trim(str_sub(all, 0, at));
    return true;
}

/* The S rules see the argument as it came. */
static struct str
rewritten(struct smtp_session *s, struct str argument)
{
    const struct rewrite_rules *rules = s->engine->conf->rewrite;
    struct str out;
    if (rules == NULL || (rules->flags & REWRITE_SMTP) == 0)
        return argument;
    struct rewriting w = receive_rewriting(s->engine);
    return rewrite_smtp(&w, s->message_arena, argument, &out) ? out : argument;
}

static unsigned
address_flags(const struct smtp_session *s, bool sender)
{
    const struct conf_main *c = s->main;
    unsigned f = sender ? ADDRESS_NULL : 0;
    f |= c->allow_domain_literals ? ADDRESS_LITERAL : 0;
    f |= c->allow_utf8_domains || s->message->smtputf8 ? ADDRESS_UTF8_DOMAIN : 0;
    f |= c->strip_trailing_dot ? ADDRESS_STRIP_DOT : 0;
    f |= c->strip_excess_angle_brackets ? ADDRESS_STRIP_ANGLES : 0;
    return f;
}

static struct str
no_domain(struct smtp_session *s, struct str address, struct str argument, bool sender,
          bool *good, enum smtp_next *next)
{
    const char *what = sender ? "sender" : "recipient";
    *good = false;
    if (!s->batch)
        smtp_log(s, MAILLOG_REJECT, "unqualified %s rejected: <%.*s> %.*s%s", what,
                 STR_ARG(address), STR_ARG(smtp_peer(s, true)),
                 s->model->host_lookup_failed ? " (failed to find host name from IP address)"
                                              : "");
    s->address_fault = sender ? STR_LIT("sender address must contain a domain")
                              : STR_LIT("recipient address must contain a domain");
    if (s->batch)
        *next = smtp_reject(s, 501, s->address_fault.p);
    else
        smtp_answer(s, "501 %.*s: %.*s", STR_ARG(argument), STR_ARG(s->address_fault));
    return STR_EMPTY;
}

struct str
smtp_take_address(struct smtp_session *s, struct str argument, bool sender, bool *good,
                  enum smtp_next *next)
{
    struct address_parts p;
    struct str text = rewritten(s, argument);
    *next = SMTP_NEXT_COMMAND;
    *good = true;
    enum address_status st =
        address_parse(s->message_arena, text, address_flags(s, sender), &p);
    if (st != ADDRESS_OK) {
        *good = false;
        s->address_fault = st == ADDRESS_EMPTY ? STR_LIT("empty address") : p.error;
        *next = smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, argument, s->address_fault);
        return STR_EMPTY;
    }
    if (p.domain > 0 || p.text.n == 0)
        return p.text;
    bool allowed = sender ? s->unqualified_sender : s->unqualified_recipient;
    if (s->batch)
        allowed = !s->setup->no_qualify;
    if (!allowed && !(!sender && str_ieqz(p.text, "postmaster")))
        return no_domain(s, p.text, argument, sender, good, next);
    return address_qualify(s->message_arena, p.text,
                           sender ? s->main->qualify_domain : s->main->qualify_recipient);
}
