/* HELO and EHLO: the client's name, its verification, what the server offers. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/buf.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/peer_name.h"
#include "engine/policy.h"
#include "mail/ip.h"

/* --- form --- */

/* "[192.0.2.1]", "[IPv6:::1]", or without the word. */
static bool
is_address_literal(struct str s)
{
    struct ip ip;
    if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
        return false;
    s = str_sub(s, 1, s.n - 2);
    if (str_istarts(s, "IPv6:") || str_istarts(s, "IPv4:"))
        s = str_sub(s, 5, s.n);
    return ip_parse(s, &ip);
}

static bool
is_allowed(struct smtp_session *s, char c)
{
    if (ascii_alnum(c) || c == '.' || c == '-')
        return true;
    struct str more = s->main->helo_allow_chars;
    return str_is_set(more) && str_chr(more, c, 0) != STR_NPOS;
}

static bool
is_good_name(struct smtp_session *s, struct str name)
{
    if (name.n > 0 && name.p[0] == '[')
        return is_address_literal(name);
    for (uint32_t i = 0; i < name.n; i++)
        if (!is_allowed(s, name.p[i]))
            return false;
    return name.n > 0;
}

static enum smtp_next
refuse_form(struct smtp_session *s)
{
    struct str word = smtp_verb_word(s->verb);
    smtp_answer(s, "501 Syntactically invalid %.*s argument(s)", STR_ARG(word));
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "rejected %.*s from %.*s: syntactically invalid argument(s): %.*s", STR_ARG(word),
             STR_ARG(smtp_peer(s, false)),
             STR_ARG(s->argument.n > 0 ? s->argument : STR_LIT("(no argument given)")));
    return smtp_count_error(s);
}

/* --- verification --- */

static bool
is_own_literal(struct smtp_session *s)
{
    struct str name = s->model->sender_helo_name;
    struct ip a, b;
    if (!is_address_literal(name) || !ip_parse(s->model->sender_host_address, &b))
        return false;
    name = str_sub(name, 1, name.n - 2);
    if (str_istarts(name, "IPv6:") || str_istarts(name, "IPv4:"))
        name = str_sub(name, 5, name.n);
    return ip_parse(name, &a) && a.n == b.n && memcmp(a.b, b.b, a.n) == 0;
}

/* The host's own name, or one that leads to its address. */
static enum outcome
verify_by_name(struct smtp_session *s)
{
    struct session *m = s->model;
    bool later = peer_name_find(s->engine, m) == OUT_DEFER;
    if (str_ieq(m->sender_helo_name, m->sender_host_name)) {
        m->sender_helo_dnssec = m->sender_host_dnssec;
        return OUT_OK;
    }
    bool secure = false;
    enum outcome o =
        peer_name_leads_to(s->engine, m->sender_helo_name, m->sender_host_address, &secure);
    m->sender_helo_dnssec = o == OUT_OK && secure;
    return o == OUT_FAIL && later ? OUT_DEFER : o;
}

/* The name in HELO is good when it is the host's address, its name, or a name that leads to its address. */
enum outcome
smtp_verify_helo(struct smtp_session *s)
{
    struct session *m = s->model;
    if (s->local)
        return OUT_OK;
    if (!str_is_set(m->sender_helo_name))
        return OUT_FAIL;
    if (str_is_set(m->helo_verified))
        return str_eqz(m->helo_verified, "yes") ? OUT_OK : OUT_FAIL;
    enum outcome o = OUT_FAIL;
    if (is_own_literal(s)) {
        o = OUT_OK;
    } else if (!is_address_literal(m->sender_helo_name)) {
        o = verify_by_name(s);
        peer_set_names(s->engine, m);
    }
    if (o == OUT_OK || o == OUT_FAIL)
        m->helo_verified = o == OUT_OK ? STR_LIT("yes") : STR_LIT("no");
    return o;
}

/* The name that is not good stays, for what is logged of the session. */
static enum smtp_next
refuse_name(struct smtp_session *s, enum outcome o)
{
    const char *word = s->verb == SMTP_VERB_HELO ? "HELO" : "EHLO";
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "%srejected \"%s %.*s\" from %.*s", o == OUT_DEFER ? "temporarily " : "", word,
             STR_ARG(s->argument), STR_ARG(smtp_peer(s, false)));
    smtp_answer(s, "%d %s argument does not match calling host", o == OUT_DEFER ? 451 : 550,
                word);
    return SMTP_NEXT_COMMAND;
}

/* Looks the host up and verifies the name, where the configuration asks for it. */
static enum outcome
check_name(struct smtp_session *s)
{
    if (s->local)
        return OUT_OK;
    if (!str_is_set(s->model->sender_host_name) &&
        smtp_domain_in(s, &s->main->helo_lookup_domains, s->model->sender_helo_name,
                       "helo_lookup_domains") == OUT_OK) {
        (void)peer_name_find(s->engine, s->model);
        peer_set_names(s->engine, s->model);
    }
    if (s->helo_verify_required)
        return smtp_verify_helo(s);
    if (smtp_host_in(s, &s->main->helo_try_verify_hosts, "helo_try_verify_hosts"))
        (void)smtp_verify_helo(s);
    return OUT_OK;
}

/* --- the answer --- */

static struct str
greeting(struct smtp_session *s, struct str message)
{
    const struct session *m = s->model;
    struct buf b = buf_in(s->message_arena, 0);
    if (str_is_set(message)) {
        size_t nl = str_chr(message, '\n', 0);
        if (nl != STR_NPOS)
            smtp_log(
                s, MAILLOG_MAIN | MAILLOG_PANIC,
                "EHLO/HELO response must not contain newlines: message truncated: 250 %.*s",
                STR_ARG(message));
        return str_sub(message, 0, nl == STR_NPOS ? message.n : nl);
    }
    buf_printf(&b, "%.*s Hello ", STR_ARG(s->hostname));
    if (m->sender_ident.n > 0)
        buf_printf(&b, "%.*s at ", STR_ARG(m->sender_ident));
    buf_adds(&b, m->sender_host_name.n > 0 ? m->sender_host_name : m->sender_helo_name);
    if (!s->local)
        buf_printf(&b, " [%.*s]", STR_ARG(m->sender_host_address));
    return buf_str(&b);
}

static bool
is_command_offered(struct smtp_session *s, enum acl_phase phase)
{
    return policy_has(s->engine, phase);
}

static void
offer(struct smtp_session *s)
{
    const struct conf_main *c = s->main;
    const struct acl_connection *a = s->model->acl;
    struct smtp_offered *o = &s->offered;
    *o = (struct smtp_offered){.size = true, .eightbit = c->accept_8bitmime};
    o->dsn = smtp_host_in(s, &c->dsn_advertise_hosts, "dsn_advertise_hosts");
    o->pipelining =
        (a == NULL || !a->no_pipelining) &&
        smtp_host_in(s, &c->pipelining_advertise_hosts, "pipelining_advertise_hosts");
    s->model->pipelining_offered = o->pipelining;
    o->chunking = smtp_host_in(s, &c->chunking_advertise_hosts, "chunking_advertise_hosts");
    s->chunking_was_offered = s->chunking_was_offered || o->chunking;
    o->prdr = c->prdr_enable;
    o->xclient = s->xclient_host;
    o->tls = smtp_tls_offers(s);
    o->smtputf8 = o->eightbit && /* RFC 6531, section 3.1 */
                  smtp_host_in(s, &c->smtputf8_advertise_hosts, "smtputf8_advertise_hosts");
}

/* LIMITS: what an expansion gives for each. */
static void
add_limits(struct smtp_session *s, struct buf *b)
{
    const struct conf_main *c = s->main;
    if (!smtp_host_in(s, &c->limits_advertise_hosts, "limits_advertise_hosts"))
        return;
    int64_t mails = smtp_option_number(s, &c->smtp_accept_max_per_connection,
                                       "smtp_accept_max_per_connection", 0);
    int64_t rcpts = smtp_option_number(s, &c->recipients_max, "recipients_max", 0);
    if (mails <= 0 && rcpts <= 0)
        return;
    buf_addz(b, "\nLIMITS");
    if (mails > 0)
        buf_printf(b, " MAILMAX=%lld", (long long)mails);
    if (rcpts > 0)
        buf_printf(b, " RCPTMAX=%lld", (long long)rcpts);
}

static void
add_extensions(struct smtp_session *s, struct buf *b)
{
    const struct smtp_offered *o = &s->offered;
    int64_t limit =
        smtp_option_number(s, &s->main->message_size_limit, "message_size_limit", 0);
    if (limit > 0)
        buf_printf(b, "\nSIZE %lld", (long long)limit);
    else
        buf_addz(b, "\nSIZE");
    add_limits(s, b);
    if (o->eightbit)
        buf_addz(b, "\n8BITMIME");
    if (o->dsn)
        buf_addz(b, "\nDSN");
    if (is_command_offered(s, ACL_PHASE_ATRN))
        buf_addz(b, "\nATRN");
    if (is_command_offered(s, ACL_PHASE_ETRN))
        buf_addz(b, "\nETRN");
    if (is_command_offered(s, ACL_PHASE_VRFY))
        buf_addz(b, "\nVRFY");
    if (is_command_offered(s, ACL_PHASE_EXPN))
        buf_addz(b, "\nEXPN");
    if (o->pipelining)
        buf_addz(b, "\nPIPELINING");
    if (o->pipelining && s->model->early_offered)
        buf_addz(b, "\nPIPECONNECT");
    smtp_auth_offer(s, b);
    if (o->chunking)
        buf_addz(b, "\nCHUNKING");
    if (o->tls)
        buf_addz(b, "\nSTARTTLS");
    if (o->prdr)
        buf_addz(b, "\nPRDR");
    if (o->smtputf8)
        buf_addz(b, "\nSMTPUTF8");
    if (o->xclient)
        buf_addz(b, "\nXCLIENT ADDR NAME PORT LOGIN DESTADDR DESTPORT");
    buf_addz(b, "\nHELP");
}

static void
answer(struct smtp_session *s, struct str message)
{
    struct str first = greeting(s, message);
    s->offered = (struct smtp_offered){.size = false};
    s->model->pipelining_offered = false;
    if (!s->esmtp) {
        smtp_answer_text(s, "250", first);
        return;
    }
    offer(s);
    struct buf b = buf_in(s->message_arena, 0);
    buf_adds(&b, first);
    add_extensions(s, &b);
    smtp_answer_lines(s, "250", buf_str(&b));
}

/* --- the commands --- */

/* log_selector = tls_on_connect: what has TLS from the start has a name of its own. */
void
smtp_set_protocol(struct smtp_session *s)
{
    bool tls = s->model->tls_in.cipher.n > 0;
    bool own = s->tls_on_connect && maillog_selected(s->engine, LOG_SELECTOR_TLS_ON_CONNECT);
    bool auth = s->model->sender_host_authenticated.n > 0;
    s->protocol =
        str_printf(s->arena, "%s%s%ssmtp%s%s", s->local ? "local-" : "", s->esmtp ? "e" : "",
                   tls && own ? "s" : "", tls && !own ? "s" : "", auth ? "a" : "");
}

static enum smtp_next
greeted(struct smtp_session *s, bool esmtp)
{
    struct acl_answer a;
    struct str before = s->model->sender_helo_name;
    if (s->batch) {
        s->model->sender_helo_name = str_dup(s->arena, s->argument);
        smtp_reset(s);
        return SMTP_NEXT_COMMAND;
    }
    if (!is_good_name(s, s->argument) &&
        !smtp_host_in(s, &s->main->helo_accept_junk_hosts, "helo_accept_junk_hosts"))
        return refuse_form(s);
    s->model->sender_helo_name = str_dup(s->arena, s->argument);
    s->model->helo_verified = STR_NULL;
    peer_set_names(s->engine, s->model);
    enum outcome o = check_name(s);
    if (o != OUT_OK)
        return refuse_name(s, o);
    if (policy_run(s->engine, ACL_PHASE_HELO, &a) != ACL_ACCEPT) {
        enum smtp_next n = smtp_acl_refusal(s, ACL_PHASE_HELO, &a);
        s->model->sender_helo_name = before;
        peer_set_names(s->engine, s->model);
        return n;
    }
    s->esmtp = esmtp;
    s->helo_seen = true;
    smtp_set_protocol(s);
    struct str message = str_is_set(a.message) ? str_dup(s->arena, a.message) : STR_NULL;
    smtp_reset(s);
    answer(s, message);
    return SMTP_NEXT_COMMAND;
}

enum smtp_next
smtp_do_helo(struct smtp_session *s)
{
    return greeted(s, false);
}

enum smtp_next
smtp_do_ehlo(struct smtp_session *s)
{
    return greeted(s, true);
}
