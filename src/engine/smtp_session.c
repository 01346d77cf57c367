/* The session itself: commands in turn, limits, end. See smtp_session.h; how it begins: smtp_start.c. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "conf/list.h"
#include "engine/debug_log.h"
#include "engine/lane.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/policy.h"
#include "scanners/scan_message.h"
#include "sys/await.h"

#include <stdarg.h>
#include <string.h>

enum {
    NONMAIL = 1u << 0,
    FREE_ONCE = 1u << 1,
    PIPELINED = 1u << 2,
    BATCH = 1u << 3,
    CHUNK = 1u << 4,
};

static const struct {
    struct str name;
    unsigned flags;
    smtp_do_fn *run;
} verbs[] = {
#define VERB(NAME, name, flags, function, doc) {STR_INIT(name), flags, function},
#include "engine/smtp_verbs.def"
#undef VERB
};

struct str
smtp_verb_word(enum smtp_verb_id v)
{
    static const struct str words[] = {
#define VERB(NAME, name, flags, function, doc) STR_INIT(#NAME),
#include "engine/smtp_verbs.def"
#undef VERB
        STR_INIT("?"),
    };
    return words[v];
}

/* --- helpers of all files --- */

/* Asks a list of the configuration. */
static enum outcome
is_in(struct smtp_session *s, const struct xstr *list, struct list_question *q,
      const char *name)
{
    struct vm *vm = s->engine->vm;
    struct list_answer a;
    if (!str_is_set(list->text))
        return OUT_FAIL;
    struct arena_mark mark = arena_mark(vm_scratch(vm));
    q->what = str_from_cstr(name);
    enum outcome o = OUT_DEFER;
    enum vm_status st = vm_expand_x(vm, list, &q->list);
    if (st == VM_FORCED)
        o = OUT_FAIL;
    else if (st == VM_OK)
        o = list_match(s->engine->eval, vm, q, &a);
    vm_release(vm, mark);
    return o == OUT_OK || o == OUT_FAIL ? o : OUT_DEFER;
}

/* What cannot be told is a no. */
bool
smtp_host_in(struct smtp_session *s, const struct xstr *list, const char *name)
{
    struct list_question q = {.kind = LIST_HOST, .subject = STR_EMPTY, .host_name = STR_NULL};
    if (!s->local) {
        q.subject = s->model->sender_host_address;
        q.host_name = str_is_set(s->model->sender_host_names) ? s->model->sender_host_names
                                                              : s->model->sender_host_name;
    }
    return is_in(s, list, &q, name) == OUT_OK;
}

enum outcome
smtp_domain_in(struct smtp_session *s, const struct xstr *list, struct str domain,
               const char *name)
{
    struct list_question q = {.kind = LIST_DOMAIN, .subject = domain, .host_name = STR_NULL};
    return is_in(s, list, &q, name);
}

int64_t
smtp_option_number(struct smtp_session *s, const struct xstr *x, const char *name,
                   int64_t otherwise)
{
    struct vm *vm = s->engine->vm;
    struct str text;
    int64_t n = otherwise;
    size_t at = 0;
    struct arena_mark mark = arena_mark(vm_scratch(vm));
    if (!str_is_set(x->text))
        return otherwise;
    enum vm_status st = vm_expand_x(vm, x, &text);
    if (st == VM_OK)
        text = str_trim(text);
    if (st != VM_OK)
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC, "failed to expand %s: %.*s", name,
                 STR_ARG(vm_error(vm)));
    else if (text.n > 0 &&
             (num_scan(text, &at, NUM_OCTAL_HEX | NUM_SUFFIX, &n) != NUM_OK || at != text.n)) {
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC, "bad value of %s: \"%.*s\"", name,
                 STR_ARG(text));
        n = otherwise;
    }
    vm_release(vm, mark);
    return n;
}

void
smtp_log(struct smtp_session *s, unsigned to, const char *fmt, ...)
{
    struct arena *a = arena_new();
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(a, fmt, ap);
    va_end(ap);
    if ((to & MAILLOG_REJECT) != 0 && s->chunks.on) /* a message is under way */
        maillog_reject(s->engine, to | MAILLOG_UNDER_WAY, STR_NULL, text);
    else
        maillog_line(s->engine, to, STR_NULL, text);
    arena_free(a);
}

struct str
smtp_peer(struct smtp_session *s, bool fields)
{
    return peer_text(s->message_arena, s->engine, fields);
}

struct str
smtp_duration(struct smtp_session *s, struct arena *a)
{
    int64_t ms = await_now_ms() - s->start_ms;
    struct buf b = buf_in(a, 0);
    buf_addz(&b, " D=");
    if (maillog_selected(s->engine, LOG_SELECTOR_MILLISEC))
        buf_printf(&b, "%lld.%03llds", (long long)(ms / 1000), (long long)(ms % 1000));
    else
        num_add_interval(&b, ms / 1000);
    return buf_str(&b);
}

/* Waits, but no longer than the peer does. */
void
smtp_wait(struct smtp_session *s, int64_t ms)
{
    int64_t until = await_now_ms() + ms;
    for (int64_t left = ms; left > 0 && !smtp_io_has_hung_up(s->io, left);)
        left = until - await_now_ms();
}

void
smtp_incomplete(struct smtp_session *s, const char *how)
{
    const struct message *m = s->message;
    if (!s->sender_given || s->batch ||
        !maillog_selected(s->engine, LOG_SELECTOR_SMTP_INCOMPLETE_TRANSACTION))
        return;
    struct buf b = buf_in(s->message_arena, 0);
    struct str peer = smtp_peer(s, true);
    buf_printf(&b, "%.*s%sincomplete transaction (%s) from <%.*s>", STR_ARG(peer),
               peer.n > 0 ? " " : "", how, STR_ARG(m->sender));
    for (size_t i = 0; i < m->recipients.n; i++)
        buf_printf(&b, "%s%.*s", i == 0 ? " for " : " ", STR_ARG(m->recipients.v[i].address));
    maillog_line(s->engine, MAILLOG_MAIN, STR_NULL, buf_str(&b));
}

static bool
is_connection_logged(struct smtp_session *s)
{
    if (s->batch || !maillog_selected(s->engine, LOG_SELECTOR_SMTP_CONNECTION))
        return false;
    return s->setup->connections == 0 ||
           !smtp_host_in(s, &s->main->hosts_connection_nolog, "hosts_connection_nolog");
}

void
smtp_log_connection(struct smtp_session *s, const char *what)
{
    if (!is_connection_logged(s))
        return;
    bool caller = !s->setup->socket && !s->test;
    smtp_log(s, MAILLOG_MAIN, "%.*s%s",
             STR_ARG(peer_connection_text(s->message_arena, s->engine,
                                          caller ? s->engine->caller.login : STR_NULL)),
             what);
}

void
smtp_log_accepted(struct smtp_session *s)
{
    struct str how = STR_LIT(" (via inetd)");
    if (s->setup->connections > 0)
        how = str_printf(s->message_arena, " (TCP/IP connection count = %lld)",
                         (long long)s->setup->connections);
    if (is_connection_logged(s))
        smtp_log(s, MAILLOG_MAIN, "SMTP connection from %.*s%.*s", STR_ARG(smtp_peer(s, false)),
                 STR_ARG(how));
}

/* --- history --- */

static void
note_history(struct smtp_session *s, enum smtp_verb_id v)
{
    s->history[s->history_n++ % SMTP_HISTORY] = v;
}

static struct str
history_list(struct smtp_session *s, struct arena *a)
{
    struct buf b = buf_in(a, 0);
    size_t from = s->history_n > SMTP_HISTORY ? s->history_n - SMTP_HISTORY : 0;
    for (size_t i = from; i < s->history_n; i++) {
        if (i > from)
            buf_addc(&b, ',');
        buf_adds(&b, smtp_verb_word(s->history[i % SMTP_HISTORY]));
    }
    return buf_str(&b);
}

struct str
smtp_history_text(struct smtp_session *s, struct arena *a)
{
    if (s->history_n == 0)
        return STR_EMPTY;
    return str_printf(a, " C=%s%.*s", s->history_n > SMTP_HISTORY ? "..." : "",
                      STR_ARG(history_list(s, a)));
}

/* --- the transaction --- */

void
smtp_expect_message(struct smtp_session *s, bool expected)
{
    struct lane *lane = s->engine->lane;
    if (lane == NULL || s->expected == expected)
        return;
    lane_expect(lane, expected ? LANE_MESSAGE_COMES : LANE_MESSAGE_FAILS);
    s->expected = expected;
}

enum { MESSAGE_FIRST = 1024 }; /* bytes while nothing is under way */

void
smtp_name_protocol(struct smtp_session *s)
{
    s->message->received_protocol =
        str_is_set(s->setup->protocol) ? s->setup->protocol : s->protocol;
}

void
smtp_reset(struct smtp_session *s)
{
    struct eval *e = s->engine->eval;
    smtp_expect_message(s, false);
    if (s->message_arena != NULL)
        arena_free(s->message_arena);
    s->message_arena = arena_new_sized(MESSAGE_FIRST);
    struct message *m = ARENA_NEW(s->message_arena, struct message);
    m->arena = s->message_arena;
    m->sender = STR_NULL;
    m->body_fd = -1;
    m->size = -1;
    m->originator_uid = s->engine->caller.uid;
    m->originator_gid = s->engine->caller.gid;
    if (s->message == NULL) /* it is claimed until the client speaks for itself */
        m->authenticated_sender = s->setup->authenticated_sender;
    s->message = e->message = m;
    smtp_name_protocol(s);
    e->address = NULL;
    e->acl_m = NULL;
    e->domain_data = e->local_part_data = e->sender_data = e->recipient_data = STR_NULL;
    s->address = NULL;
    list_cache_forget(e->lists);
    struct session *ses = s->model;
    ses->rcpt_count = ses->rcpt_defer_count = ses->rcpt_fail_count = 0;
    ses->prdr = ses->pipelining_used = false;
    ses->headers_added = STR_NULL;
    ses->sender_verify_failure = ses->recipient_verify_failure = STR_NULL;
    ses->acl_verify_message = STR_NULL;
    ses->rate = ses->rate_limit = ses->rate_period = STR_NULL;
    ses->dnslist_domain = ses->dnslist_matched = ses->dnslist_text = ses->dnslist_value =
        STR_NULL;
    ses->regex_match = STR_NULL;
    scan_forget_findings(ses);
    for (size_t i = 0; i < 9; i++)
        ses->regex_caps[i] = STR_NULL;
    s->prdr_done = s->prdr_some = false;
    s->sender_given = s->discarded = s->discard_all = s->too_many = false;
    s->rcpt_same = true;
    s->rcpt_refusal = s->address_fault = STR_NULL;
    s->chunks = (struct smtp_chunks){.on = false};
    s->sender_checked = STR_NULL;
    s->transaction_line = smtp_io_line_number(s->io);
}

/* --- commands --- */

static bool
is_verb(struct str line, struct str name)
{
    if (line.n < name.n || !str_ieq(str_sub(line, 0, name.n), name))
        return false;
    return name.p[name.n - 1] == ':' || line.n == name.n || ascii_space(line.p[name.n]);
}

static enum smtp_verb_id
find_verb(struct str line, struct str *argument)
{
    for (int i = 0; i < SMTP_VERBS; i++) {
        if (!is_verb(line, verbs[i].name))
            continue;
        *argument = str_trim(str_sub(line, verbs[i].name.n, line.n));
        return (enum smtp_verb_id)i;
    }
    *argument = STR_EMPTY;
    return SMTP_VERB_UNKNOWN;
}

enum smtp_read
smtp_read_command(struct smtp_session *s)
{
    struct str line;
    enum smtp_read r = smtp_io_line(s->io, &line);
    if (r == SMTP_READ_LATER)
        return r;
    s->last_verb = s->verb;
    s->verb = SMTP_VERB_UNKNOWN;
    s->line = s->argument = STR_EMPTY;
    if (r != SMTP_READ_LINE)
        return r;
    while (line.n > 0 && ascii_space(line.p[line.n - 1]))
        line.n--;
    s->line = line;
    s->verb = find_verb(line, &s->argument);
    if (debug_log_wants(s->engine, DEBUG_RECEIVE)) /* passwords are not for files */
        debug_log_add(s->engine, DEBUG_RECEIVE,
                      str_printf(s->message_arena, "SMTP<< %.*s",
                                 STR_ARG(s->verb == SMTP_VERB_AUTH ? STR_LIT("AUTH") : line)));
    if (!s->chunks.only_reset)
        note_history(s, s->verb);
    s->model->command = line;
    s->model->command_argument = s->argument;
    if (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_RCPT)
        s->model->pipelining_used =
            s->model->pipelining_used ||
            (s->offered.pipelining && s->setup->socket && smtp_io_has_more(s->io));
    return r;
}

static struct str
first_word(struct str line)
{
    uint32_t n = 0;
    while (n < line.n && !ascii_space(line.p[n]))
        n++;
    return str_sub(line, 0, n);
}

static enum smtp_next
too_many_nonmail(struct smtp_session *s)
{
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "SMTP call from %.*s dropped: too many nonmail commands (last was \"%.*s\")",
             STR_ARG(smtp_peer(s, false)), STR_ARG(first_word(s->line)));
    smtp_answer(s, "554 Too many nonmail commands");
    s->notquit = "bad-commands";
    return SMTP_NEXT_FAIL;
}

static enum smtp_next
unknown_command(struct smtp_session *s)
{
    if (s->batch)
        return smtp_batch_error(s, "500 unrecognized command", true);
    smtp_note_error(s, SMTP_ERROR_SYNTAX, STR_LIT("unrecognized command"));
    if (s->unknown_commands++ < s->main->smtp_max_unknown_commands) {
        smtp_answer(s, "500 unrecognized command");
        return SMTP_NEXT_COMMAND;
    }
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "SMTP call from %.*s dropped: too many unrecognized commands (last was \"%.*s\")",
             STR_ARG(smtp_peer(s, false)), STR_ARG(s->line));
    smtp_answer(s, "500 Too many unrecognized commands");
    s->notquit = "bad-commands";
    return SMTP_NEXT_FAIL;
}

/* Whether the command is one too many of those that bring no mail. */
static bool
is_nonmail_excess(struct smtp_session *s)
{
    unsigned flags = verbs[s->verb].flags;
    uint32_t bit = 1u << s->verb;
    if ((flags & NONMAIL) == 0 || s->batch)
        return false;
    if ((flags & FREE_ONCE) != 0 && (s->free_used & bit) == 0) {
        s->free_used |= bit;
        return false;
    }
    if (s->nonmail_host < 0)
        s->nonmail_host = smtp_host_in(s, &s->main->smtp_accept_max_nonmail_hosts,
                                       "smtp_accept_max_nonmail_hosts");
    return s->nonmail_host == 1 && ++s->nonmail_commands > s->main->smtp_accept_max_nonmail;
}

/* smtp_enforce_sync, and control = enforce_sync. */
bool
smtp_enforces_sync(const struct smtp_session *s)
{
    const struct acl_connection *c = s->model->acl;
    return c != NULL && c->sync_set ? c->enforce_sync : s->main->smtp_enforce_sync;
}

/* Clients must not talk out of turn, save where pipelining lets them. */
bool
smtp_is_out_of_turn(struct smtp_session *s)
{
    if (!smtp_enforces_sync(s) || !s->setup->socket || s->batch)
        return false;
    if (s->verb < SMTP_VERBS && s->offered.pipelining &&
        (verbs[s->verb].flags & PIPELINED) != 0)
        return false;
    bool ahead = smtp_io_is_ahead(s->io);
    if (s->verb != SMTP_VERB_EHLO || !s->model->early_offered)
        return ahead;
    s->model->early_used = s->model->early_used || ahead;
    return false;
}

enum { SHOWN_AHEAD = 32 };

struct str
smtp_input_ahead(struct smtp_session *s)
{
    struct str all = smtp_io_peek(s->io, SHOWN_AHEAD + 1);
    return str_printf(s->message_arena, "\"%.*s\"%s", STR_ARG(str_sub(all, 0, SHOWN_AHEAD)),
                      all.n > SHOWN_AHEAD ? "..." : "");
}

enum smtp_next
smtp_refuse_out_of_turn(struct smtp_session *s)
{
    smtp_log(s, MAILLOG_MAIN | MAILLOG_REJECT,
             "SMTP protocol synchronization error (next input sent too soon: pipelining was%s "
             "advertised): rejected \"%.*s\" %.*s next input=%.*s",
             s->offered.pipelining ? "" : " not", STR_ARG(s->line), STR_ARG(smtp_peer(s, true)),
             STR_ARG(smtp_input_ahead(s)));
    return smtp_out_of_sync(s);
}

static enum smtp_next
run_command(struct smtp_session *s)
{
    if ((s->verb == SMTP_VERB_UNKNOWN || (verbs[s->verb].flags & CHUNK) == 0) &&
        !s->chunks.only_reset && smtp_is_out_of_turn(s))
        return smtp_refuse_out_of_turn(s);
    if (s->proxy_failed && s->verb != SMTP_VERB_QUIT) {
        smtp_answer(s, "503 Command refused, required Proxy negotiation failed");
        return smtp_count_error(s);
    }
    if (s->verb == SMTP_VERB_UNKNOWN && !s->chunks.only_reset)
        return unknown_command(s);
    if (s->chunks.only_reset && s->verb != SMTP_VERB_RSET && s->verb != SMTP_VERB_QUIT)
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
                           STR_LIT("only RSET accepted now"));
    if (is_nonmail_excess(s))
        return too_many_nonmail(s);
    if (s->batch && (verbs[s->verb].flags & BATCH) == 0)
        return SMTP_NEXT_COMMAND;
    return verbs[s->verb].run(s);
}

/* --- the end of input --- */

static enum smtp_next
command_timeout(struct smtp_session *s)
{
    smtp_log(s, MAILLOG_MAIN, "SMTP command timeout on%s connection from %.*s%.*s",
             str_is_set(s->model->tls_in.cipher) ? " TLS" : "", STR_ARG(smtp_peer(s, false)),
             STR_ARG(smtp_duration(s, s->message_arena)));
    if (s->batch)
        return smtp_batch_error(s, "421 SMTP command timeout", false);
    smtp_answer(s, "421 %.*s: SMTP command timeout - closing connection", STR_ARG(s->hostname));
    s->notquit = "command-timeout";
    return SMTP_NEXT_FAIL;
}

static enum smtp_next
input_lost(struct smtp_session *s)
{
    bool open = s->sender_given;
    if (s->batch) /* input may end here, but not in a transaction */
        return open ? smtp_batch_error(s, "421 Unexpected end of file", false)
                    : SMTP_NEXT_CLOSE;
    s->notquit = "connection-lost";
    smtp_tls_log_loss(s);
    smtp_answer(s, "421 %.*s lost input connection", STR_ARG(s->hostname));
    smtp_incomplete(s, "connection lost");
    if (open && maillog_selected(s->engine, LOG_SELECTOR_LOST_INCOMING_CONNECTION))
        smtp_log(s, MAILLOG_MAIN, "unexpected %s while reading SMTP command from %.*s%.*s",
                 s->local ? "EOF" : "disconnection", STR_ARG(smtp_peer(s, false)),
                 STR_ARG(smtp_duration(s, s->message_arena)));
    return SMTP_NEXT_FAIL;
}

enum smtp_next
smtp_lost(struct smtp_session *s, enum smtp_read how)
{
    if (how == SMTP_READ_TIMEOUT)
        return command_timeout(s);
    if (how != SMTP_READ_TOO_LONG)
        return input_lost(s);
    return smtp_refuse(s, SMTP_ERROR_SYNTAX, 500, STR_NULL, STR_LIT("command line too long"));
}

/* The service ends under a client that has done nothing wrong. */
static enum smtp_next
shut_down(struct smtp_session *s)
{
    smtp_answer(s, "421 %.*s: Service not available - closing connection",
                STR_ARG(s->hostname));
    s->notquit = "signal-exit";
    return SMTP_NEXT_FAIL;
}

/* --- the end --- */

static void
log_no_mail(struct smtp_session *s)
{
    if (s->mail_seen || s->batch || s->test ||
        !maillog_selected(s->engine, LOG_SELECTOR_SMTP_NO_MAIL))
        return;
    const struct session *m = s->model;
    struct buf b = buf_in(s->message_arena, 0);
    buf_printf(&b, "no MAIL in SMTP connection from %.*s%.*s", STR_ARG(smtp_peer(s, false)),
               STR_ARG(smtp_duration(s, s->message_arena)));
    if (m->sender_host_authenticated.n > 0) {
        buf_printf(&b, " A=%.*s", STR_ARG(m->sender_host_authenticated));
        if (m->authenticated_id.n > 0)
            buf_printf(&b, ":%.*s", STR_ARG(m->authenticated_id));
    }
    maillog_add_tls(s->engine, &b, &m->tls_in, true);
    buf_adds(&b, smtp_history_text(s, s->message_arena));
    maillog_line(s->engine, MAILLOG_MAIN, STR_NULL, buf_str(&b));
}

static void
run_notquit(struct smtp_session *s)
{
    struct acl_answer a;
    if (s->notquit == NULL || s->batch || !policy_has(s->engine, ACL_PHASE_NOTQUIT))
        return;
    s->model->notquit_reason = str_from_cstr(s->notquit);
    (void)policy_run(s->engine, ACL_PHASE_NOTQUIT, &a);
    if (a.result == ACL_ERROR)
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC, "ACL for not-QUIT returned ERROR: %.*s",
                 STR_ARG(a.log_message));
}

static int
finish(struct smtp_session *s, enum smtp_next how)
{
    run_notquit(s);
    (void)smtp_io_flush(s->io);
    if (smtp_io_is_stuck(s->io))
        smtp_log(s, MAILLOG_MAIN, "SMTP timeout while answers are not read by %.*s%.*s",
                 STR_ARG(smtp_peer(s, false)), STR_ARG(smtp_duration(s, s->message_arena)));
    log_no_mail(s);
    smtp_io_end_tls(s->io);
    smtp_session_leave(s);
    arena_free(s->message_arena);
    s->message_arena = NULL;
    s->message = NULL;
    if (s->batch_failed)
        return s->accepted_messages > 0 ? 1 : 2;
    bool timeout = s->notquit != NULL && strstr(s->notquit, "timeout") != NULL;
    return how == SMTP_NEXT_FAIL && (!s->test || timeout) ? 1 : 0;
}

/* --- steps --- */

struct smtp_session *
smtp_session_new(struct session *model, const struct smtp_setup *setup)
{
    struct smtp_session *s = ARENA_NEW(model->arena, struct smtp_session);
    s->setup = setup;
    s->model = model;
    s->arena = model->arena;
    return s;
}

void
smtp_session_enter(struct smtp_session *s, struct engine *e)
{
    struct eval *v = e->eval;
    s->engine = e;
    s->main = e->conf->main;
    v->session = s->model;
    v->message = s->message;
    v->address = NULL;
    v->acl_c = s->acl_c;
    v->acl_m = s->acl_m;
    v->domain_data = v->local_part_data = v->sender_data = v->recipient_data = v->host_data =
        STR_NULL;
    e->policy = s->up;
    if (s->up != NULL)
        s->up->ctx = e;
    list_cache_forget(v->lists);
    smtp_expect_message(s, s->sender_given);
}

void
smtp_session_leave(struct smtp_session *s)
{
    struct eval *v = s->engine->eval;
    smtp_expect_message(s, false);
    s->acl_c = v->acl_c;
    s->acl_m = v->acl_m;
    v->acl_c = v->acl_m = NULL;
    v->message = NULL;
    v->address = NULL;
    v->session = NULL;
    s->engine->policy = NULL;
    s->engine = NULL;
}

static enum smtp_step
first_step(struct smtp_session *s)
{
    smtp_start(s);
    s->greeted = true;
    s->next = smtp_greet(s) ? SMTP_NEXT_COMMAND : SMTP_NEXT_CLOSE;
    return s->next == SMTP_NEXT_COMMAND ? SMTP_STEP_MORE : SMTP_STEP_END;
}

/* As much of it has come as is waited for without a thread. */
static enum smtp_next
take_text(struct smtp_session *s)
{
    s->awaits_text = false;
    s->model->command = smtp_verb_word(SMTP_VERB_DATA); /* it may have been let go of */
    return smtp_take_data(s);
}

bool
smtp_session_awaits_text(const struct smtp_session *s)
{
    return s->awaits_text;
}

enum smtp_step
smtp_session_step(struct smtp_session *s)
{
    if (!s->greeted)
        return first_step(s);
    if (s->cause == SMTP_CAUSE_SHUTDOWN) {
        s->next = shut_down(s);
        return SMTP_STEP_END;
    }
    smtp_io_let_rest(s->io, true);
    enum smtp_read r =
        s->awaits_text ? smtp_io_text(s->io, &s->text_seen) : smtp_read_command(s);
    smtp_io_let_rest(s->io, false);
    if (r == SMTP_READ_LATER)
        return SMTP_STEP_REST;
    if (s->awaits_text)
        s->next = take_text(s);
    else
        s->next = r == SMTP_READ_LINE ? run_command(s) : smtp_lost(s, r);
    bool more = s->next == SMTP_NEXT_COMMAND && !smtp_io_is_lost(s->io);
    return more ? SMTP_STEP_MORE : SMTP_STEP_END;
}

void
smtp_session_rest(struct smtp_session *s)
{
    smtp_io_rest(s->io);
    s->line = s->argument = STR_EMPTY;
    s->model->command = s->model->command_argument = STR_EMPTY;
}

int64_t
smtp_session_deadline_ms(const struct smtp_session *s)
{
    return smtp_io_deadline_ms(s->io);
}

void
smtp_session_interrupt(struct smtp_session *s, enum smtp_cause why)
{
    s->cause = why;
    if (why == SMTP_CAUSE_TIMEOUT)
        smtp_io_expire(s->io);
}

int
smtp_session_end(struct smtp_session *s)
{
    return finish(s, s->next);
}

int
smtp_session_run(struct engine *e, const struct smtp_setup *setup)
{
    struct session *model = e->eval->session;
    struct smtp_session *s = smtp_session_new(model, setup);
    smtp_session_enter(s, e);
    while (smtp_session_step(s) == SMTP_STEP_MORE)
        continue;
    int status = smtp_session_end(s);
    e->eval->session = model;
    return status;
}
