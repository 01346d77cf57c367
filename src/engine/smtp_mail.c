/* MAIL: a transaction begins. */
#include "engine/smtp_state.h"

#include "auths/auth.h"
#include "base/arena.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "engine/smtp_pace.h"
#include "engine/spool_space.h"
#include "mail/xtext.h"

enum { SIZE_MAX_SHOWN = INT32_MAX, RET_FULL = 1, RET_HDRS = 2 };

struct mail_parameters {
    int64_t size; /* -1: not given */
    struct str auth;
    bool prdr, ret_given, envid_given;
};

/* What a parameter's function answers. */
enum parameter_fault {
    PARAMETER_GOOD,
    PARAMETER_UNKNOWN, /* left where it is: part of a malformed address */
    PARAMETER_BAD,     /* refused; answered */
};

struct parameter_call {
    struct smtp_session *s;
    struct mail_parameters *p;
    struct str value; /* STR_NULL: none */
    const char *fault;
};

typedef enum parameter_fault parameter_fn(struct parameter_call *c);

static enum parameter_fault
bad(struct parameter_call *c, const char *text)
{
    c->fault = text;
    return PARAMETER_BAD;
}

static enum parameter_fault
take_size(struct parameter_call *c)
{
    uint64_t n = 0;
    if (!str_is_set(c->value))
        return PARAMETER_UNKNOWN;
    for (uint32_t i = 0; i < c->value.n && ascii_digit(c->value.p[i]); i++)
        n = n >= INT64_MAX / 10 ? INT64_MAX : n * 10 + (uint64_t)(c->value.p[i] - '0');
    c->p->size = n > SIZE_MAX_SHOWN ? SIZE_MAX_SHOWN : (int64_t)n;
    return PARAMETER_GOOD;
}

static enum parameter_fault
take_body(struct parameter_call *c)
{
    if (!str_is_set(c->value))
        return PARAMETER_UNKNOWN;
    if (str_ieqz(c->value, "8BITMIME") || str_ieqz(c->value, "7BIT"))
        return PARAMETER_GOOD;
    return bad(c, "invalid data for BODY");
}

static enum parameter_fault
take_auth(struct parameter_call *c)
{
    if (!str_is_set(c->value))
        return PARAMETER_UNKNOWN;
    if (str_eqz(c->value, "<>")) {
        c->p->auth = STR_EMPTY;
        return PARAMETER_GOOD;
    }
    if (!xtext_decode(c->s->message_arena, c->value, &c->p->auth))
        return bad(c, "invalid data for AUTH");
    return PARAMETER_GOOD;
}

static enum parameter_fault
take_ret(struct parameter_call *c)
{
    if (!c->s->offered.dsn || !str_is_set(c->value))
        return PARAMETER_UNKNOWN;
    if (c->p->ret_given)
        return bad(c, "RET can be specified once only");
    c->p->ret_given = true;
    if (str_ieqz(c->value, "HDRS"))
        c->s->message->dsn_ret = RET_HDRS;
    else if (str_ieqz(c->value, "FULL"))
        c->s->message->dsn_ret = RET_FULL;
    else
        return bad(c, "Value for RET is invalid");
    return PARAMETER_GOOD;
}

static enum parameter_fault
take_envid(struct parameter_call *c)
{
    if (!c->s->offered.dsn)
        return PARAMETER_UNKNOWN;
    if (c->p->envid_given)
        return bad(c, "ENVID can be specified once only");
    c->p->envid_given = true;
    c->s->message->dsn_envid = str_dup(c->s->message_arena, c->value);
    return PARAMETER_GOOD;
}

static enum parameter_fault
take_prdr(struct parameter_call *c)
{
    if (!c->s->offered.prdr)
        return PARAMETER_UNKNOWN;
    c->p->prdr = true;
    return PARAMETER_GOOD;
}

static enum parameter_fault
take_smtputf8(struct parameter_call *c)
{
    if (!c->s->offered.smtputf8)
        return bad(c, "SMTPUTF8 used when not advertised");
    struct message *m = c->s->message;
    m->smtputf8 = true;
    m->received_protocol = str_printf(m->arena, "utf8%.*s", STR_ARG(m->received_protocol));
    return PARAMETER_GOOD;
}

static const struct {
    const char *name;
    parameter_fn *take;
} parameters[] = {
    {"SIZE", take_size},   {"BODY", take_body}, {"AUTH", take_auth},         {"RET", take_ret},
    {"ENVID", take_envid}, {"PRDR", take_prdr}, {"SMTPUTF8", take_smtputf8},
};

static enum parameter_fault
take_one(struct parameter_call *c, struct str name)
{
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (str_ieqz(name, parameters[i].name))
            return parameters[i].take(c);
    return PARAMETER_UNKNOWN;
}

/* Takes known parameters off the end of the argument. False: one is bad. */
static bool
take_parameters(struct smtp_session *s, struct str *argument, struct mail_parameters *p,
                enum smtp_next *next)
{
    struct str rest = *argument, name, value;
    while (s->esmtp && smtp_take_parameter(&rest, &name, &value)) {
        struct parameter_call c = {.s = s, .p = p, .value = value};
        switch (take_one(&c, name)) {
        case PARAMETER_GOOD:
            *argument = rest;
            break;
        case PARAMETER_UNKNOWN:
            return true;
        case PARAMETER_BAD:
            *next = smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL, str_from_cstr(c.fault));
            return false;
        }
    }
    return true;
}

/* --- checks --- */

static bool
is_early(struct smtp_session *s, enum smtp_next *next)
{
    *next = SMTP_NEXT_COMMAND;
    if ((s->helo_required || s->helo_verify_required) && !s->helo_seen) {
        smtp_answer(s, "503 HELO or EHLO required");
        smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
                 "rejected MAIL from %.*s: no HELO/EHLO given", STR_ARG(smtp_peer(s, false)));
        return true;
    }
    if (s->sender_given) {
        *next =
            smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL, STR_LIT("sender already given"));
        return true;
    }
    if (s->argument.n > 0)
        return false;
    *next = smtp_refuse(s, SMTP_ERROR_PROTOCOL, 501, STR_NULL,
                        STR_LIT("MAIL must have an address operand"));
    return true;
}

static bool
is_one_too_many(struct smtp_session *s)
{
    int64_t most = smtp_option_number(s, &s->main->smtp_accept_max_per_connection,
                                      "smtp_accept_max_per_connection", 0);
    if (s->batch || most <= 0 || s->messages <= most)
        return false;
    smtp_answer(s, "421 too many messages in this connection");
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "rejected MAIL command %.*s: too many messages in one connection",
             STR_ARG(smtp_peer(s, true)));
    return true;
}

static bool
is_too_big(struct smtp_session *s, const struct mail_parameters *p)
{
    int64_t most = smtp_option_number(s, &s->main->message_size_limit, "message_size_limit", 0);
    if (most <= 0 || p->size <= most)
        return false;
    smtp_answer(s, "552 Message size exceeds maximum permitted");
    if (maillog_selected(s->engine, LOG_SELECTOR_SIZE_REJECT))
        smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
                 "rejected MAIL FROM:<%.*s> %.*s: message too big: size%s%lld max=%lld",
                 STR_ARG(s->message->sender), STR_ARG(smtp_peer(s, true)),
                 p->size == SIZE_MAX_SHOWN ? ">=" : "=", (long long)p->size, (long long)most);
    return true;
}

static bool
is_without_space(struct smtp_session *s, const struct mail_parameters *p)
{
    if (s->batch ||
        spool_space_is_enough(s->engine, s->main->smtp_check_spool_space ? p->size : -1))
        return false;
    smtp_answer(s, "452 Space shortage, please try later");
    return true;
}

/* --- the authenticated sender --- */

static void
ignore_auth(struct smtp_session *s, struct str auth, const char *why)
{
    smtp_log(s, MAILLOG_MAIN, "ignoring AUTH=%.*s from %.*s (%s)", STR_ARG(auth),
             STR_ARG(smtp_peer(s, true)), why);
}

/* server_mail_auth_condition of the authenticator that knows the client. */
static void
check_auth_condition(struct smtp_session *s, struct str auth)
{
    const struct auth_generic *g = s->auth != NULL ? s->auth->generic.fields : NULL;
    struct str value = STR_EMPTY, why;
    if (g == NULL || !str_is_set(g->server_mail_auth_condition.text))
        return;
    bool good = vm_expand_x(s->engine->vm, &g->server_mail_auth_condition, &value) == VM_OK &&
                value.n > 0 && !str_eqz(value, "0") && !str_ieqz(value, "no") &&
                !str_ieqz(value, "false");
    if (good)
        return;
    s->message->authenticated_sender = STR_NULL;
    why = str_printf(s->message_arena,
                     "server_mail_auth_condition failed: authenticated ID=\"%.*s\"",
                     STR_ARG(s->model->authenticated_id));
    ignore_auth(s, auth, str_cstr(s->message_arena, why));
}

/* Whether the AUTH parameter is believed; an ACL that looks at it sees it. False: the ACL has refused the command. */
static bool
believe_auth(struct smtp_session *s, struct str auth, enum smtp_next *next)
{
    struct acl_answer a;
    bool asked = policy_has(s->engine, ACL_PHASE_MAILAUTH);
    if (!str_is_set(auth) || auth.n == 0)
        return true;
    s->message->authenticated_sender = str_tainted(auth);
    enum acl_result r = policy_run(s->engine, ACL_PHASE_MAILAUTH, &a);
    if (asked && s->main->acl_smtp_mailauth.text.n == 0)
        r = ACL_DENY; /* an ACL without a name says no */
    if (r == ACL_ACCEPT && (asked || s->model->sender_host_authenticated.n > 0)) {
        check_auth_condition(s, auth);
        return true;
    }
    s->message->authenticated_sender = STR_NULL;
    if (r == ACL_ACCEPT || r == ACL_DENY) {
        ignore_auth(s, auth, r == ACL_DENY ? "rejected by ACL" : "client not authenticated");
        return true;
    }
    *next = smtp_acl_refusal(s, ACL_PHASE_MAILAUTH, &a);
    return false;
}

/* --- the command --- */

static void
forget_sender(struct smtp_session *s)
{
    s->message->sender = STR_NULL;
    s->message->smtputf8 = false;
    smtp_name_protocol(s);
    s->sender_given = false;
    smtp_expect_message(s, false);
    s->model->prdr = false;
}

static void
accept_sender(struct smtp_session *s, const struct acl_answer *a)
{
    s->mail_seen = true;
    s->sender_given = true;
    smtp_expect_message(s, true);
    s->free_used = 0;
    s->rcpt_same = true;
    s->rcpt_refusal = STR_NULL;
    s->discard_all = a->result == ACL_DISCARD;
    s->discard_why = s->discard_all && str_is_set(a->log_message)
                         ? str_dup(s->message_arena, a->log_message)
                         : STR_EMPTY;
    if (s->discard_all)
        acl_message_of(s->message)->discarded_by = STR_LIT("MAIL ACL");
    if (str_is_set(a->message))
        smtp_answer_text(s, "250", a->message);
    else
        smtp_answer(s, "250 OK%s", s->model->prdr ? ", PRDR Requested" : "");
}

static enum smtp_next
ask_acl(struct smtp_session *s, const struct mail_parameters *p)
{
    struct acl_answer a = {.result = ACL_ACCEPT, .message = STR_NULL};
    enum smtp_next next;
    s->message->size = p->size;
    if (!believe_auth(s, p->auth, &next)) {
        forget_sender(s);
        return next;
    }
    if (s->batch) {
        accept_sender(s, &a);
        return SMTP_NEXT_COMMAND;
    }
    enum acl_result r = policy_run(s->engine, ACL_PHASE_MAIL, &a);
    if (r == ACL_ACCEPT || r == ACL_DISCARD) {
        accept_sender(s, &a);
        return SMTP_NEXT_COMMAND;
    }
    next = smtp_acl_refusal(s, ACL_PHASE_MAIL, &a);
    forget_sender(s);
    return next;
}

enum smtp_next
smtp_do_mail(struct smtp_session *s)
{
    enum smtp_next next;
    struct mail_parameters p = {.size = -1, .auth = STR_NULL};
    struct str argument = s->argument;
    bool good;
    s->messages++;
    if (is_one_too_many(s))
        return SMTP_NEXT_COMMAND;
    if (is_early(s, &next) || !take_parameters(s, &argument, &p, &next))
        return next;
    s->argument = argument; /* logs show no parameters */
    struct str sender = smtp_take_address(s, argument, true, &good, &next);
    if (!good)
        return next;
    s->message->sender = str_tainted(str_dup(s->message_arena, sender));
    s->model->prdr = p.prdr;
    smtp_pace_mail(s);
    if (is_too_big(s, &p) || is_without_space(s, &p)) {
        forget_sender(s);
        return SMTP_NEXT_COMMAND;
    }
    return ask_acl(s, &p);
}
