/* The commands that bring no mail: RSET, NOOP, QUIT, HELP, VRFY, EXPN, ETRN. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/buf.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "engine/route.h"
#include "engine/route_verify.h"
#include "mail/address.h"

/* Commands without an argument. */
static bool
has_argument(struct smtp_session *s, enum smtp_next *next)
{
    if (s->argument.n == 0)
        return false;
    *next =
        smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL, STR_LIT("unexpected argument data"));
    return true;
}

enum smtp_next
smtp_do_rset(struct smtp_session *s)
{
    enum smtp_next next;
    if (!s->batch && has_argument(s, &next))
        return next;
    smtp_incomplete(s, "RSET");
    smtp_reset(s);
    smtp_answer(s, "250 Reset OK");
    return SMTP_NEXT_COMMAND;
}

enum smtp_next
smtp_do_noop(struct smtp_session *s)
{
    smtp_answer(s, "250 OK");
    return SMTP_NEXT_COMMAND;
}

/* The QUIT ACL has no say, but it may word the answer, also when it tries to have one. */
static struct str
quit_text(struct smtp_session *s)
{
    struct acl_answer a;
    if (s->batch || !policy_has(s->engine, ACL_PHASE_QUIT))
        return STR_NULL;
    if (policy_run(s->engine, ACL_PHASE_QUIT, &a) == ACL_ERROR)
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC, "ACL for QUIT returned ERROR: %.*s",
                 STR_ARG(a.log_message));
    return a.result == ACL_ACCEPT || a.result == ACL_ERROR ? a.message : STR_NULL;
}

enum smtp_next
smtp_do_quit(struct smtp_session *s)
{
    enum smtp_next next;
    if (!s->batch && has_argument(s, &next))
        return next;
    if (s->chunks.only_reset)
        smtp_log_lost(s, s->chunks.in_body);
    struct str text = quit_text(s);
    if (str_is_set(text))
        smtp_answer_lines(s, "221", text);
    else
        smtp_answer(s, "221 %.*s closing connection", STR_ARG(s->hostname));
    smtp_incomplete(s, "QUIT");
    struct arena *a = s->message_arena;
    smtp_log_connection(
        s, str_cstr(a, str_cat(a, smtp_duration(s, a), STR_LIT(" closed by QUIT"))));
    return SMTP_NEXT_CLOSE;
}

enum smtp_next
smtp_do_help(struct smtp_session *s)
{
    smtp_answer(s, "214 Commands supported:\n%s%s%s%s%s",
                s->offered.tls ? "AUTH STARTTLS" : "AUTH",
                " HELO EHLO MAIL RCPT DATA BDAT NOOP QUIT RSET HELP",
                policy_has(s->engine, ACL_PHASE_ETRN) ? " ETRN" : "",
                policy_has(s->engine, ACL_PHASE_EXPN) ? " EXPN" : "",
                policy_has(s->engine, ACL_PHASE_VRFY) ? " VRFY" : "");
    return SMTP_NEXT_COMMAND;
}

/* --- VRFY --- */

static struct routing
routing_for(struct smtp_session *s, enum route_purpose purpose)
{
    return (struct routing){.engine = s->engine,
                            .message = s->message,
                            .purpose = purpose,
                            .arena = s->message_arena};
}

static void
verify(struct smtp_session *s, struct str address)
{
    struct address *a;
    struct str fault;
    struct routing r = routing_for(s, ROUTE_FOR_RECIPIENT_CHECK);
    enum outcome o = OUT_FAIL;
    if (route_new_address(s->message_arena, s->engine, address, &a, &fault))
        o = route_verify(&r, a, 0);
    else
        r.why.peer = fault;
    struct str why = str_is_set(r.why.peer) ? r.why.peer : STR_LIT("Unrouteable address");
    if (o == OUT_OK) {
        smtp_answer(s, "250 <%.*s> is deliverable", STR_ARG(address));
    } else if (o == OUT_DEFER) {
        smtp_answer(s, "451 Cannot resolve <%.*s> at this time", STR_ARG(address));
    } else {
        smtp_answer(s, "550 <%.*s> %.*s", STR_ARG(address), STR_ARG(why));
        smtp_log(s, MAILLOG_MAIN, "VRFY failed for %.*s %.*s", STR_ARG(s->argument),
                 STR_ARG(smtp_peer(s, true)));
    }
}

/* The argument as an address with a domain. False: answered. */
static bool
take_argument(struct smtp_session *s, struct str *address)
{
    struct address_parts p;
    struct arena *a = s->message_arena;
    enum address_status st = address_parse(a, s->argument, ADDRESS_LITERAL, &p);
    if (st != ADDRESS_OK) {
        struct str why = st == ADDRESS_EMPTY ? STR_LIT("empty address") : p.error;
        smtp_answer(s, "501 %.*s", STR_ARG(why));
        return false;
    }
    if (p.domain == 0 && !s->unqualified_recipient && !str_ieqz(p.text, "postmaster")) {
        smtp_answer(s, "501 %.*s: recipient address must contain a domain",
                    STR_ARG(s->argument));
        return false;
    }
    *address = str_tainted(address_qualify(a, p.text, s->main->qualify_recipient));
    return true;
}

enum smtp_next
smtp_do_vrfy(struct smtp_session *s)
{
    struct str address;
    struct acl_answer a;
    struct eval *e = s->engine->eval;
    if (!take_argument(s, &address))
        return SMTP_NEXT_COMMAND;
    smtp_set_recipient(s, address);
    enum acl_result r = policy_run(s->engine, ACL_PHASE_VRFY, &a);
    e->address = NULL;
    if (r != ACL_ACCEPT)
        return smtp_acl_refusal(s, ACL_PHASE_VRFY, &a);
    verify(s, address);
    return SMTP_NEXT_COMMAND;
}

/* --- EXPN --- */

/* The addresses that one level of routing gives. False: none. */
static bool
expand(struct smtp_session *s, struct routing *r, struct address *a, struct buf *out)
{
    enum route_end end = route_address(r, a);
    if (end == ROUTE_FAILED || end == ROUTE_DEFERRED)
        return false;
    struct address_vec *v = r->again.n > 0 ? &r->again : &r->deliver;
    for (size_t i = 0; i < v->n; i++)
        buf_printf(out, "%s<%.*s>", i > 0 ? "\n" : "", STR_ARG(v->v[i]->text));
    if (v->n == 0)
        buf_printf(out, "<%.*s>", STR_ARG(a->text));
    (void)s;
    return true;
}

enum smtp_next
smtp_do_expn(struct smtp_session *s)
{
    struct acl_answer acl;
    struct address *a;
    struct str fault, text;
    struct routing r = routing_for(s, ROUTE_FOR_EXPN);
    struct buf out = buf_in(s->message_arena, 0);
    if (policy_run(s->engine, ACL_PHASE_EXPN, &acl) != ACL_ACCEPT)
        return smtp_acl_refusal(s, ACL_PHASE_EXPN, &acl);
    s->engine->log_aside = true;
    text = address_qualify(s->message_arena, s->argument, s->main->qualify_domain);
    text = receive_rewrite_envelope(s->engine, s->message_arena, REWRITE_ENV_TO, text);
    if (route_new_address(s->message_arena, s->engine, str_tainted(text), &a, &fault) &&
        expand(s, &r, a, &out))
        smtp_answer_lines(s, "250", buf_str(&out));
    else
        smtp_answer(s, "553 %.*s is undeliverable", STR_ARG(text));
    s->engine->log_aside = false;
    s->engine->eval->address = NULL;
    return SMTP_NEXT_COMMAND;
}
