/* AUTH: a client says who it is. Source: specification, chapter "SMTP authentication"; RFC 4954. */
#include "engine/smtp_state.h"

#include "auths/auth_talk.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/event.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "sys/tls.h"

#include <stdio.h>

/* --- what is offered --- */

static bool
is_truth(struct str value)
{
    return value.n > 0 && !str_eqz(value, "0") && !str_ieqz(value, "no") &&
           !str_ieqz(value, "false");
}

/* server_advertise_condition */
static bool
is_advertised(struct smtp_session *s, const struct driver_instance *d)
{
    const struct auth_generic *g = d->generic.fields;
    struct vm *vm = s->engine->vm;
    struct str value;
    if (auth_driver_of(d)->server == NULL || !auth_is_server(d) ||
        str_eqz(d->driver->name, "tls"))
        return false;
    if (!str_is_set(g->server_advertise_condition.text))
        return true;
    enum vm_status st = vm_expand_x(vm, &g->server_advertise_condition, &value);
    if (st == VM_ERROR)
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC,
                 "expansion of server_advertise_condition failed in %.*s authenticator: %.*s",
                 STR_ARG(d->name), STR_ARG(vm_error(vm)));
    return st == VM_OK && is_truth(value);
}

void
smtp_auth_offer(struct smtp_session *s, struct buf *b)
{
    const struct conf *c = s->engine->conf;
    s->offered.auth = false;
    if (c->auths.n == 0)
        return;
    if (s->auth_offered == NULL)
        s->auth_offered = ARENA_ARRAY(s->arena, bool, c->auths.n);
    bool wanted = s->model->sender_host_authenticated.n == 0 &&
                  smtp_host_in(s, &s->main->auth_advertise_hosts, "auth_advertise_hosts");
    for (size_t i = 0; i < c->auths.n; i++) {
        const struct auth_generic *g = c->auths.v[i]->generic.fields;
        s->auth_offered[i] = wanted && is_advertised(s, c->auths.v[i]);
        if (!s->auth_offered[i])
            continue;
        if (!s->offered.auth)
            buf_addz(b, "\nAUTH");
        s->offered.auth = true;
        buf_printf(b, " %.*s", STR_ARG(str_upper(s->message_arena, g->public_name)));
    }
}

static bool
may_unadvertised(const struct smtp_session *s)
{
    const struct acl_connection *a = s->model->acl;
    return a != NULL && a->allow_auth_unadvertised;
}

/* The authenticator for a mechanism that was offered. NULL: there is none. */
static const struct driver_instance *
find_mechanism(struct smtp_session *s, struct str name)
{
    const struct conf *c = s->engine->conf;
    for (size_t i = 0; i < c->auths.n; i++) {
        const struct driver_instance *d = c->auths.v[i];
        const struct auth_generic *g = d->generic.fields;
        bool offered = s->auth_offered != NULL && s->auth_offered[i];
        if (may_unadvertised(s))
            offered = offered || (auth_driver_of(d)->server != NULL && auth_is_server(d));
        if (offered && str_ieq(g->public_name, name))
            return d;
    }
    return NULL;
}

/* --- the exchange --- */

static enum auth_end
ask_plainly(struct auth_talk *t, struct str prompt, struct str *answer)
{
    struct smtp_session *s = t->ctx;
    struct str line;
    smtp_answer(s, "334 %.*s", STR_ARG(prompt));
    if (!smtp_io_flush(s->io))
        return AUTH_LOST;
    switch (smtp_io_line(s->io, &line)) {
    case SMTP_READ_LINE:
        break;
    case SMTP_READ_TOO_LONG:
        return AUTH_BASE64;
    case SMTP_READ_EOF:
    case SMTP_READ_TIMEOUT:
    case SMTP_READ_LATER:
        return AUTH_LOST;
    }
    if (str_eqz(line, "*"))
        return AUTH_CANCELLED;
    return auth_talk_decode(t->arena, line, answer) ? AUTH_OK : AUTH_BASE64;
}

static enum auth_end
ask(struct auth_talk *t, struct str prompt, struct str *answer)
{
    return ask_plainly(t, base64_encode(t->arena, prompt), answer);
}

static bool
binding(void *ctx, enum auth_binding kind, struct arena *a, struct str *out)
{
    struct smtp_session *s = ctx;
    struct tls_connection *c = smtp_io_tls(s->io);
    return c != NULL &&
           tls_binding(s->engine->eval->tls, c,
                       kind == AUTH_BINDING_UNIQUE ? TLS_BINDING_UNIQUE : TLS_BINDING_EXPORTER,
                       a, out);
}

static struct auth_talk
talk_of(struct smtp_session *s, const struct driver_instance *d)
{
    const struct session *m = s->model;
    return (struct auth_talk){
        .arena = s->message_arena,
        .eval = s->engine->eval,
        .vm = s->engine->vm,
        .session = s->model,
        .d = d,
        .ask = ask,
        .ask_plainly = ask_plainly,
        .binding = binding,
        .ctx = s,
        .initial = STR_NULL,
        .text = STR_EMPTY,
        .log = STR_EMPTY,
        .secured =
            m->tls_in.cipher.n > 0 || (m->sender_host_address.n > 0 &&
                                       str_eq(m->sender_host_address, m->interface_address)),
    };
}

/* server_set_id; unset when it cannot be expanded. */
static struct str
expand_id(struct auth_talk *t)
{
    const struct auth_generic *g = t->d->generic.fields;
    struct str id;
    if (!str_is_set(g->server_set_id.text) ||
        auth_talk_expand(t, &g->server_set_id, &id) != AUTH_OK)
        return STR_NULL;
    return str_dup(t->session->arena, id);
}

/* server_debug_print, with -d. */
static void
debug(struct auth_talk *t)
{
    const struct auth_generic *g = t->d->generic.fields;
    struct str text;
    if (t->eval->debug == 0 || !str_is_set(g->server_debug_print.text))
        return;
    if (auth_talk_expand(t, &g->server_debug_print, &text) == AUTH_OK)
        (void)fprintf(stderr, "%.*s\n", STR_ARG(text));
}

static void
accept_client(struct smtp_session *s, struct auth_talk *t)
{
    struct session *m = s->model;
    m->authenticated_id = expand_id(t);
    m->sender_host_authenticated = t->d->name;
    m->auth_public_name = ((const struct auth_generic *)t->d->generic.fields)->public_name;
    m->authentication_failed = false;
    m->authenticated_fail_id = STR_NULL;
    s->auth = t->d;
    smtp_set_protocol(s);
    if (!str_is_set(s->setup->protocol))
        s->message->received_protocol = s->protocol;
}

static const char *
failure_text(enum auth_end end)
{
    switch ((int)end) {
    case AUTH_DEFER:
        return "435 Unable to authenticate at present";
    case AUTH_CANCELLED:
        return "501 Authentication cancelled";
    case AUTH_BASE64:
        return "501 Invalid base64 data";
    case AUTH_UNEXPECTED:
        return "553 Initial data not expected";
    default:
        return "535 Incorrect authentication data";
    }
}

static void
raise_failure(struct smtp_session *s, struct auth_talk *t, const char *text)
{
    struct session *m = s->model;
    struct str before = m->sender_host_authenticated;
    m->sender_host_authenticated = t->d->name;
    (void)event_raise_main(s->engine->eval, s->engine->vm,
                           &(struct event){.name = "auth:fail", .data = str_from_cstr(text)});
    m->sender_host_authenticated = before;
}

/* Says that it came to nothing, to everybody but the client. */
static void
log_failure(struct smtp_session *s, struct auth_talk *t, enum auth_end end)
{
    struct session *m = s->model;
    const char *text = failure_text(end);
    struct str id = end == AUTH_CANCELLED ? STR_NULL : expand_id(t);
    struct buf b = buf_in(s->message_arena, 0);
    m->authentication_failed = true;
    m->authenticated_fail_id = id;
    buf_addz(&b, text);
    if (str_is_set(id) && id.n > 0)
        buf_printf(&b, " (set_id=%.*s)", STR_ARG(id));
    if (t->log.n > 0)
        buf_printf(&b, ": %.*s", STR_ARG(t->log));
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT, "%.*s authenticator failed for %.*s: %.*s",
             STR_ARG(t->d->name), STR_ARG(smtp_peer(s, true)), STR_ARG(buf_str(&b)));
    raise_failure(s, t, text);
}

static enum auth_end
run(struct smtp_session *s, struct auth_talk *t)
{
    auth_talk_clear(t);
    enum auth_end end = auth_driver_of(t->d)->server(t);
    debug(t);
    if (end == AUTH_OK)
        accept_client(s, t);
    return end;
}

void
smtp_auth_forget(struct smtp_session *s)
{
    struct session *m = s->model;
    m->sender_host_authenticated = m->auth_public_name = STR_NULL;
    m->authenticated_id = m->authenticated_fail_id = STR_NULL;
    m->authentication_failed = false;
    s->auth = NULL;
    for (size_t i = 0; i < 4; i++)
        m->auth[i] = STR_NULL;
}

/* --- without the command --- */

/* ACL and authenticator; who fails goes on unauthenticated. False: the ACL has ended the session. */
static bool
try_by_tls(struct smtp_session *s, const struct driver_instance *d)
{
    struct acl_answer a;
    if (policy_run(s->engine, ACL_PHASE_AUTH, &a) != ACL_ACCEPT) {
        (void)smtp_acl_refusal(s, ACL_PHASE_AUTH, &a);
        return false;
    }
    struct auth_talk t = talk_of(s, d);
    enum auth_end end = run(s, &t);
    if (end != AUTH_OK)
        log_failure(s, &t, end);
    return true;
}

bool
smtp_auth_by_tls(struct smtp_session *s)
{
    const struct conf *c = s->engine->conf;
    for (size_t i = 0; i < c->auths.n; i++)
        if (str_eqz(c->auths.v[i]->driver->name, "tls") && auth_is_server(c->auths.v[i]))
            return try_by_tls(s, c->auths.v[i]);
    return true;
}

/* --- the command --- */

static enum smtp_next
refuse(struct smtp_session *s, int code, const char *text)
{
    return smtp_refuse(s, SMTP_ERROR_PROTOCOL, code, STR_NULL, str_from_cstr(text));
}

/* The mechanism's name off the front of the argument. False: it has a character that none has. */
static bool
take_mechanism(struct str *rest, struct str *name)
{
    uint32_t n = 0;
    for (; n < rest->n && !ascii_space(rest->p[n]); n++)
        if (!ascii_alnum(rest->p[n]) && rest->p[n] != '-' && rest->p[n] != '_')
            return false;
    *name = str_sub(*rest, 0, n);
    *rest = str_trim(str_sub(*rest, n, rest->n));
    return true;
}

/* "=" stands for data that are empty. */
static enum auth_end
take_initial(struct auth_talk *t, struct str text)
{
    if (text.n == 0)
        return AUTH_OK;
    if (str_eqz(text, "=")) {
        t->initial = STR_EMPTY;
        return AUTH_OK;
    }
    return auth_talk_decode(t->arena, text, &t->initial) ? AUTH_OK : AUTH_BASE64;
}

static enum smtp_next
authenticate(struct smtp_session *s, const struct driver_instance *d, struct str data)
{
    struct auth_talk t = talk_of(s, d);
    enum auth_end end = take_initial(&t, data);
    if (end == AUTH_OK)
        end = run(s, &t);
    if (end == AUTH_OK) {
        smtp_answer(s, "235 Authentication succeeded");
        return SMTP_NEXT_COMMAND;
    }
    if (end == AUTH_LOST)
        return smtp_lost(s, smtp_io_has_timed_out(s->io) ? SMTP_READ_TIMEOUT : SMTP_READ_EOF);
    const char *text = failure_text(end);
    if (t.text.n > 0)
        smtp_answer(s, "%s: %.*s", text, STR_ARG(t.text));
    else
        smtp_answer(s, "%s", text);
    log_failure(s, &t, end);
    return SMTP_NEXT_COMMAND;
}

enum smtp_next
smtp_do_auth(struct smtp_session *s)
{
    struct acl_answer a;
    struct str rest = s->argument, name;
    s->model->authentication_failed = true; /* until it has not */
    if (!s->offered.auth && !may_unadvertised(s))
        return s->model->sender_host_authenticated.n > 0
                   ? refuse(s, 503, "already authenticated")
                   : refuse(s, 503, "AUTH command used when not advertised");
    if (s->model->sender_host_authenticated.n > 0)
        return refuse(s, 503, "already authenticated");
    if (s->sender_given)
        return refuse(s, 503, "not permitted in mail transaction");
    if (policy_run(s->engine, ACL_PHASE_AUTH, &a) != ACL_ACCEPT)
        return smtp_acl_refusal(s, ACL_PHASE_AUTH, &a);
    if (!take_mechanism(&rest, &name))
        return smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL,
                           STR_LIT("invalid character in authentication mechanism name"));
    const struct driver_instance *d = find_mechanism(s, name);
    if (d != NULL)
        return authenticate(s, d, rest);
    return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 504, STR_NULL,
                       str_printf(s->message_arena,
                                  "%.*s authentication mechanism not supported",
                                  STR_ARG(name)));
}
