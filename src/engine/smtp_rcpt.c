/* RCPT: a recipient, and whether it is taken. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/buf.h"
#include "engine/cutthrough.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "engine/smtp_pace.h"
#include "engine/spool_header.h"
#include "mail/address.h"

#include <stdio.h>

/* --- what is remembered of refusals --- */

/* So that DATA can say why there is no recipient, when all refusals were alike. */
static void
note_refusal(struct smtp_session *s, struct str text)
{
    if (!s->rcpt_same)
        return;
    if (!str_is_set(s->rcpt_refusal))
        s->rcpt_refusal = str_dup(s->message_arena, text);
    else if (!str_eq(s->rcpt_refusal, text))
        s->rcpt_same = false;
}

static enum smtp_next
refuse(struct smtp_session *s, enum smtp_error kind, int code, const char *text)
{
    note_refusal(s, str_printf(s->message_arena, "%d %s", code, text));
    return smtp_refuse(s, kind, code, STR_NULL, str_from_cstr(text));
}

/* --- parameters --- */

struct rcpt_parameters {
    int64_t flags; /* SPOOL_DSN_... */
    struct str orcpt;
};

static bool
notify_bit(struct str word, int64_t *flags)
{
    static const struct {
        const char *word;
        int64_t bit;
    } rows[] = {
        {"NEVER", SPOOL_DSN_NEVER},
        {"SUCCESS", SPOOL_DSN_SUCCESS},
        {"FAILURE", SPOOL_DSN_FAILURE},
        {"DELAY", SPOOL_DSN_DELAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!str_ieqz(word, rows[i].word))
            continue;
        *flags |= rows[i].bit;
        return true;
    }
    return false;
}

/* NEVER stands alone; the others may be joined. */
static bool
parse_notify(struct str value, int64_t *flags)
{
    int64_t f = 0;
    for (size_t at = 0; at <= value.n;) {
        size_t comma = str_chr(value, ',', at);
        comma = comma == STR_NPOS ? value.n : comma;
        if (!notify_bit(str_sub(value, at, comma - at), &f))
            return false;
        at = comma + 1;
    }
    *flags = f;
    return (f & SPOOL_DSN_NEVER) == 0 || f == SPOOL_DSN_NEVER;
}

/* Takes DSN parameters off the argument. NULL: all is well; else what is wrong. */
static const char *
take_parameters(struct smtp_session *s, struct str *argument, struct rcpt_parameters *p)
{
    struct str rest = *argument, name, value;
    while (s->offered.dsn && smtp_take_parameter(&rest, &name, &value)) {
        if (str_ieqz(name, "NOTIFY") && str_is_set(value)) {
            if (p->flags != 0)
                return "NOTIFY can be specified once only";
            if (!parse_notify(value, &p->flags))
                return "Invalid value for NOTIFY parameter";
        } else if (str_ieqz(name, "ORCPT") && str_is_set(value)) {
            if (str_is_set(p->orcpt))
                return "ORCPT can be specified once only";
            p->orcpt = str_dup(s->message_arena, value);
        } else {
            break;
        }
        *argument = rest;
    }
    return NULL;
}

/* --- limits --- */

static bool
is_excess(struct smtp_session *s)
{
    int64_t most = smtp_option_number(s, &s->main->recipients_max, "recipients_max", 0);
    if (most <= 0 || s->model->rcpt_count <= most)
        return false;
    bool reject = s->main->recipients_max_reject;
    if (!s->too_many)
        smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
                 "too many recipients: %s: sender=<%.*s> %.*s",
                 reject ? "message rejected" : "excess temporarily rejected",
                 STR_ARG(s->message->sender), STR_ARG(smtp_peer(s, true)));
    s->too_many = true;
    if (reject) {
        s->model->rcpt_fail_count++;
        smtp_answer(s, "552 too many recipients");
    } else {
        s->model->rcpt_defer_count++;
        smtp_answer(s, "452 too many recipients");
    }
    return true;
}

/* --- the address --- */

/* percent_hack_domains. False: it cannot be told. */
static bool
unhack(struct smtp_session *s, struct str *address)
{
    struct str next, local_part, domain;
    for (int i = 0;
         i < ADDRESS_PERCENTS_MAX && address_percent(s->message_arena, *address, &next); i++) {
        address_split(*address, &local_part, &domain);
        enum outcome in =
            smtp_domain_in(s, &s->main->percent_hack_domains, domain, "percent_hack_domains");
        if (in != OUT_OK)
            return in == OUT_FAIL;
        *address = next;
    }
    return true;
}

/* What $local_part, $domain and conditions show. */
void
smtp_set_recipient(struct smtp_session *s, struct str text)
{
    struct str local_part, domain;
    struct arena *m = s->message_arena;
    if (s->address == NULL)
        s->address = ARENA_NEW(m, struct address);
    struct address *a = s->address;
    *a = (struct address){.arena = m, .text = text, .local_uid = -1, .local_gid = -1};
    address_split(text, &local_part, &domain);
    a->original_local_part = address_unquote_local_part(m, local_part);
    a->local_part = str_lower(m, a->original_local_part);
    a->domain = str_lower(m, domain);
    s->engine->eval->address = a;
    s->engine->eval->domain_data = s->engine->eval->local_part_data = STR_NULL;
}

/* --- decisions --- */

static void
add(struct smtp_session *s, struct str address, const struct rcpt_parameters *p)
{
    struct recipient r = {.address = address,
                          .errors_to = STR_NULL,
                          .orcpt = p->orcpt,
                          .dsn_flags = p->flags,
                          .parent = -1};
    vec_push(s->message_arena, &s->message->recipients, r);
}

static enum smtp_next
discard(struct smtp_session *s, const char *acl, struct str why, struct str message)
{
    struct str peer = smtp_peer(s, true);
    s->discarded = true;
    acl_message_of(s->message)->discarded_by = str_printf(s->message_arena, "%s ACL", acl);
    if (str_is_set(message))
        smtp_answer_text(s, "250", message);
    else
        smtp_answer(s, "250 Accepted");
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "%.*s%sF=<%.*s> RCPT %.*s: discarded by %s ACL%s%.*s", STR_ARG(peer),
             peer.n > 0 ? " " : "", STR_ARG(s->message->sender), STR_ARG(s->argument), acl,
             why.n > 0 ? ": " : "", STR_ARG(why));
    return SMTP_NEXT_COMMAND;
}

static enum smtp_next
judge(struct smtp_session *s, struct str address, const struct rcpt_parameters *p)
{
    struct acl_answer a = {.result = ACL_ACCEPT, .message = STR_NULL};
    if (s->discard_all)
        return discard(s, "MAIL", s->discard_why, STR_NULL);
    if (!s->batch)
        (void)policy_run(s->engine, ACL_PHASE_RCPT, &a);
    if (s->test) /* it is only a pretence */
        cutthrough_drop(s->message);
    else if (a.result == ACL_ACCEPT && !s->batch)
        cutthrough_recipient(s->engine, address, &a);
    if (a.result == ACL_ACCEPT) {
        add(s, address, p);
        if (str_is_set(a.message))
            smtp_answer_text(s, "250", a.message);
        else
            smtp_answer(s, "250 Accepted");
        return SMTP_NEXT_COMMAND;
    }
    cutthrough_not_accepted(s->engine);
    if (a.result == ACL_DISCARD)
        return discard(s, "RCPT", a.log_message, a.message);
    if (a.result == ACL_DENY || a.result == ACL_DROP)
        s->model->rcpt_fail_count++;
    else
        s->model->rcpt_defer_count++;
    note_refusal(s, smtp_acl_words(s, &a));
    return smtp_acl_refusal(s, ACL_PHASE_RCPT, &a);
}

/* MAIL has to come first. A client that pipelines may not know yet that it was refused. */
static enum smtp_next
refuse_without_sender(struct smtp_session *s)
{
    if (!s->offered.pipelining ||
        (s->last_verb != SMTP_VERB_MAIL && s->last_verb != SMTP_VERB_RCPT)) {
        s->verb = SMTP_VERB_UNKNOWN; /* what follows was not pipelined behind a good RCPT */
        return refuse(s, SMTP_ERROR_PROTOCOL, 503, "sender not yet given");
    }
    note_refusal(s, STR_LIT("503 sender not yet given"));
    smtp_answer(s, "503 sender not yet given");
    return SMTP_NEXT_COMMAND;
}

enum smtp_next
smtp_do_rcpt(struct smtp_session *s)
{
    struct rcpt_parameters p = {.orcpt = STR_NULL};
    struct str argument = s->argument;
    enum smtp_next next;
    bool good;
    if (!s->sender_given)
        return refuse_without_sender(s);
    s->model->rcpt_count++;
    if (argument.n == 0)
        return refuse(s, SMTP_ERROR_SYNTAX, 501, "RCPT must have an address operand");
    const char *fault = take_parameters(s, &argument, &p);
    if (fault != NULL)
        return refuse(s, SMTP_ERROR_SYNTAX, 501, fault);
    s->argument = argument; /* logs show no parameters */
    struct str address = smtp_take_address(s, argument, false, &good, &next);
    if (!good) {
        s->model->rcpt_fail_count++;
        note_refusal(s, str_printf(s->message_arena, "501 %.*s: %.*s", STR_ARG(argument),
                                   STR_ARG(s->address_fault)));
        return next;
    }
    address = str_tainted(str_dup(s->message_arena, address));
    if (!unhack(s, &address)) {
        s->model->rcpt_defer_count++;
        return smtp_reject(s, 451, "Temporary local problem - please try later");
    }
    smtp_pace_rcpt(s);
    if (is_excess(s))
        return SMTP_NEXT_COMMAND;
    smtp_set_recipient(s, address);
    next = judge(s, address, &p);
    s->engine->eval->address = NULL;
    return next;
}
