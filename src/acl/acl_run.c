/* The evaluation of ACLs: statements in order, verbs, what their messages become.
 *
 * A statement stops at the first condition that does not hold. Texts for the peer and for the log are expanded when the statement's
 * outcome is known, so that they see what conditions found. Source: specification, "ACL verbs", "Condition and modifier
 * processing".
 */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/escape.h"
#include "base/map.h"
#include "conf/main_options.h"
#include "sys/log_selector.h"

#include <stdarg.h>
#include <stdio.h>

/* --- what conditions need --- */

struct arena *
acl_keep(const struct acl_runner *r)
{
    const struct eval *e = r->eval;
    if (e->message != NULL && e->message->arena != NULL)
        return e->message->arena;
    if (e->session != NULL && e->session->arena != NULL)
        return e->session->arena;
    return r->arena;
}

enum acl_test
acl_defer(struct acl_call *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    c->log = str_vprintf(c->keep, fmt, ap);
    va_end(ap);
    return ACL_TEST_DEFER;
}

enum acl_test
acl_error(struct acl_call *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    c->log = str_vprintf(c->keep, fmt, ap);
    va_end(ap);
    return ACL_TEST_ERROR;
}

enum acl_test
acl_test_of(enum outcome o)
{
    switch (o) {
    case OUT_OK:
        return ACL_TEST_TRUE;
    case OUT_DEFER:
        return ACL_TEST_DEFER;
    case OUT_ERROR:
        return ACL_TEST_ERROR;
    case OUT_DECLINE:
    case OUT_PASS:
    case OUT_FAIL:
        break;
    }
    return ACL_TEST_FALSE;
}

/* Without anybody above, the host's log takes lines for main and panic log. */
void
acl_log(struct acl_runner *r, unsigned to, const char *fmt, ...)
{
    struct arena *a = arena_new();
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(a, fmt, ap);
    va_end(ap);
    const struct host *h = vm_host(r->vm);
    if (r->up != NULL)
        r->up->log(r->up->ctx, to, text);
    else if (h->log != NULL)
        h->log(vm_env(r->vm), (to & ACL_LOG_PANIC) != 0, text);
    arena_free(a);
}

bool
acl_selected(const struct acl_runner *r, int selector)
{
    if (r->up != NULL)
        return r->up->selected(r->up->ctx, selector);
    return log_selector_has(log_selector_default(), (enum log_selector)selector);
}

/* Who the peer is, with a blank behind it, or nothing. */
struct str
acl_peer(const struct acl_runner *r)
{
    struct arena *a = vm_scratch(r->vm);
    struct str s = r->up == NULL ? STR_EMPTY : r->up->peer(r->up->ctx, a);
    return s.n == 0 ? STR_EMPTY : str_cat(a, s, STR_LIT(" "));
}

/* --- names of phases --- */

struct str
acl_phase_title(enum acl_phase p)
{
    static const struct str titles[ACL_PHASES] = {
        [ACL_PHASE_ATRN] = STR_INIT("ATRN"),
        [ACL_PHASE_AUTH] = STR_INIT("AUTH"),
        [ACL_PHASE_CONNECT] = STR_INIT("connection"),
        [ACL_PHASE_DATA] = STR_INIT("DATA"),
        [ACL_PHASE_DKIM] = STR_INIT("DKIM"),
        [ACL_PHASE_ETRN] = STR_INIT("ETRN"),
        [ACL_PHASE_EXPN] = STR_INIT("EXPN"),
        [ACL_PHASE_HELO] = STR_INIT("EHLO or HELO"),
        [ACL_PHASE_MAIL] = STR_INIT("MAIL"),
        [ACL_PHASE_MAILAUTH] = STR_INIT("MAILAUTH"),
        [ACL_PHASE_MIME] = STR_INIT("MIME"),
        [ACL_PHASE_NOTQUIT] = STR_INIT("not-QUIT"),
        [ACL_PHASE_NOTSMTP] = STR_INIT("non-SMTP"),
        [ACL_PHASE_NOTSMTP_MIME] = STR_INIT("non-SMTP MIME"),
        [ACL_PHASE_NOTSMTP_START] = STR_INIT("non-SMTP-start"),
        [ACL_PHASE_PRDR] = STR_INIT("PRDR"),
        [ACL_PHASE_PREDATA] = STR_INIT("PREDATA"),
        [ACL_PHASE_QUIT] = STR_INIT("QUIT"),
        [ACL_PHASE_RCPT] = STR_INIT("RCPT"),
        [ACL_PHASE_STARTTLS] = STR_INIT("STARTTLS"),
        [ACL_PHASE_VRFY] = STR_INIT("VRFY"),
        [ACL_PHASE_WELLKNOWN] = STR_INIT("WELLKNOWN"),
        [ACL_PHASE_UNKNOWN] = STR_INIT("unknown"),
    };
    return titles[p];
}

/* --- arguments --- */

static acl_item_fn *const items[ACL_WORDS] = {
    [ACL_COND_ACL] = acl_cond_acl,
    [ACL_COND_ATRN_DOMAINS] = acl_cond_atrn_domains,
    [ACL_COND_AUTHENTICATED] = acl_cond_authenticated,
    [ACL_COND_CONDITION] = acl_cond_condition,
    [ACL_COND_DCC] = acl_cond_later,
    [ACL_COND_DECODE] = acl_cond_decode,
    [ACL_COND_DMARC_STATUS] = acl_cond_dmarc_status,
    [ACL_COND_DKIM_SIGNERS] = acl_cond_dkim_signers,
    [ACL_COND_DKIM_STATUS] = acl_cond_dkim_status,
    [ACL_COND_DNSLISTS] = acl_cond_dnslists,
    [ACL_COND_DOMAINS] = acl_cond_domains,
    [ACL_COND_ENCRYPTED] = acl_cond_encrypted,
    [ACL_COND_HOSTS] = acl_cond_hosts,
    [ACL_COND_LOCAL_PARTS] = acl_cond_local_parts,
    [ACL_COND_MALWARE] = acl_cond_malware,
    [ACL_COND_MIME_REGEX] = acl_cond_mime_regex,
    [ACL_COND_RATELIMIT] = acl_cond_ratelimit,
    [ACL_COND_RECIPIENTS] = acl_cond_recipients,
    [ACL_COND_REGEX] = acl_cond_regex,
    [ACL_COND_SEEN] = acl_cond_seen,
    [ACL_COND_SENDER_DOMAINS] = acl_cond_sender_domains,
    [ACL_COND_SENDERS] = acl_cond_senders,
    [ACL_COND_SPAM] = acl_cond_spam,
    [ACL_COND_SPF] = acl_cond_spf,
    [ACL_COND_SPF_GUESS] = acl_cond_spf_guess,
    [ACL_COND_VERIFY] = acl_cond_verify,
    [ACL_MOD_ADD_HEADER] = acl_mod_add_header,
    [ACL_MOD_CONTINUE] = acl_mod_continue,
    [ACL_MOD_CONTROL] = acl_mod_control,
    [ACL_MOD_DELAY] = acl_mod_delay,
    [ACL_MOD_LOG_REJECT_TARGET] = acl_mod_log_reject_target,
    [ACL_MOD_LOGWRITE] = acl_mod_logwrite,
    [ACL_MOD_QUEUE] = acl_mod_queue,
    [ACL_MOD_REMOVE_HEADER] = acl_mod_remove_header,
    [ACL_MOD_SET] = acl_mod_set,
    [ACL_MOD_UDPSEND] = acl_mod_udpsend,
};

/* Conditions that are lists: what cannot be expanded does not match, and is told in the log. */
static bool
is_list(enum acl_word_id w)
{
    switch ((int)w) {
    case ACL_COND_AUTHENTICATED:
    case ACL_COND_DOMAINS:
    case ACL_COND_ENCRYPTED:
    case ACL_COND_HOSTS:
    case ACL_COND_LOCAL_PARTS:
    case ACL_COND_RECIPIENTS:
    case ACL_COND_SENDER_DOMAINS:
    case ACL_COND_SENDERS:
        return true;
    default:
        return false;
    }
}

static enum vm_status
expand(const struct acl_call *c, const struct acl_code *code, struct str *out)
{
    if (code->code != NULL)
        return vm_expand_code(c->r->vm, code->code, out);
    return vm_expand(c->r->vm, code->item->arg.text, out);
}

static enum acl_test
list_not_expanded(struct acl_call *c, const struct acl_item *item, enum vm_status st)
{
    if (st == VM_FORCED)
        return ACL_TEST_FALSE;
    struct str why = str_dup(c->keep, vm_error(c->r->vm));
    acl_log(c->r, ACL_LOG_MAIN | ACL_LOG_PANIC,
            "failed to expand \"%.*s\" while checking a list: %.*s", STR_ARG(item->arg.text),
            STR_ARG(why));
    c->log = why;
    return ACL_TEST_DEFER;
}

static enum acl_test
not_expanded(struct acl_call *c, struct str text, enum vm_status st)
{
    if (st == VM_FORCED)
        return ACL_TEST_TRUE;
    (void)acl_error(c, "failed to expand ACL string \"%.*s\": %.*s", STR_ARG(text),
                    STR_ARG(vm_error(c->r->vm)));
    return st == VM_DEFER ? ACL_TEST_DEFER : ACL_TEST_ERROR;
}

static enum acl_test
negate(enum acl_test t)
{
    if (t == ACL_TEST_TRUE)
        return ACL_TEST_FALSE;
    return t == ACL_TEST_FALSE || t == ACL_TEST_DROP ? ACL_TEST_TRUE : t;
}

/* A condition or modifier that has a function. */
static enum acl_test
evaluate(struct acl_call *c, const struct acl_code *code)
{
    const struct acl_item *item = code->item;
    const struct acl_word *row = acl_word_row(item->word);
    if (!acl_phase_in(row->phases, c->phase))
        return acl_error(c, "cannot %s %.*s condition in %.*s ACL",
                         row->modifier ? "use" : "test", STR_ARG(row->name),
                         STR_ARG(acl_phase_title(c->phase)));
    struct str arg = item->arg.text;
    enum acl_test t;
    enum vm_status st = VM_OK;
    if (item->word != ACL_COND_ACL)
        st = expand(c, code, &arg);
    if (st == VM_OK)
        t = items[item->word](c, item, arg);
    else if (is_list(item->word))
        t = list_not_expanded(c, item, st);
    else
        return not_expanded(c, item->arg.text, st); /* forced: ignored, negated or not */
    return item->negated ? negate(t) : t;
}

static enum acl_test
item_test(struct acl_call *c, const struct acl_code *code)
{
    switch ((int)code->item->word) {
    case ACL_MOD_MESSAGE:
        c->message = code;
        return ACL_TEST_TRUE;
    case ACL_MOD_LOG_MESSAGE:
        c->log_message = code;
        return ACL_TEST_TRUE;
    case ACL_MOD_ENDPASS:
        c->endpass = true;
        return ACL_TEST_TRUE;
    default:
        return evaluate(c, code);
    }
}

/* --- messages --- */

static void
set_verify_message(const struct acl_call *c, struct str text)
{
    if (c->r->eval->session != NULL)
        c->r->eval->session->acl_verify_message = text;
}

/* Whether message and log_message are meant for this outcome of the statement. */
static bool
is_told(const struct acl_call *c, enum acl_test t)
{
    bool failed = t == ACL_TEST_FALSE || t == ACL_TEST_DROP;
    switch (c->verb) {
    case ACL_VERB_ACCEPT:
        return c->endpass ? failed : t == ACL_TEST_TRUE;
    case ACL_VERB_DISCARD:
        return failed || t == ACL_TEST_TRUE;
    case ACL_VERB_REQUIRE:
        return failed;
    case ACL_VERB_DEFER:
    case ACL_VERB_DENY:
    case ACL_VERB_DROP:
    case ACL_VERB_WARN:
    case ACL_VERBS:
        break;
    }
    return t == ACL_TEST_TRUE;
}

/* Expands a message. False: there is none, or it is empty or faulty. */
static bool
expand_message(struct acl_call *c, const struct acl_code *m, struct str *out)
{
    if (m == NULL)
        return false;
    if (str_is_set(c->user))
        set_verify_message(c, c->user);
    enum vm_status st = expand(c, m, out);
    if (st == VM_OK && out->n > 0) {
        *out = str_dup(c->keep, *out);
        return true;
    }
    if (st == VM_ERROR || st == VM_DEFER)
        acl_log(c->r, ACL_LOG_MAIN | ACL_LOG_PANIC,
                "failed to expand ACL message \"%.*s\": %.*s", STR_ARG(m->item->arg.text),
                STR_ARG(vm_error(c->r->vm)));
    return false;
}

/* The log text adds to what a condition has said; the peer's text replaces it. */
static void
make_messages(struct acl_call *c, enum acl_test t)
{
    struct str text;
    if (is_told(c, t)) {
        struct str user = c->user;
        if (expand_message(c, c->message, &text))
            user = text;
        if (expand_message(c, c->log_message, &text))
            c->log = str_is_set(c->log)
                         ? str_printf(c->keep, "%.*s: %.*s", STR_ARG(text), STR_ARG(c->log))
                         : text;
        c->user = user;
        if (!str_is_set(c->log))
            c->log = c->user;
    }
    set_verify_message(c, STR_NULL);
}

/* --- warn --- */

static bool
was_warned(struct acl_message *m, struct arena *a, struct str line)
{
    for (size_t i = 0; i < m->warned.n; i++)
        if (str_eq(m->warned.v[i], line))
            return true;
    vec_push(a, &m->warned, str_dup(a, line));
    return false;
}

/* All conditions of a warn statement are true. */
static void
warn(struct acl_call *c)
{
    struct acl_runner *r = c->r;
    struct message *m = r->eval->message;
    if (c->log_message != NULL && str_is_set(c->log) && !(c->log.p == c->user.p)) {
        struct str line = str_printf(vm_scratch(r->vm), "%.*sWarning: %.*s",
                                     STR_ARG(acl_peer(r)), STR_ARG(c->log));
        if (m == NULL || !was_warned(acl_message_of(m), m->arena, line))
            acl_log(r, ACL_LOG_MAIN, "%.*s", STR_ARG(line));
    }
    if (c->message == NULL || !str_is_set(c->user))
        return;
    bool early = c->phase == ACL_PHASE_NOTSMTP_START; /* there is add_header for that */
    if (acl_phase_in(acl_word_row(ACL_MOD_ADD_HEADER)->phases, c->phase) && m != NULL && !early)
        acl_add_headers(c, c->user);
    else
        acl_log(
            r, ACL_LOG_MAIN | ACL_LOG_PANIC,
            "ACL \"warn\" with \"message\" setting found in a non-message (%.*s) ACL: cannot "
            "specify header lines here: message ignored",
            STR_ARG(acl_phase_title(c->phase)));
}

static void
warn_skipped(struct acl_call *c)
{
    if (acl_selected(c->r, LOG_SELECTOR_ACL_WARN_SKIPPED))
        acl_log(c->r, ACL_LOG_MAIN,
                "%.*sWarning: ACL \"warn\" statement skipped: condition test deferred%s%.*s",
                STR_ARG(acl_peer(c->r)), str_is_set(c->log) ? ": " : "", STR_ARG(c->log));
}

/* --- statements --- */

/* A statement's end: true when the ACL ends with it. */
static bool
decide(struct acl_call *c, enum acl_test t, enum acl_result *out)
{
    bool failed = t == ACL_TEST_FALSE || t == ACL_TEST_DROP;
    enum acl_result denied = t == ACL_TEST_DROP ? ACL_DROP : ACL_DENY;
    bool ends = t == ACL_TEST_TRUE;
    if (t == ACL_TEST_ERROR || (t == ACL_TEST_DEFER && c->verb != ACL_VERB_WARN)) {
        *out = t == ACL_TEST_ERROR ? ACL_ERROR : ACL_DEFER;
        return true;
    }
    switch (c->verb) {
    case ACL_VERB_ACCEPT:
    case ACL_VERB_DISCARD:
        *out = failed                                                 ? denied
               : c->verb == ACL_VERB_DISCARD || t == ACL_TEST_DISCARD ? ACL_DISCARD
                                                                      : ACL_ACCEPT;
        return ends || t == ACL_TEST_DISCARD || (failed && c->endpass);
    case ACL_VERB_DEFER:
        *out = ACL_DEFER;
        c->r->answer->details = ends;
        return ends;
    case ACL_VERB_DENY:
        *out = ACL_DENY;
        return ends;
    case ACL_VERB_DROP:
        *out = ACL_DROP;
        return ends;
    case ACL_VERB_REQUIRE:
        *out = denied;
        return failed;
    case ACL_VERB_WARN:
        if (ends)
            warn(c);
        else if (t == ACL_TEST_DEFER)
            warn_skipped(c);
        return false;
    case ACL_VERBS:
        break;
    }
    return false;
}

static const char *const test_words[] = {
    [ACL_TEST_TRUE] = "succeeded",       [ACL_TEST_FALSE] = "failed",
    [ACL_TEST_DEFER] = "deferred",       [ACL_TEST_ERROR] = "cannot be made",
    [ACL_TEST_DISCARD] = "says discard", [ACL_TEST_DROP] = "says drop",
};

/* A line for control = debug. */
static void trace(const struct acl_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
trace(const struct acl_call *c, const char *fmt, ...)
{
    const struct acl_up *up = c->r->up;
    const struct session *s = c->r->eval->session;
    if (s == NULL || s->debug_log == NULL || up == NULL || up->trace == NULL)
        return;
    struct arena *a = arena_new();
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(a, fmt, ap);
    va_end(ap);
    up->trace(up->ctx, text);
    arena_free(a);
}

static void
trace_item(const struct acl_call *c, const struct acl_item *item)
{
    trace(c, "check %s%.*s = %.*s", item->negated ? "!" : "",
          STR_ARG(acl_word_row(item->word)->name), STR_ARG(item->arg.text));
}

static bool
run_statement(struct acl_call *c, const struct acl_program *p, size_t s, enum acl_result *out)
{
    const struct acl_statement *st = &p->acl->statements.v[s];
    struct acl_runner *r = c->r;
    c->verb = st->verb;
    c->message = c->log_message = NULL;
    c->user = c->log = STR_NULL;
    c->endpass = false;
    enum acl_test t = ACL_TEST_TRUE;
    trace(c, "processing \"%.*s\" (%.*s)", STR_ARG(acl_verb_name(st->verb)),
          STR_ARG(acl_phase_title(c->phase)));
    for (size_t i = 0; i < st->items.n && t == ACL_TEST_TRUE; i++) {
        trace_item(c, &st->items.v[i]);
        t = item_test(c, &p->codes[s][i]);
    }
    trace(c, "%.*s: condition test %s", STR_ARG(acl_verb_name(st->verb)), test_words[t]);
    make_messages(c, t);
    if (r->eval->session != NULL)
        r->eval->session->sender_address_data = STR_NULL;
    return decide(c, t, out);
}

static enum acl_result
run_program(struct acl_call *c, const struct acl_program *p)
{
    struct acl_runner *r = c->r;
    struct arena_mark mark = arena_mark(vm_scratch(r->vm));
    for (size_t s = 0; s < p->acl->statements.n; s++) {
        enum acl_result out = ACL_DENY;
        c->decided = run_statement(c, p, s, &out);
        if (c->decided)
            return out;
        if (r->inside == 0)
            vm_release(r->vm, mark);
        if (c->verb == ACL_VERB_WARN)
            c->user = c->log = STR_NULL;
    }
    return ACL_DENY; /* what the last statement's conditions have said is the reason */
}

/* Runs the ACL that a text means; its messages are in c. */
static enum acl_result
run_text(struct acl_call *c, struct str text)
{
    struct acl_runner *r = c->r;
    struct str error = STR_EMPTY;
    if (r->depth >= ACL_DEPTH_MAX) {
        (void)acl_error(c, "ACL nested too deep: possible loop");
        return ACL_ERROR;
    }
    const struct acl_program *p = acl_find_program(r, text, &error);
    if (p == NULL) {
        (void)acl_error(c, "%.*s", STR_ARG(error));
        return ACL_ERROR;
    }
    r->depth++;
    enum acl_result res = run_program(c, p);
    r->depth--;
    return res;
}

/* --- the conditions acl and condition --- */

enum acl_test
acl_run_text(struct acl_call *outer, struct str text)
{
    static const enum acl_test tests[] = {
        [ACL_ACCEPT] = ACL_TEST_TRUE, [ACL_DENY] = ACL_TEST_FALSE,
        [ACL_DEFER] = ACL_TEST_DEFER, [ACL_DISCARD] = ACL_TEST_DISCARD,
        [ACL_DROP] = ACL_TEST_DROP,   [ACL_ERROR] = ACL_TEST_ERROR,
    };
    struct acl_call c = {.r = outer->r, .keep = outer->keep, .phase = outer->phase};
    c.user = c.log = STR_NULL;
    enum acl_test t = tests[run_text(&c, text)];
    if (str_is_set(c.user))
        outer->user = c.user;
    if (str_is_set(c.log))
        outer->log = c.log;
    return t;
}

/* Arguments of an ACL, put aside while another one runs. */
struct saved_args {
    struct str args[ACL_ARGS_MAX];
    int64_t n;
};

static void
swap_args(struct session *s, const struct saved_args *now, struct saved_args *before)
{
    if (s == NULL)
        return;
    before->n = s->acl_narg;
    for (size_t i = 0; i < ACL_ARGS_MAX; i++) {
        before->args[i] = s->acl_args[i];
        s->acl_args[i] = i < (size_t)now->n ? now->args[i] : STR_NULL;
    }
    s->acl_narg = now->n;
}

static void
restore_args(struct session *s, const struct saved_args *before)
{
    if (s == NULL)
        return;
    s->acl_narg = before->n;
    memcpy(s->acl_args, before->args, sizeof s->acl_args);
}

/* The next word, or the inside of quotes. False: there is none. */
static bool
next_word(struct arena *a, struct str *rest, struct str *word)
{
    size_t n = 0;
    *rest = str_trim_left(*rest);
    if (rest->n == 0)
        return false;
    if (rest->p[0] == '"') {
        *word = escape_quoted_word(a, *rest, &n);
    } else {
        while (n < rest->n && !ascii_space(rest->p[n]))
            n++;
        *word = str_sub(*rest, 0, n);
    }
    *rest = str_sub(*rest, n, rest->n);
    return true;
}

enum acl_test
acl_cond_acl(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct vm *vm = c->r->vm;
    struct str rest = arg, name = STR_EMPTY, word = STR_EMPTY;
    struct saved_args args = {.n = 0}, before;
    struct arena *a = vm_scratch(vm);
    (void)item;
    (void)next_word(a, &rest, &word);
    enum vm_status st = vm_expand(vm, word, &name);
    while (st == VM_OK && args.n < ACL_ARGS_MAX && next_word(a, &rest, &word))
        st = vm_expand(vm, word, &args.args[args.n++]);
    if (st != VM_OK)
        return not_expanded(c, word, st);
    swap_args(c->r->eval->session, &args, &before);
    enum acl_test t = acl_run_text(c, name);
    restore_args(c->r->eval->session, &before);
    if (t != ACL_TEST_DISCARD || c->verb == ACL_VERB_ACCEPT || c->verb == ACL_VERB_DISCARD)
        return t;
    return acl_error(c,
                     "nested ACL returned \"discard\" for \"%.*s\" command (only allowed with "
                     "\"accept\" or \"discard\")",
                     STR_ARG(acl_verb_name(c->verb)));
}

enum acl_test
acl_cond_condition(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)item;
    bool minus = arg.n > 1 && arg.p[0] == '-';
    bool digits = arg.n > 0;
    bool zero = true;
    for (uint32_t i = minus ? 1 : 0; i < arg.n; i++) {
        digits = digits && ascii_digit(arg.p[i]);
        zero = zero && arg.p[i] == '0';
    }
    if (arg.n == 0 || str_ieqz(arg, "no") || str_ieqz(arg, "false") || (digits && zero))
        return ACL_TEST_FALSE;
    if (digits || str_ieqz(arg, "yes") || str_ieqz(arg, "true"))
        return ACL_TEST_TRUE;
    return acl_defer(c, "invalid \"condition\" value \"%.*s\"", STR_ARG(arg));
}

/* --- entries --- */

struct acl_runner *
acl_runner_new(struct arena *a, struct eval *e, struct vm *vm)
{
    struct acl_runner *r = ARENA_NEW(a, struct acl_runner);
    r->arena = a;
    r->eval = e;
    r->vm = vm;
    r->by_text = map_new(a, MAP_CASEFUL);
    r->phase = ACL_PHASE_UNKNOWN;
    return r;
}

void
acl_runner_set_hints(struct acl_runner *r, struct hints *h)
{
    r->hints = h;
}

void
acl_runner_set_up(struct acl_runner *r, const struct acl_up *up)
{
    r->up = up;
}

/* Discarding is for what receives messages; PREDATA is too early for all recipients and too late for one. */
static bool
may_discard(enum acl_phase phase)
{
    return acl_verb_in(ACL_VERB_DISCARD, phase) && phase != ACL_PHASE_PREDATA;
}

/* A session that ends cannot be refused. */
static bool
may_end_so(enum acl_phase phase, const struct acl_call *c, enum acl_result result)
{
    bool quit = phase == ACL_PHASE_QUIT || phase == ACL_PHASE_NOTQUIT;
    return !quit || !c->decided || c->r->inside > 0 || result == ACL_ACCEPT ||
           result == ACL_ERROR;
}

/* A run that nobody else's is part of. */
static void
run_top(struct acl_runner *r, enum acl_phase phase, struct str text, struct acl_answer *out)
{
    struct acl_answer *outer = r->answer;
    enum acl_phase before = r->phase;
    struct acl_call c = {.r = r, .keep = acl_keep(r), .phase = phase};
    c.user = c.log = STR_NULL;
    r->answer = out;
    r->phase = phase;
    out->result = run_text(&c, text);
    if (out->result == ACL_DISCARD && !may_discard(phase)) {
        acl_log(r, ACL_LOG_MAIN | ACL_LOG_PANIC, "\"discard\" verb not allowed in %.*s ACL",
                STR_ARG(acl_phase_title(phase)));
        out->result = ACL_ERROR;
    }
    if (!may_end_so(phase, &c, out->result)) {
        (void)acl_error(&c,
                        "QUIT or not-QUIT toplevel ACL may not fail ('%.*s' verb used "
                        "incorrectly)",
                        STR_ARG(acl_verb_name(c.verb)));
        out->result = ACL_ERROR;
    }
    r->phase = before;
    r->answer = outer;
    out->message = c.user;
    out->log_message = c.log;
}

static struct acl_answer
fresh_answer(void)
{
    return (struct acl_answer){
        .result = ACL_DENY,
        .message = STR_NULL,
        .log_message = STR_NULL,
        .log_to = ACL_LOG_MAIN | ACL_LOG_REJECT,
        .sender = STR_NULL,
    };
}

static void
no_acl(enum acl_phase phase, struct acl_answer *out)
{
    out->is_default = true;
    out->result = acl_phase_row(phase)->unset == ACL_UNSET_DENY ? ACL_DENY : ACL_ACCEPT;
}

void
acl_run(struct acl_runner *r, enum acl_phase phase, const struct xstr *option,
        struct acl_answer *out)
{
    *out = fresh_answer();
    struct str text = STR_EMPTY;
    enum vm_status st = VM_FORCED;
    struct arena_mark mark = arena_mark(vm_scratch(r->vm));
    if (str_is_set(option->text))
        st = vm_expand_x(r->vm, option, &text);
    if (st == VM_FORCED || (st == VM_OK && str_trim(text).n == 0)) {
        no_acl(phase, out);
    } else if (st == VM_OK) {
        run_top(r, phase, text, out);
    } else {
        out->result = st == VM_DEFER ? ACL_DEFER : ACL_ERROR;
        out->log_message = str_printf(acl_keep(r), "failed to expand ACL string \"%.*s\": %.*s",
                                      STR_ARG(option->text), STR_ARG(vm_error(r->vm)));
    }
    if (r->inside == 0)
        vm_release(r->vm, mark);
}

void
acl_run_phase(struct acl_runner *r, enum acl_phase phase, struct acl_answer *out)
{
    const struct xstr *option = acl_phase_option(r->eval->conf, phase);
    static const struct xstr none = {.text = {NULL, 0, STR_CLEAN}};
    acl_run(r, phase, option != NULL ? option : &none, out);
}

const struct xstr *
acl_phase_option(const struct conf *c, enum acl_phase phase)
{
    const struct acl_phase_row *row = acl_phase_row(phase);
    int at = row->option.n == 0 ? -1 : opt_find(&conf_main_opts, row->option);
    if (at < 0 || c == NULL || c->main == NULL)
        return NULL;
    const char *field = (const char *)c->main + conf_main_opts.rows[at].offset;
    return (const struct xstr *)(const void *)field;
}

/* ${acl: accept and deny give the message; a deferral is a forced failure. */
enum vm_status
acl_host_call(void *env, struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    const struct eval *e = env;
    struct acl_runner *r = e->acls;
    struct acl_answer a = fresh_answer();
    struct saved_args args = {.n = 0}, before;
    if (r == NULL)
        return vm_fail(vm, "ERROR from acl \"%.*s\"", STR_ARG(argv[0]));
    for (unsigned i = 1; i < argc && i <= ACL_ARGS_MAX; i++)
        args.args[args.n++] = argv[i];
    swap_args(e->session, &args, &before);
    r->inside++;
    run_top(r, r->phase, argv[0], &a);
    r->inside--;
    restore_args(e->session, &before);
    *out = str_is_set(a.message) ? a.message : STR_EMPTY;
    vm_set_value(vm, *out); /* of the condition */
    switch (a.result) {
    case ACL_ACCEPT:
        return VM_OK;
    case ACL_DENY:
        return VM_NO;
    case ACL_DEFER:
        (void)vm_fail(vm, "DEFER from acl \"%.*s\"", STR_ARG(argv[0]));
        return VM_FORCED;
    case ACL_DISCARD:
    case ACL_DROP:
    case ACL_ERROR:
        break;
    }
    return vm_fail(vm, "%s from acl \"%.*s\"",
                   a.result == ACL_DISCARD ? "DISCARD"
                   : a.result == ACL_DROP  ? "DROP"
                                           : "ERROR",
                   STR_ARG(argv[0]));
}
