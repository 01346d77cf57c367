/* DATA and BDAT: the text of the message, and what becomes of it. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "conf/list.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/policy.h"
#include "engine/spool.h"
#include "mail/address.h"

#include <errno.h>
#include <stdio.h>

/* --- before the text --- */

/* No recipient was accepted. */
static enum smtp_next
refuse_without_recipients(struct smtp_session *s)
{
    struct str word = smtp_verb_word(s->verb);
    struct arena *a = s->message_arena;
    if (s->batch)
        return smtp_refuse(
            s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
            str_printf(a, "valid RCPT command must precede %.*s", STR_ARG(word)));
    if (s->rcpt_same && str_is_set(s->rcpt_refusal) && !smtp_single_lines(s))
        smtp_answer_more(s, "503",
                         str_printf(a, "All RCPT commands were rejected with this error:\n%.*s",
                                    STR_ARG(s->rcpt_refusal)));
    if (s->offered.pipelining && s->last_verb == SMTP_VERB_RCPT) {
        smtp_answer(s, "503 Valid RCPT command must precede %.*s", STR_ARG(word));
        return SMTP_NEXT_COMMAND;
    }
    return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
                       str_printf(a, "valid RCPT command must precede %.*s", STR_ARG(word)));
}

static bool
has_recipients(const struct smtp_session *s)
{
    return s->sender_given && (s->message->recipients.n > 0 || s->discarded);
}

/* --- the request --- */

/* It is delivered at once, as far as is known yet. */
static bool
may_use_lane(const struct smtp_session *s)
{
    int64_t most = s->main->smtp_accept_queue_per_connection;
    return s->setup->accepted_in_lane != NULL && !s->test && !s->batch &&
           (most <= 0 || s->accepted_messages < most);
}

static bool
ignores_from_line(struct smtp_session *s)
{
    const struct conf_main *c = s->main;
    return s->local ? c->ignore_fromline_local
                    : smtp_host_in(s, &c->ignore_fromline_hosts, "ignore_fromline_hosts");
}

static struct receive_request
request(struct smtp_session *s)
{
    const struct engine_caller *who = &s->engine->caller;
    const struct acl_message *acl = s->message->acl;
    struct receive_request rq = {
        .message = s->message,
        .session = s->model,
        .framing = s->batch ? RECEIVE_BATCH_SMTP : RECEIVE_SMTP,
        .source = {.ctx = s},
        .each_recipient = s->batch ? NULL : smtp_prdr,
        .smtp = !s->batch,
        .local = s->local,
        .from_line = ignores_from_line(s),
        .suppress_fixups = acl != NULL && acl->suppress_local_fixups,
        .sender_given = !s->local || who->trusted,
        .unqualified_sender = s->unqualified_sender,
        .unqualified_recipient = s->unqualified_recipient,
        .reference = STR_NULL,
        .login = who->login,
        .full_name = who->name,
        .queue_only = s->setup->queue_only,
        .lane = may_use_lane(s),
        .expected = &s->expected,
    };
    if (s->batch)
        rq.unqualified_sender = rq.unqualified_recipient = !s->setup->no_qualify;
    if (!rq.sender_given && s->message->sender.n > 0 &&
        receive_may_send_as(s->engine, s->message->sender))
        rq.sender_given = rq.sender_untrusted = true;
    if (!rq.sender_given) /* what MAIL says is not believed */
        s->message->sender =
            address_qualify(s->message_arena, who->login, s->main->qualify_domain);
    return rq;
}

/* --- the answer --- */

/* For the test of sessions the message was only a pretence. */
static void
forget_message(struct smtp_session *s)
{
    struct spool_place place = engine_place(s->engine);
    struct message_id id;
    struct spool_entry entry;
    struct spool_fault f;
    if (message_id_parse(s->message->id, &id) &&
        spool_open(&place, s->engine->calls, &id, &entry, &f) == SPOOL_OK) {
        maillog_message_remove(s->engine, &entry);
        (void)spool_remove(&entry, &f);
        spool_close(&entry);
    }
    smtp_io_write(s->io, STR_LIT("\n**** SMTP testing: that is not a real message id!\n\n"));
}

static void
answer_fake(struct smtp_session *s, const struct acl_message *acl)
{
    static const char text[] =
        "Your message has been rejected but is being kept for evaluation.\n"
        "If it was a legitimate message, it may still be delivered to the target recipient(s).";
    char code[4];
    (void)snprintf(code, sizeof code, "%d", acl->fake_code);
    smtp_answer_text(s, code,
                     str_is_set(acl->fake_text) ? acl->fake_text : str_from_cstr(text));
}

static void
answer_accepted(struct smtp_session *s, const struct receive_result *r)
{
    const struct acl_message *acl = s->message->acl;
    if (s->chunks.on)
        smtp_answer_more(s, "250",
                         str_printf(s->message_arena, " %llu byte chunk, total %llu",
                                    (unsigned long long)s->chunks.size,
                                    (unsigned long long)r->wire_size));
    if (acl != NULL && acl->fake_code != 0)
        answer_fake(s, acl);
    else if (str_is_set(r->why.peer))
        smtp_answer_text(s, "250", r->why.peer);
    else if (s->prdr_done)
        smtp_answer(s, "250 id=%.*s message accepted%s", STR_ARG(s->message->id),
                    s->prdr_some ? " for some recipients" : "");
    else
        smtp_answer(s, "250 OK id=%.*s", STR_ARG(s->message->id));
}

static enum smtp_due
find_due(struct smtp_session *s, const struct receive_result *r)
{
    int64_t most = s->main->smtp_accept_queue_per_connection;
    if (r->queue_only || r->frozen)
        return SMTP_DUE_QUEUE_RUN;
    if (s->batch || s->main->mua_wrapper || most <= 0 || s->accepted_messages <= most)
        return SMTP_DUE_NOW;
    if (s->setup->delayed || (s->setup->pooled && s->main->queue_only))
        return SMTP_DUE_QUEUE_RUN;
    if (maillog_selected(s->engine, LOG_SELECTOR_DELAY_DELIVERY))
        maillog(s->engine, MAILLOG_MAIN, s->message->id,
                "no immediate delivery: more than %lld messages received in one connection",
                (long long)most);
    return SMTP_DUE_QUEUE_RUN;
}

/* Messages that remex wrote meanwhile. */
static void
hand_over_own(struct smtp_session *s, const struct receive_result *r)
{
    const struct smtp_setup *to = s->setup;
    for (size_t i = 0; i < r->own.n && to->accepted != NULL; i++)
        to->accepted(to->ctx, s->engine, r->own.v[i], STR_EMPTY, SMTP_DUE_NOW);
}

/* Tells who delivers. */
static void
hand_over(struct smtp_session *s, const struct receive_result *r)
{
    const struct smtp_setup *to = s->setup;
    if (s->test) {
        forget_message(s);
        return;
    }
    enum smtp_due due = find_due(s, r);
    hand_over_own(s, r);
    if (r->in_lane)
        to->accepted_in_lane(to->ctx, s->engine, s->message->id, &r->lane, due);
    else if (to->accepted != NULL)
        to->accepted(to->ctx, s->engine, s->message->id, s->message->queue_name, due);
}

static enum smtp_next
accepted(struct smtp_session *s, const struct receive_result *r)
{
    s->accepted_messages++;
    answer_accepted(s, r);
    (void)smtp_io_flush(s->io);
    if (r->end == RECEIVE_ACCEPTED)
        hand_over(s, r);
    return s->setup->failed != NULL && *s->setup->failed ? SMTP_NEXT_FAIL : SMTP_NEXT_COMMAND;
}

static enum smtp_next
refused(struct smtp_session *s, const struct receive_result *r)
{
    struct arena *a = s->message_arena;
    bool later = r->why.smtp_code / 100 != 5;
    hand_over_own(s, r);
    struct str text = r->why.peer;
    if (!str_is_set(text))
        text = later ? STR_LIT("Temporary local problem - please try later")
                     : STR_LIT("Administrative prohibition");
    const char *code = str_cstr(a, str_printf(a, "%d",
                                              r->why.smtp_code != 0 ? r->why.smtp_code
                                              : later               ? 451
                                                                    : 550));
    if (s->batch)
        return smtp_batch_error(s, str_cstr(a, str_printf(a, "%s %.*s", code, STR_ARG(text))),
                                false);
    if (r->fault == RECEIVE_FAULT_ACL && r->acl.result != ACL_ACCEPT)
        return smtp_acl_answer(s, ACL_PHASE_DATA, &r->acl);
    smtp_answer_text(s, code, text);
    return SMTP_NEXT_COMMAND;
}

static struct str
whom(struct smtp_session *s)
{
    return s->local ? STR_LIT("local process") : s->model->sender_fullhost;
}

static enum smtp_next
timed_out(struct smtp_session *s, const struct receive_result *r)
{
    maillog(s->engine, MAILLOG_MAIN, r->in_body ? s->message->id : STR_NULL,
            "SMTP data timeout (message abandoned) on connection from %.*s F=<%.*s>%.*s%s",
            STR_ARG(whom(s)), STR_ARG(s->message->sender),
            STR_ARG(smtp_duration(s, s->message_arena)),
            smtp_io_has_yielded(s->io) ? ": too slow while all threads are busy" : "");
    if (s->batch)
        return smtp_batch_error(s, "421 SMTP incoming data timeout - message abandoned", false);
    smtp_answer(s, "421 %.*s SMTP incoming data timeout - closing connection.",
                STR_ARG(s->hostname));
    s->notquit = "data-timeout";
    return SMTP_NEXT_FAIL;
}

void
smtp_log_lost(struct smtp_session *s, bool in_body)
{
    struct str who = peer_connection_text(s->message_arena, s->engine, STR_NULL);
    maillog(s->engine, MAILLOG_MAIN, in_body ? s->message->id : STR_NULL,
            "%.*s lost while reading message data%s", STR_ARG(who), in_body ? "" : " (header)");
}

static enum smtp_next
lost(struct smtp_session *s, const struct receive_result *r)
{
    s->chunks.in_body = r->in_body;
    if (s->chunks.aborted && s->chunks.next == SMTP_NEXT_CLOSE)
        smtp_log_lost(s, r->in_body);
    if (s->chunks.aborted)
        return s->chunks.next;
    if (smtp_io_has_timed_out(s->io))
        return timed_out(s, r);
    smtp_log_lost(s, r->in_body);
    if (s->batch)
        return smtp_batch_error(s, "421 Lost incoming connection", false);
    smtp_answer(s, "421 %.*s lost input connection", STR_ARG(s->hostname));
    s->notquit = "connection-lost";
    return SMTP_NEXT_FAIL;
}

static enum smtp_next
receive(struct smtp_session *s, const struct receive_request *rq)
{
    struct receive_result r;
    enum smtp_next next = SMTP_NEXT_COMMAND;
    receive_message(s->engine, rq, &r);
    switch (r.end) {
    case RECEIVE_ACCEPTED:
    case RECEIVE_DISCARDED:
    case RECEIVE_PASSED_ON:
        next = accepted(s, &r);
        break;
    case RECEIVE_REFUSED:
    case RECEIVE_NO_RECIPIENTS:
        next = refused(s, &r);
        break;
    case RECEIVE_LOST:
        next = lost(s, &r);
        break;
    }
    if (next == SMTP_NEXT_COMMAND && !s->chunks.only_reset)
        smtp_reset(s);
    return next;
}

/* --- DATA --- */

static ssize_t
get_data(void *ctx, char *p, size_t n)
{
    struct smtp_session *s = ctx;
    return smtp_io_get(s->io, p, n);
}

static void
unget_data(void *ctx, const char *p, size_t n)
{
    struct smtp_session *s = ctx;
    smtp_io_unget(s->io, p, n);
}

/* The ACL that runs before the text is asked for. True: go on, the client has been told to. */
static bool
may_begin(struct smtp_session *s, enum smtp_next *next)
{
    struct acl_answer a;
    *next = SMTP_NEXT_COMMAND;
    if (s->batch) {
        (void)policy_run(s->engine, ACL_PHASE_NOTSMTP_START, &a);
        return true;
    }
    if (policy_run(s->engine, ACL_PHASE_PREDATA, &a) != ACL_ACCEPT) {
        *next = smtp_acl_refusal(s, ACL_PHASE_PREDATA, &a);
        return false;
    }
    if (str_is_set(a.message))
        smtp_answer_text(s, "354", a.message);
    else
        smtp_answer(s, "354 Enter message, ending with \".\" on a line by itself");
    return true;
}

enum smtp_next
smtp_do_data(struct smtp_session *s)
{
    enum smtp_next next;
    if (s->argument.n > 0)
        return smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL,
                           STR_LIT("unexpected argument data"));
    if (!has_recipients(s))
        return refuse_without_recipients(s);
    if (s->too_many && s->main->recipients_max_reject) {
        smtp_answer(s, "554 Too many recipients");
        return SMTP_NEXT_COMMAND;
    }
    if (!may_begin(s, &next))
        return next;
    s->awaits_text = s->setup->pooled;
    s->text_seen = 0;
    return s->awaits_text ? SMTP_NEXT_COMMAND : smtp_take_data(s);
}

enum smtp_next
smtp_take_data(struct smtp_session *s)
{
    struct receive_request rq = request(s);
    rq.source.get = get_data;
    rq.source.unget = unget_data;
    return receive(s, &rq);
}

/* --- BDAT --- */

/* "123" or "123 LAST". */
static bool
parse_chunk(struct str argument, struct smtp_chunks *c)
{
    uint32_t n = 0;
    uint64_t size = 0;
    while (n < argument.n && ascii_digit(argument.p[n])) {
        if (size > INT64_MAX / 10 - 1)
            return false;
        size = size * 10 + (uint64_t)(argument.p[n++] - '0');
    }
    struct str rest = str_trim(str_sub(argument, n, argument.n));
    if (n == 0 || (rest.n > 0 && !str_ieqz(rest, "LAST")))
        return false;
    c->size = c->left = size;
    c->last = rest.n > 0;
    return true;
}

/* What a refused command brings with it is no command. */
static enum smtp_read
skip_chunk(struct smtp_session *s)
{
    char block[4096];
    while (s->chunks.left > 0) {
        size_t n = s->chunks.left < sizeof block ? (size_t)s->chunks.left : sizeof block;
        ssize_t got = smtp_io_get(s->io, block, n);
        if (got <= 0)
            return got < 0 && errno == ETIMEDOUT ? SMTP_READ_TIMEOUT : SMTP_READ_EOF;
        s->chunks.left -= (uint64_t)got;
    }
    return SMTP_READ_LINE;
}

/* The message in pieces is given up: what comes next decides s->chunks.next. */
static ssize_t
abandon(struct smtp_session *s, enum smtp_next next)
{
    s->chunks.aborted = true;
    s->chunks.next = next;
    errno = ECANCELED;
    return -1;
}

/* A command between two pieces that is not the next piece. */
static ssize_t
other_command(struct smtp_session *s)
{
    if (s->verb == SMTP_VERB_RSET && s->argument.n == 0) {
        smtp_answer(s, "250 Reset OK");
        return abandon(s, SMTP_NEXT_COMMAND);
    }
    if (s->verb == SMTP_VERB_QUIT && s->argument.n == 0)
        return abandon(s, smtp_do_quit(s));
    s->chunks.only_reset = true;
    return abandon(s, smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
                                  STR_LIT("only BDAT permissible after non-LAST BDAT")));
}

/* Answers the piece that is complete, and waits for the next one. 1: it begins. */
static ssize_t
next_chunk(struct smtp_session *s)
{
    if (smtp_is_out_of_turn(
            s)) { /* what has come counts as commands, up to the limit of errors */
        (void)smtp_refuse_out_of_turn(s);
        s->notquit = NULL;
        s->chunks.only_reset = true;
        return abandon(s, SMTP_NEXT_COMMAND);
    }
    smtp_answer(s, "250 %llu byte chunk received", (unsigned long long)s->chunks.size);
    for (;;) {
        enum smtp_read r = smtp_read_command(s);
        if (r != SMTP_READ_LINE)
            return r == SMTP_READ_TIMEOUT ? (errno = ETIMEDOUT, -1) : 0;
        if (s->verb == SMTP_VERB_NOOP) {
            smtp_answer(s, "250 OK");
            continue;
        }
        if (s->verb != SMTP_VERB_BDAT)
            return other_command(s);
        if (!parse_chunk(s->argument, &s->chunks))
            return abandon(s, smtp_refuse(s, SMTP_ERROR_PROTOCOL, 501, STR_NULL,
                                          STR_LIT("missing size for BDAT command")));
        s->chunks.total += s->chunks.size;
        if (s->chunks.size > 0 || s->chunks.last)
            return 1;
        smtp_answer(s, "504 zero size for BDAT command");
        s->chunks.only_reset = true;
        return abandon(s, SMTP_NEXT_COMMAND);
    }
}

/* Bytes of the pieces, one after the other. */
static ssize_t
get_chunk(void *ctx, char *p, size_t n)
{
    struct smtp_session *s = ctx;
    struct smtp_chunks *c = &s->chunks;
    while (c->left == 0) {
        if (c->last || c->aborted)
            return 0;
        ssize_t r = next_chunk(s);
        if (r <= 0)
            return r;
    }
    ssize_t got = smtp_io_get(s->io, p, c->left < n ? (size_t)c->left : n);
    if (got > 0)
        c->left -= (uint64_t)got;
    else if (got == 0) /* the peer has gone in the midst of a piece */
        errno = ECONNRESET, got = -1;
    return got;
}

static enum smtp_next
refuse_chunk(struct smtp_session *s, enum smtp_next next)
{
    enum smtp_read r = skip_chunk(s);
    return next != SMTP_NEXT_COMMAND || r == SMTP_READ_LINE ? next : smtp_lost(s, r);
}

enum smtp_next
smtp_do_bdat(struct smtp_session *s)
{
    s->chunks = (struct smtp_chunks){.on = false};
    if (!parse_chunk(s->argument, &s->chunks))
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 501, STR_NULL,
                           STR_LIT("missing size for BDAT command"));
    if (!s->chunking_was_offered) /* once will do: HELO and STARTTLS take nothing back */
        return refuse_chunk(s, smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
                                           STR_LIT("BDAT command used when CHUNKING not "
                                                   "advertised")));
    if (!has_recipients(s))
        return refuse_chunk(s, refuse_without_recipients(s));
    if (s->chunks.size == 0 && !s->chunks.last) {
        smtp_answer(s, "504 zero size for BDAT command");
        return SMTP_NEXT_COMMAND;
    }
    s->chunks.on = true;
    s->chunks.total = s->chunks.size;
    struct receive_request rq = request(s);
    rq.framing = RECEIVE_CHUNKS;
    rq.source.get = get_chunk;
    return receive(s, &rq);
}
