/* The control modifier: a row a control, a function from its options to the state of message and connection. */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/strlist.h"

enum { FAKE_DEFER = 450, FAKE_REJECT = 550 };

struct control_call {
    struct acl_call *c;
    struct acl_message *m;    /* NULL: there is no message */
    struct acl_connection *s; /* NULL: there is no session */
    struct str options;       /* what follows the name, from the slash on; empty: nothing */
};

/* False: the options are wrong. */
typedef bool control_fn(struct control_call *k);

/* The next option; false at the end. */
static bool
next_option(struct control_call *k, struct str *out)
{
    if (k->options.n == 0)
        return false;
    size_t end = str_chr(k->options, '/', 1);
    end = end == STR_NPOS ? k->options.n : end;
    *out = str_sub(k->options, 1, end - 1);
    k->options = str_sub(k->options, end, k->options.n);
    return true;
}

static bool
value_of(struct str option, const char *name, struct str *out)
{
    if (!str_starts(option, name))
        return false;
    *out = str_sub(option, strlen(name), option.n);
    return true;
}

/* --- of the message --- */

static bool
control_freeze(struct control_call *k)
{
    struct str o;
    bool tell = true;
    while (next_option(k, &o)) {
        if (!str_eqz(o, "no_tell"))
            return false;
        tell = false;
    }
    if (k->m == NULL)
        return true;
    k->m->freeze = true;
    k->m->freeze_tell = k->m->freeze_tell || tell;
    return true;
}

static bool
control_queue(struct control_call *k)
{
    struct str o;
    if (k->m == NULL)
        return true;
    k->m->queue_only = true;
    while (next_option(k, &o)) {
        if (!str_eqz(o, "first_pass_route"))
            continue;
        k->m->first_pass_route = true;
        k->m->queue_only = false;
    }
    return true;
}

static bool
control_submission(struct control_call *k)
{
    struct str o, value;
    struct acl_submission sub = {.on = true, .domain = STR_NULL, .name = STR_NULL};
    while (next_option(k, &o)) {
        if (str_eqz(o, "sender_retain"))
            sub.sender_retain = true;
        else if (value_of(o, "domain=", &value))
            sub.domain = str_dup(k->c->keep, value);
        else if (value_of(o, "name=", &value)) /* a name may have slashes in it */
            sub.name = str_dup(k->c->keep, str_cat(k->c->keep, value, k->options)),
            k->options = STR_EMPTY;
        else
            return false;
    }
    if (k->m != NULL)
        k->m->submission = sub;
    return true;
}

static bool
control_suppress_local_fixups(struct control_call *k)
{
    if (k->m != NULL)
        k->m->suppress_local_fixups = true;
    return true;
}

static bool
fake(struct control_call *k, int code)
{
    if (k->m == NULL)
        return true;
    k->m->fake_code = code;
    k->m->fake_text =
        k->options.n > 1 ? str_dup(k->c->keep, str_sub(k->options, 1, k->options.n)) : STR_NULL;
    return true;
}

static bool
control_fakedefer(struct control_call *k)
{
    return fake(k, FAKE_DEFER);
}

static bool
control_fakereject(struct control_call *k)
{
    return fake(k, FAKE_REJECT);
}

static bool
control_no_mbox_unspool(struct control_call *k)
{
    if (k->m != NULL)
        k->m->no_mbox_unspool = true;
    return true;
}

static bool
control_dkim_disable_verify(struct control_call *k)
{
    if (k->m != NULL)
        k->m->dkim_disable_verify = true;
    return true;
}

static bool
control_dmarc_disable_verify(struct control_call *k)
{
    if (k->m != NULL)
        k->m->dmarc_disable_verify = true;
    return true;
}

static bool
control_dmarc_enable_forensic(struct control_call *k)
{
    if (k->m != NULL)
        k->m->dmarc_enable_forensic = true;
    return true;
}

/* Only the first recipient can ask for it. */
static bool
control_cutthrough(struct control_call *k)
{
    struct str o;
    const struct session *s = k->c->r->eval->session;
    if (k->m == NULL || s == NULL || s->rcpt_count > 1)
        return true;
    k->m->cutthrough = true;
    while (next_option(k, &o))
        if (str_eqz(o, "defer=pass"))
            k->m->cutthrough_defer_pass = true;
    return true;
}

static bool
control_downconvert(struct control_call *k)
{
    struct str o = STR_LIT("1");
    (void)next_option(k, &o);
    if (!str_eqz(o, "1") && !str_eqz(o, "0") && !str_eqz(o, "-1")) {
        (void)acl_error(k->c, "bad option value for control=utf8_downconvert");
        return false;
    }
    struct message *m = k->c->r->eval->message;
    if (m == NULL)
        return true;
    m->utf8_downconvert = str_eqz(o, "1");
    m->utf8_optional_downconvert = str_eqz(o, "-1");
    return true;
}

/* --- of the recipient --- */

static bool
set_case(struct control_call *k, bool caseful)
{
    struct address *a = k->c->r->eval->address;
    struct str local_part, domain;
    if (a == NULL)
        return true;
    struct str text =
        str_is_set(a->original_local_part) ? a->original_local_part : a->local_part;
    (void)domain;
    local_part = caseful ? text : str_lower(k->c->keep, text);
    a->local_part = local_part;
    return true;
}

static bool
control_caseful(struct control_call *k)
{
    return set_case(k, true);
}

static bool
control_caselower(struct control_call *k)
{
    return set_case(k, false);
}

/* --- of the connection --- */

static bool
set_sync(struct control_call *k, bool enforce)
{
    if (k->s == NULL)
        return true;
    k->s->sync_set = true;
    k->s->enforce_sync = enforce;
    return true;
}

static bool
control_enforce_sync(struct control_call *k)
{
    return set_sync(k, true);
}

static bool
control_no_enforce_sync(struct control_call *k)
{
    return set_sync(k, false);
}

#define SESSION_FLAG(name, field)                                                              \
    static bool control_##name(struct control_call *k)                                         \
    {                                                                                          \
        if (k->s != NULL)                                                                      \
            k->s->field = true;                                                                \
        return true;                                                                           \
    }
SESSION_FLAG(allow_auth, allow_auth_unadvertised)
SESSION_FLAG(no_callout_flush, no_callout_flush)
SESSION_FLAG(no_delay_flush, no_delay_flush)
SESSION_FLAG(no_multiline, no_multiline_responses)
SESSION_FLAG(no_pipelining, no_pipelining)

static bool
control_debug(struct control_call *k)
{
    const struct acl_up *up = k->c->r->up;
    return up == NULL || up->debug == NULL || up->debug(up->ctx, k->options);
}

/* A value that does not fit is told in the log and does no harm. */
static bool
control_dscp(struct control_call *k)
{
    const struct acl_up *up = k->c->r->up;
    struct str value, why = STR_EMPTY;
    if (!next_option(k, &value))
        return false;
    if (up != NULL && up->set_dscp != NULL && !up->set_dscp(up->peer_ctx, value, &why))
        acl_log(k->c->r, ACL_LOG_MAIN, "control=dscp/%.*s: %.*s", STR_ARG(value), STR_ARG(why));
    return true;
}

static bool
control_later(struct control_call *k)
{
    (void)acl_error(k->c, "this control is not available in this version of remex");
    return false;
}

/* --- by name --- */

static const struct {
    const char *name;
    control_fn *apply;
} functions[] = {
    {"allow_auth_unadvertised", control_allow_auth},
    {"caseful_local_part", control_caseful},
    {"caselower_local_part", control_caselower},
    {"cutthrough_delivery", control_cutthrough},
    {"debug", control_debug},
    {"dkim_disable_verify", control_dkim_disable_verify},
    {"dmarc_disable_verify", control_dmarc_disable_verify},
    {"dmarc_enable_forensic", control_dmarc_enable_forensic},
    {"dscp", control_dscp},
    {"enforce_sync", control_enforce_sync},
    {"fakedefer", control_fakedefer},
    {"fakereject", control_fakereject},
    {"freeze", control_freeze},
    {"no_callout_flush", control_no_callout_flush},
    {"no_delay_flush", control_no_delay_flush},
    {"no_enforce_sync", control_no_enforce_sync},
    {"no_mbox_unspool", control_no_mbox_unspool},
    {"no_multiline_responses", control_no_multiline},
    {"no_pipelining", control_no_pipelining},
    {"queue", control_queue},
    {"submission", control_submission},
    {"suppress_local_fixups", control_suppress_local_fixups},
    {"utf8_downconvert", control_downconvert},
    {"wellknown", control_later},
};

static control_fn *
function_of(struct str name)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (str_eqz(name, functions[i].name))
            return functions[i].apply;
    return NULL;
}

enum acl_test
acl_mod_control(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct eval *e = c->r->eval;
    (void)item;
    size_t slash = str_chr(arg, '/', 0);
    struct str name = str_sub(arg, 0, slash == STR_NPOS ? arg.n : slash);
    if (str_eqz(name, "queue_only")) /* its older name */
        name = STR_LIT("queue");
    const struct acl_control *row = acl_control_find(name);
    control_fn *apply = function_of(name);
    if (row == NULL || apply == NULL || (slash != STR_NPOS && !row->args))
        return acl_error(c, "syntax error in \"control=%.*s\"", STR_ARG(arg));
    if (!acl_phase_in(row->phases, c->phase))
        return acl_error(c, "cannot use \"control=%.*s\" in %.*s ACL", STR_ARG(row->name),
                         STR_ARG(acl_phase_title(c->phase)));
    struct control_call k = {
        .c = c,
        .m = e->message == NULL ? NULL : acl_message_of(e->message),
        .s = e->session == NULL ? NULL : acl_connection_of(e->session),
        .options = slash == STR_NPOS ? STR_EMPTY : str_sub(arg, slash, arg.n),
    };
    c->log = STR_NULL;
    if (apply(&k))
        return ACL_TEST_TRUE;
    if (str_is_set(c->log))
        return ACL_TEST_ERROR;
    return acl_error(c, "syntax error in \"control=%.*s\"", STR_ARG(arg));
}
