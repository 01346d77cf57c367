/* The condition verify: its items, their options, what their outcome is called. The work is done by the engine (routing, callouts)
 * and in acl_verify_header.c. Source: specification, sections "ACL conditions", "Address verification".
 */
#include "acl/acl_verify.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"

#define P(NAME) (1u << ACL_PHASE_##NAME)
#define ALL_PHASES ((1u << ACL_PHASES) - 1)
#define WITH_TEXT (P(DATA) | P(NOTSMTP) | P(MIME) | P(NOTSMTP_MIME) | P(PRDR) | P(DKIM))

enum { QUOTA_POSITIVE_S = 5 * 60, QUOTA_NEGATIVE_S = 60 * 60 };

/* --- options --- */

/* Behind quota=; other parameters than these have no effect. Source: specification, "Quota caching". */
static bool
take_quota(struct acl_verify_call *v, struct str text)
{
    struct strlist_split l = strlist_split_start(text, ',');
    struct str o;
    v->quota = ARENA_NEW(v->c->keep, struct acl_quota);
    *v->quota = (struct acl_quota){QUOTA_POSITIVE_S, QUOTA_NEGATIVE_S};
    const struct {
        const char *name;
        int64_t *to;
    } times[] = {{"cachepos=", &v->quota->positive_s}, {"cacheneg=", &v->quota->negative_s}};
    while (strlist_split_next(&l, v->c->keep, &o)) {
        o = acl_verify_squeeze(v->c->keep, str_trim(o));
        if (str_eqz(o, "no_cache"))
            *v->quota = (struct acl_quota){0, 0};
        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
            struct str name = str_from_cstr(times[i].name);
            if (!str_starts(o, times[i].name) ||
                num_parse_interval(str_sub(o, name.n, o.n), times[i].to))
                continue;
            (void)acl_error(v->c, "bad time value in ACL condition \"verify %.*s\"",
                            STR_ARG(v->whole));
            return false;
        }
    }
    return true;
}

/* Asks for a callout; text is what makes it another one than others. */
static bool
take_callout(struct acl_verify_call *v, struct str text)
{
    v->callout_text = text;
    return acl_callout_take(v, text);
}

static bool
take_option(struct acl_verify_call *v, struct str o)
{
    if (str_eqz(o, "defer_ok"))
        v->defer_ok = true;
    else if (str_eqz(o, "no_details"))
        v->no_details = true;
    else if (str_eqz(o, "success_on_redirect"))
        v->success_on_redirect = true;
    else if (str_eqz(o, "case_insensitive") && v->row->caseless)
        v->case_insensitive = true;
    else if (str_eqz(o, "quota"))
        return take_quota(v, STR_EMPTY);
    else if (str_starts(o, "quota="))
        return take_quota(v, str_sub(o, strlen("quota="), o.n));
    else if (str_eqz(o, "callout"))
        return take_callout(v, STR_EMPTY);
    else if (str_starts(o, "callout="))
        return take_callout(v, str_sub(o, strlen("callout="), o.n));
    else if (str_eqz(o, "callout_defer_ok"))
        return take_callout(v, STR_LIT("defer_ok"));
    else if (str_eqz(o, "check_postmaster"))
        return take_callout(v, STR_LIT("postmaster"));
    else {
        (void)acl_error(v->c, "unknown option \"%.*s\" in ACL condition \"verify %.*s\"",
                        STR_ARG(o), STR_ARG(v->whole));
        return false;
    }
    return true;
}

/* --- addresses --- */

/* control = no_callout_flush */
static bool
keeps_answers(const struct acl_call *c)
{
    const struct session *s = c->r->eval->session;
    return s != NULL && s->acl != NULL && s->acl->no_callout_flush;
}

static void
ask(struct acl_verify_call *v, struct acl_verify *q, struct acl_verified *out)
{
    const struct acl_up *up = v->c->r->up;
    q->callout = v->callout;
    if (v->callout != NULL && up != NULL && up->flush != NULL && !keeps_answers(v->c))
        up->flush(up->peer_ctx);
    q->success_on_redirect = v->success_on_redirect;
    q->quota = v->quota;
    *out = (struct acl_verified){.outcome = OUT_DEFER, .address_data = STR_NULL};
    if (up != NULL && up->verify != NULL)
        up->verify(up->ctx, q, out);
    else
        out->why.log = STR_LIT("addresses cannot be verified here");
    if (out->outcome == OUT_DEFER && (v->defer_ok || (out->in_callout && v->callout_defer_ok)))
        out->outcome = OUT_OK;
}

void
acl_verify_ask(struct acl_verify_call *v, struct str address, struct acl_verified *out)
{
    struct acl_verify q = {
        .kind = ACL_VERIFY_HEADER_SENDER, .address = address, .header_address = true};
    ask(v, &q, out);
}

static struct str
why_text(const struct acl_verified *r)
{
    if (str_is_set(r->why.log))
        return r->why.log;
    return str_is_set(r->why.peer) ? r->why.peer : STR_NULL;
}

static enum acl_test
verify_recipient(struct acl_verify_call *v)
{
    struct acl_call *c = v->c;
    struct eval *e = c->r->eval;
    struct acl_verified r;
    struct acl_verify q = {.kind = ACL_VERIFY_RECIPIENT, .address = STR_EMPTY};
    if (e->address != NULL)
        q.address = e->address->text;
    ask(v, &q, &r);
    if (e->address != NULL)
        e->address->address_data = r.address_data;
    if (e->session != NULL)
        e->session->recipient_verify_failure = r.failure;
    if (r.outcome == OUT_OK)
        return ACL_TEST_TRUE;
    c->log = why_text(&r);
    c->user = r.why.peer;
    c->r->answer->details = r.details;
    return acl_test_of(r.outcome);
}

/* What was found out of senders of this message. */
static struct acl_verified_sender *
find_sender(struct message *m, struct str address, struct str callout)
{
    struct acl_message *am = m == NULL ? NULL : acl_message_of(m);
    for (size_t i = 0; am != NULL && i < am->senders.n; i++) {
        struct acl_verified_sender *s = am->senders.v[i];
        if (str_eq(s->address, address) && str_eq(s->callout, callout) &&
            str_is_set(s->callout) == str_is_set(callout))
            return s;
    }
    return NULL;
}

static const struct acl_verified *
sender_result(struct acl_verify_call *v, struct str address)
{
    struct acl_call *c = v->c;
    struct message *m = c->r->eval->message;
    struct acl_verify q = {.kind = ACL_VERIFY_SENDER, .address = address};
    struct acl_verified_sender *s = find_sender(m, address, v->callout_text);
    if (s != NULL) {
        s->result.again = true;
        return &s->result;
    }
    s = ARENA_NEW(c->keep, struct acl_verified_sender);
    s->address = str_dup(c->keep, address);
    s->callout = str_is_set(v->callout_text) ? str_dup(c->keep, v->callout_text) : STR_NULL;
    ask(v, &q, &s->result);
    if (m != NULL)
        vec_push(m->arena, &acl_message_of(m)->senders, s);
    return &s->result;
}

static enum acl_test
sender_test(struct acl_verify_call *v, struct str address, const struct acl_verified *r)
{
    struct acl_call *c = v->c;
    struct session *s = c->r->eval->session;
    if (s != NULL) {
        s->sender_address_data = r->address_data;
        s->sender_verify_failure = r->failure;
    }
    if (r->outcome == OUT_OK)
        return ACL_TEST_TRUE;
    struct acl_answer *a = c->r->answer;
    a->sender_unverified = true;
    a->sender_why = r->why;
    a->sender_why.outcome = r->outcome;
    a->sender = str_dup(c->keep, str_is_set(r->address) ? r->address : address);
    a->no_details = v->no_details;
    a->details = r->details;
    a->called = r->called;
    if (r->outcome == OUT_FAIL)
        c->user = STR_LIT("Sender verify failed");
    else
        c->user = r->in_callout ? STR_LIT("Could not complete sender verify callout")
                                : STR_LIT("Could not complete sender verify");
    /* A refusal's details are logged on a line of their own. */
    c->log = c->user;
    if (c->verb == ACL_VERB_WARN && r->outcome == OUT_FAIL)
        c->log = r->again || str_eq(r->why.log, r->why.peer) ? STR_NULL : r->why.log;
    return acl_test_of(r->outcome);
}

static enum acl_test
verify_sender(struct acl_verify_call *v)
{
    const struct message *m = v->c->r->eval->message;
    struct str address = m == NULL || !str_is_set(m->sender) ? STR_EMPTY : m->sender;
    if (str_is_set(v->value))
        address = v->value;
    if (address.n == 0)
        return ACL_TEST_TRUE;
    return sender_test(v, address, sender_result(v, address));
}

/* --- the host --- */

static enum acl_test
verify_helo(struct acl_verify_call *v)
{
    const struct acl_up *up = v->c->r->up;
    if (up == NULL || up->verify_helo == NULL)
        return ACL_TEST_TRUE;
    return acl_test_of(up->verify_helo(up->peer_ctx));
}

static enum acl_test
verify_reverse(struct acl_verify_call *v)
{
    struct acl_call *c = v->c;
    const struct acl_up *up = c->r->up;
    struct str why = STR_NULL;
    enum outcome o = OUT_OK;
    if (up != NULL && up->verify_reverse != NULL)
        o = up->verify_reverse(up->ctx, &why);
    if (o == OUT_OK || (o == OUT_DEFER && v->defer_ok))
        return ACL_TEST_TRUE;
    c->log = str_printf(c->keep, "host lookup %s for reverse lookup check%s%.*s%s",
                        o == OUT_DEFER ? "deferred" : "failed", why.n > 0 ? " (" : "",
                        STR_ARG(why), why.n > 0 ? ")" : "");
    return acl_test_of(o);
}

static enum acl_test
verify_certificate(struct acl_verify_call *v)
{
    const struct session *s = v->c->r->eval->session;
    if (s != NULL && s->tls_in.verified != 0)
        return ACL_TEST_TRUE;
    v->c->user = STR_LIT("no verified certificate");
    return ACL_TEST_FALSE;
}

/* --- items --- */

static const struct acl_verify_row rows[] = {
    {.name = "sender",
     .phases = P(MAIL) | P(RCPT) | P(PREDATA) | P(NOTSMTP_START) | WITH_TEXT,
     .value = true,
     .run = verify_sender},
    {.name = "recipient", .phases = P(RCPT), .run = verify_recipient},
    {.name = "header_sender", .phases = WITH_TEXT, .run = acl_verify_header_sender},
    {.name = "header_syntax",
     .phases = WITH_TEXT,
     .bare = true,
     .run = acl_verify_header_syntax},
    {.name = "header_names_ascii",
     .phases = WITH_TEXT,
     .bare = true,
     .run = acl_verify_header_names},
    {.name = "not_blind", .phases = WITH_TEXT, .caseless = true, .run = acl_verify_not_blind},
    {.name = "helo", .phases = ALL_PHASES, .bare = true, .run = verify_helo},
    {.name = "reverse_host_lookup", .phases = ALL_PHASES, .run = verify_reverse},
    {.name = "certificate", .phases = ALL_PHASES, .bare = true, .run = verify_certificate},
    {.name = "csa", .phases = ALL_PHASES, .domain = true, .run = acl_verify_csa},
    {.name = "arc", .phases = P(DATA), .list = true, .run = acl_verify_arc},
};

static const struct acl_verify_row *
find_row(struct str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_ieqz(name, rows[i].name))
            return &rows[i];
    return NULL;
}

/* Reads what is to be verified; false: c->log says what is wrong. */
static bool
parse(struct acl_verify_call *v, struct str arg)
{
    struct acl_call *c = v->c;
    struct strlist_split l = strlist_split_start(arg, '/');
    struct str first = STR_EMPTY, o;
    (void)strlist_split_next(&l, c->keep, &first);
    size_t eq = str_chr(first, '=', 0);
    v->row = find_row(str_trim(str_sub(first, 0, eq == STR_NPOS ? first.n : eq)));
    if (v->row == NULL || (eq != STR_NPOS && !v->row->value)) {
        (void)acl_error(c,
                        "expected \"sender[=address]\", \"recipient\", \"helo\", "
                        "\"header_syntax\", \"header_sender\", \"header_names_ascii\" or "
                        "\"reverse_host_lookup\" at start of ACL condition \"verify %.*s\"",
                        STR_ARG(arg));
        return false;
    }
    if (eq != STR_NPOS)
        v->value = str_trim(str_sub(first, eq + 1, first.n));
    if (v->row->bare && str_chr(arg, '/', 0) != STR_NPOS) {
        (void)acl_error(c, "unexpected '/' found in \"%.*s\" (this verify item has no options)",
                        STR_ARG(arg));
        return false;
    }
    if (!acl_phase_in(v->row->phases, c->phase)) {
        (void)acl_error(c, "cannot verify %s in ACL for %.*s", v->row->name,
                        STR_ARG(acl_phase_title(c->phase)));
        return false;
    }
    if (v->row->domain && strlist_split_next(&l, c->keep, &o) && o.n > 0)
        v->domain = o;
    if (v->row->list)
        v->list = str_trim(l.rest);
    while (!v->row->list && strlist_split_next(&l, c->keep, &o))
        if (o.n > 0 && !v->row->domain && !take_option(v, o))
            return false;
    if (v->quota != NULL && v->row->run != verify_recipient) {
        (void)acl_error(c, "can only verify quota of recipient");
        return false;
    }
    return true;
}

enum acl_test
acl_cond_verify(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct acl_verify_call v = {
        .c = c, .whole = arg, .callout_text = STR_NULL, .value = STR_NULL, .domain = STR_NULL};
    struct session *s = c->r->eval->session;
    (void)item;
    if (!parse(&v, arg))
        return ACL_TEST_ERROR;
    enum acl_test t = v.row->run(&v);
    if (str_is_set(c->user) && s != NULL)
        s->acl_verify_message = c->user;
    if (c->verb == ACL_VERB_WARN) {
        if (str_eq(c->log, c->user) && t == ACL_TEST_FALSE) /* $acl_verify_message says it */
            c->log = STR_NULL;
        c->user = STR_NULL;
    }
    return t;
}
