/* One message over a connection; see smtp_transaction.h.
 *
 * With PIPELINING, MAIL, all RCPTs and DATA go out before the first answer is read, in windows that no server's buffers are too
 * small for; the first chunk of BDAT goes with them. A recipient counts as delivered only when the answer to the end of the data was
 * read.
 */
#include "transports/smtp_transaction.h"

#include "base/map.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "sys/spawn.h"
#include "transports/smtp_body.h"
#include "transports/smtp_command.h"
#include "transports/smtp_sign.h"
#include "transports/smtp_utf8.h"

#include <errno.h>

enum {
    MS = 1000,
    TOO_MANY = 452, /* RFC 5321 section 4.5.3.1.10: enough recipients for one transaction */
    CLOSES = 421,   /* RFC 5321 section 3.8 */
    WINDOW = 100,   /* commands whose answers are outstanding, at most */
};

/* How far a recipient has come. */
enum rcpt_state {
    RCPT_OUTSIDE,  /* not of this transaction */
    RCPT_WAITS,    /* no answer to RCPT yet */
    RCPT_ACCEPTED, /* RCPT was accepted */
    RCPT_SETTLED,  /* has an answer of its own */
};

enum step_kind { STEP_MAIL, STEP_RCPT, STEP_DATA };

/* A command whose answer is outstanding. */
struct step {
    enum step_kind kind;
    size_t recipient;
    struct str text;
};

struct transaction {
    struct smtp_client *c;
    const struct transport_job *job;
    struct arena *arena;
    bool *open, *taken;
    struct transport_answer *answers;
    struct smtp_end *end;
    enum rcpt_state *state; /* an entry a recipient of the job */
    size_t accepted;
    struct step steps[WINDOW];
    size_t steps_n;
    bool data_open; /* the server waits for the message */
    struct smtp_mail mail;
    bool chunks;    /* BDAT and not DATA */
    bool delivered; /* to one recipient at least */
    bool end_piped; /* the message went out before the answers to the envelope were read */
    int64_t bytes;  /* of the message, once it was sent */
    bool whole;     /* the message has been sent to its end */
    bool stopped;   /* end->fate says why */
    struct smtp_signed signed_by; /* for the log */
};

/* --- ends --- */

static void
stop(struct transaction *t, enum smtp_fate fate, struct why why)
{
    if (t->stopped)
        return;
    t->stopped = true;
    t->end->fate = fate;
    t->end->why = why;
    if (fate != SMTP_SETUP_DEFER)
        t->end->why.outcome = fate == SMTP_MESSAGE_FAIL ? OUT_FAIL : OUT_DEFER;
}

/* Without an answer to the end of the message nobody knows what the server made of it. */
static void
note_doubt(struct transaction *t, enum reply_end got)
{
    if (got != REPLY_READ && t->whole)
        t->end->doubtful = true;
}

/* A reply to something that concerns all recipients alike. number: of a 4xx. timeout: what one means. */
static void
stop_for(struct transaction *t, enum reply_end got, struct str command, int number,
         enum smtp_fate timeout)
{
    struct why why = smtp_client_why(t->c, t->arena, got, command, number, t->bytes);
    note_doubt(t, got);
    if (got == REPLY_TIMED_OUT || (got == REPLY_CLOSED && t->bytes > 0))
        stop(t, timeout, why);
    else if (got != REPLY_READ)
        stop(t, SMTP_HOST_DEFER, why);
    else
        stop(t,
             why.outcome == OUT_FAIL || t->job->all_or_none ? SMTP_MESSAGE_FAIL
                                                            : SMTP_MESSAGE_DEFER,
             why);
}

static void
settle(struct transaction *t, size_t i, struct why why)
{
    if (t->state[i] == RCPT_ACCEPTED)
        t->accepted--;
    t->state[i] = RCPT_SETTLED;
    t->answers[i] = (struct transport_answer){.why = why};
    if (str_is_set(why.host))
        smtp_client_ends(t->c, t->arena, &t->answers[i]);
    t->open[i] = why.outcome != OUT_OK && why.outcome != OUT_FAIL;
}

/* Those of this transaction that have no answer of their own get the common one. */
static void
spread(struct transaction *t)
{
    for (size_t i = 0; i < t->job->n; i++)
        if (t->state[i] == RCPT_WAITS || t->state[i] == RCPT_ACCEPTED)
            settle(t, i, t->end->why);
}

/* --- answers --- */

static struct str
label(struct transaction *t, const struct step *s)
{
    return t->c->pipelines ? str_printf(t->arena, "pipelined %.*s", STR_ARG(s->text)) : s->text;
}

static struct str
end_label(const struct transaction *t)
{
    return t->end_piped ? STR_LIT("pipelined end of data") : STR_LIT("end of data");
}

/* After a recipient for whom no answer came in time nothing more can be said; the others are not to blame. */
static void
recipient_timed_out(struct transaction *t, const struct step *s)
{
    size_t end = str_chr(s->text, '>', 0);
    struct str command = str_sub(s->text, 0, end == STR_NPOS ? s->text.n : end + 1);
    struct why why = smtp_client_why(t->c, t->arena, REPLY_TIMED_OUT, command, 0, 0);
    note_doubt(t, REPLY_TIMED_OUT);
    settle(t, s->recipient, why);
    t->answers[s->recipient].recipient_error = !t->job->all_or_none;
    for (size_t i = 0; i < t->job->n; i++) {
        if (t->state[i] != RCPT_ACCEPTED && t->state[i] != RCPT_WAITS)
            continue;
        struct why own = why;
        if (t->state[i] == RCPT_WAITS)
            own.host = own.host_ip = STR_NULL;
        settle(t, i, own);
        t->answers[i].no_retry = true;
    }
    t->stopped = true;
}

static void
take_rcpt(struct transaction *t, const struct step *s, enum reply_end got)
{
    const struct transport_generic *g = t->job->transport->generic.fields;
    const struct address *to = t->job->addresses[s->recipient];
    if (got == REPLY_TIMED_OUT) {
        recipient_timed_out(t, s);
        return;
    }
    if (got != REPLY_READ) {
        stop_for(t, got, label(t, s), 0, SMTP_HOST_DEFER);
        return;
    }
    if (t->c->reply.code / 100 == 2) {
        t->state[s->recipient] = RCPT_ACCEPTED;
        t->accepted++;
        return;
    }
    if (t->c->reply.code == TOO_MANY && t->accepted > 0 && !t->job->all_or_none) {
        t->state[s->recipient] = RCPT_OUTSIDE;
        t->taken[s->recipient] = false;
        return;
    }
    struct str text = transport_rcpt_address(t->arena, to, g->rcpt_include_affixes);
    struct str command = str_printf(t->arena, "RCPT TO:<%.*s>",
                                    STR_ARG(smtp_command_address(t->c, t->arena, text)));
    struct why why = smtp_client_why(t->c, t->arena, got, command, WHY_RCPT_4XX, 0);
    if (why.outcome != OUT_FAIL)
        why.sys_errno = WHY_RCPT_4XX;
    if (t->job->all_or_none) {
        stop(t, SMTP_MESSAGE_FAIL, why);
        return;
    }
    settle(t, s->recipient, why);
    t->answers[s->recipient].recipient_error = why.outcome != OUT_FAIL;
}

/* Without a recipient it does not matter what is said. */
static void
take_data(struct transaction *t, const struct step *s, enum reply_end got)
{
    t->data_open = got == REPLY_READ && t->c->reply.code / 100 == 3;
    if (!t->data_open && t->accepted > 0)
        stop_for(t, got, label(t, s), WHY_DATA_4XX, SMTP_HOST_DEFER);
}

/* A server that takes no more over a connection says 421, or has closed it. With a message on its way only its word counts: what it got is
 * not known otherwise. */
static bool
is_stale(const struct transaction *t, enum reply_end got)
{
    if (t->c->sent == 0)
        return false;
    return got == REPLY_READ ? t->c->reply.code == CLOSES
                             : got == REPLY_CLOSED && !t->end_piped;
}

static void
stop_stale(struct transaction *t)
{
    t->end->stale = t->c->broken = true;
    stop(t, SMTP_HOST_DEFER, (struct why){.outcome = OUT_DEFER});
}

static void
take_mail(struct transaction *t, const struct step *s, enum reply_end got)
{
    if (got == REPLY_READ && t->c->reply.code / 100 == 2)
        t->c->needs_reset = true;
    else if (is_stale(t, got))
        stop_stale(t);
    else /* the reference names what it sent last */
        stop_for(t, got, t->end_piped ? end_label(t) : label(t, s), WHY_MAIL_4XX,
                 SMTP_MESSAGE_DEFER);
}

/* Reads what is owed from before the transaction. */
static void
settle_beginning(struct transaction *t)
{
    struct smtp_end end = {.fate = SMTP_ANSWERED};
    if (smtp_client_settle(t->c, t->job, &end))
        return;
    t->end->stale = end.stale;
    stop(t, SMTP_HOST_DEFER, end.why);
}

/* Reads the answers that are outstanding. After the first bad end the rest is of no interest, but it has to be read. */
static void
read_answers(struct transaction *t)
{
    static void (*const takers[])(struct transaction *, const struct step *, enum reply_end) = {
        [STEP_MAIL] = take_mail,
        [STEP_RCPT] = take_rcpt,
        [STEP_DATA] = take_data,
    };
    settle_beginning(t);
    for (size_t i = 0; i < t->steps_n && !(t->stopped && t->c->broken); i++) {
        const struct step *s = &t->steps[i];
        enum reply_end got = smtp_client_reply(t->c, t->arena, t->c->opt->command_timeout * MS);
        if (!t->stopped)
            takers[s->kind](t, s, got);
        else if (s->kind == STEP_DATA)
            t->data_open = got == REPLY_READ && t->c->reply.code / 100 == 3;
    }
    t->steps_n = 0;
}

static void
sync(struct transaction *t)
{
    (void)smtp_client_flush(t->c, t->c->opt->command_timeout * MS);
    t->c->broken = false; /* what the server said before it went may still be read */
    read_answers(t);
}

static void
add_step(struct transaction *t, enum step_kind kind, size_t recipient, struct str command)
{
    if (t->steps_n == WINDOW)
        sync(t);
    if (t->stopped)
        return;
    if (!str_is_set(smtp_client_put(t->c, t->arena, "%.*s", STR_ARG(command)))) {
        stop(t, SMTP_SETUP_DEFER,
             (struct why){.outcome = OUT_FAIL,
                          .log = STR_LIT("an address of the envelope has a line end in it")});
        return;
    }
    t->steps[t->steps_n++] =
        (struct step){.kind = kind, .recipient = recipient, .text = command};
}

/* --- the envelope --- */

/* Marks who goes with this transaction. */
static void
choose_recipients(struct transaction *t, size_t max)
{
    const struct ehlo *peer = &t->c->peer;
    struct map *domains = map_new(t->arena, MAP_CASELESS);
    size_t n = 0;
    if (peer->limits && peer->rcpt_max > 0 && (max == 0 || (size_t)peer->rcpt_max < max))
        max = (size_t)peer->rcpt_max;
    for (size_t i = 0; i < t->job->n && (max == 0 || n < max); i++) {
        struct str domain = t->job->addresses[i]->domain;
        if (!t->open[i] || t->taken[i])
            continue;
        if (!map_has(domains, domain) && peer->limits && peer->rcpt_domain_max > 0 &&
            map_count(domains) >= (size_t)peer->rcpt_domain_max)
            continue;
        map_set(domains, domain, NULL);
        t->state[i] = RCPT_WAITS;
        t->taken[i] = true;
        n++;
    }
}

static size_t
count_waiting(const struct transaction *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->job->n; i++)
        n += t->state[i] == RCPT_WAITS;
    return n;
}

static bool
expand_auth(struct transaction *t)
{
    if (smtp_command_auth(t->c, t->job, &t->mail.auth))
        return true;
    stop(t, SMTP_SETUP_DEFER,
         (struct why){.outcome = OUT_DEFER,
                      .sys_errno = WHY_EXPANSION,
                      .log = str_printf(t->arena, "failed to expand authenticated_sender: %.*s",
                                        STR_ARG(vm_error(t->job->vm)))});
    return false;
}

/* What of the server's offers is taken. */
static bool
choose_extensions(struct transaction *t, const struct message_write *w)
{
    const struct smtp_client *c = t->c;
    const struct transport_smtp *o = c->opt;
    enum smtp_utf8 utf8 = smtp_utf8_choose(c, t->job);
    if (utf8 == SMTP_UTF8_REFUSED &&
        c->owed != 0) { /* this must not hang on what was remembered */
        settle_beginning(t);
        if (t->stopped)
            return false;
        utf8 = smtp_utf8_choose(c, t->job);
    }
    t->mail.dsn = c->peer.dsn;
    t->mail.smtputf8 = utf8 == SMTP_UTF8_SEND;
    t->c->downconvert = utf8 == SMTP_UTF8_DOWN;
    if (utf8 == SMTP_UTF8_REFUSED) {
        stop(t, SMTP_MESSAGE_FAIL,
             (struct why){.sys_errno = WHY_UTF8,
                          .host = str_dup(t->arena, c->host.name),
                          .host_ip = str_dup(t->arena, c->host.address),
                          .log =
                              STR_LIT("utf8 support required but not offered for forwarding")});
        return false;
    }
    t->mail.prdr = c->peer.prdr && !c->lmtp && !t->job->all_or_none && count_waiting(t) > 1 &&
                   smtp_client_in_list(t->job, &c->host, &o->hosts_try_prdr, "hosts_try_prdr");
    t->chunks =
        c->peer.chunking && w->filter == NULL &&
        smtp_client_in_list(t->job, &c->host, &o->hosts_try_chunking, "hosts_try_chunking");
    return expand_auth(t);
}

static void
send_envelope(struct transaction *t)
{
    size_t parameters;
    add_step(t, STEP_MAIL, 0, smtp_command_mail(t->c, t->job, &t->mail));
    if (!t->c->pipelines)
        sync(t);
    for (size_t i = 0; i < t->job->n && !t->stopped; i++) {
        if (t->state[i] != RCPT_WAITS)
            continue;
        add_step(t, STEP_RCPT, i,
                 smtp_command_rcpt(t->c, t->job, t->job->addresses[i], &parameters));
        if (!t->c->pipelines)
            sync(t);
    }
    if (t->job->all_or_none) /* the message must not go to some of them */
        sync(t);
    if (t->stopped || (!t->c->pipelines && t->accepted == 0))
        return;
    if (!t->chunks) {
        add_step(t, STEP_DATA, 0, STR_LIT("DATA"));
        sync(t);
    } else if (t->c->owed != 0) {
        sync(t); /* who is not what was remembered must not get the message */
    }
}

/* --- the message --- */

/* The server waits for a message that nobody is to get: an empty one, which it refuses for want of recipients. */
static void
send_nothing(struct transaction *t)
{
    if (!t->data_open || t->c->broken)
        return;
    buf_addz(&t->c->out, ".\r\n");
    (void)smtp_client_flush(t->c, t->c->opt->data_timeout * MS);
    (void)smtp_client_reply(t->c, t->arena, t->c->opt->final_timeout * MS);
}

/* Before a further chunk: what was sent must have been taken. */
static bool
before_chunk(void *ctx, size_t n)
{
    struct transaction *t = ctx;
    (void)n;
    read_answers(t);
    enum reply_end got = smtp_client_reply(t->c, t->arena, t->c->opt->command_timeout * MS);
    if (!t->stopped && t->accepted > 0 && (got != REPLY_READ || t->c->reply.code / 100 != 2))
        stop_for(t, got, end_label(t), WHY_DATA_4XX, SMTP_HOST_DEFER);
    return !t->stopped && t->accepted > 0;
}

/* The message could not be sent whole. */
static void
stop_unsent(struct transaction *t, const struct message_written *w)
{
    struct why why = {.outcome = OUT_DEFER,
                      .sys_errno = w->sys_errno,
                      .host = str_dup(t->arena, t->c->host.name),
                      .host_ip = str_dup(t->arena, t->c->host.address)};
    if (w->filter_failed || (w->filter_timed_out && w->sys_errno == 0)) {
        int code = message_written_code(w);
        why.sys_errno = w->filter_failed ? WHY_FILTER : ETIMEDOUT;
        why.log = w->filter_failed
                      ? str_printf(t->arena, "transport filter process failed (%d)%s", code,
                                   code == SPAWN_NO_EXEC ? ": unable to execute command" : "")
                      : STR_LIT("transport filter timeout");
        stop(t, SMTP_SETUP_DEFER, why);
        return;
    }
    if (w->reading) {
        why.log = STR_LIT("the message could not be read");
        stop(t, SMTP_SETUP_DEFER, why);
        return;
    }
    bool late = w->sys_errno == ETIMEDOUT;
    t->bytes = w->bytes;
    why = smtp_client_why(t->c, t->arena, late ? REPLY_TIMED_OUT : REPLY_CLOSED,
                          STR_LIT("sending data block"), 0, w->bytes);
    stop(t, SMTP_HOST_DEFER, why);
}

/* False: there is no last answer to be read. */
static bool
send_message(struct transaction *t, const struct message_write *w)
{
    struct message_written written;
    t->end_piped = t->chunks && t->steps_n > 0;
    bool whole = t->chunks ? smtp_body_chunks(t->c, w, before_chunk, t, &written)
                           : smtp_body_data(t->c, w, &written);
    t->data_open = false;
    if (!whole && written.sys_errno != ECANCELED)
        stop_unsent(t, &written);
    if (whole)
        t->bytes = written.bytes;
    t->whole = whole;
    return whole;
}

/* --- the last answers --- */

static struct str
one_line(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    b.taint = text.taint;
    for (uint32_t i = 0; i < text.n; i++)
        if (text.p[i] == '\n')
            buf_addz(&b, "\\\\n"); /* as the reference writes it */
        else
            buf_addc(&b, text.p[i]);
    return buf_str(&b);
}

static int64_t
fast_open_how(const struct smtp_client *c)
{
    static const int64_t how[] = {
        [CONNECT_FAST_NONE] = 0,
        [CONNECT_FAST_OPEN] = TRANSPORT_HOW_FAST_OPEN,
        [CONNECT_FAST_DATA] = TRANSPORT_HOW_FAST_OPEN | TRANSPORT_HOW_FAST_DATA,
    };
    return c->sent > 0 ? 0 : how[c->fast];
}

static void
deliver(struct transaction *t, size_t i, struct str confirmation)
{
    struct smtp_client *c = t->c;
    settle(t, i, (struct why){.outcome = OUT_OK, .smtp_code = c->reply.code});
    struct transport_answer *a = &t->answers[i];
    a->why.host = str_dup(t->arena, c->host.name);
    a->why.host_ip = str_dup(t->arena, c->host.address);
    smtp_client_ends(c, t->arena, a);
    if (c->authenticated && t->mail.auth.n > 0)
        a->auth_sender = t->mail.auth;
    if (c->downconvert) {
        const struct address *to = t->job->addresses[i];
        const struct transport_generic *g = t->job->transport->generic.fields;
        a->sent_to = smtp_utf8_down(
            t->arena, transport_rcpt_address(t->arena, to, g->rcpt_include_affixes));
        a->sent_from = smtp_utf8_down(t->arena, t->job->return_path);
    }
    a->confirmation = one_line(t->arena, confirmation);
    a->dkim = t->signed_by.dkim;
    a->size = t->bytes;
    a->additional = t->delivered;
    t->delivered = true;
    a->peer_reports = t->mail.dsn && !t->job->addresses[i]->dsn_lasthop;
    a->how = (c->sent > 0 ? TRANSPORT_HOW_REUSED : 0) |
             (c->pipelines ? TRANSPORT_HOW_PIPELINED : 0) |
             (t->chunks ? TRANSPORT_HOW_CHUNKED : 0) | (c->early ? TRANSPORT_HOW_EARLY : 0) |
             fast_open_how(c);
}

/* LMTP: an answer for each. */
static void
read_lmtp(struct transaction *t)
{
    struct str end = STR_LIT("end of data");
    for (size_t i = 0; i < t->job->n && !t->stopped; i++) {
        if (t->state[i] != RCPT_ACCEPTED)
            continue;
        enum reply_end got = smtp_client_reply(t->c, t->arena, t->c->opt->final_timeout * MS);
        if (got != REPLY_READ)
            stop_for(t, got, end, 0, SMTP_MESSAGE_DEFER);
        else if (t->c->reply.code / 100 == 2)
            deliver(t, i, t->c->reply.text);
        else
            settle(t, i, smtp_client_why(t->c, t->arena, got, end, WHY_DATA_4XX, 0));
    }
}

/* PRDR: an answer for each after a 353, then one for all. */
static void
read_prdr(struct transaction *t, struct str *confirmations)
{
    for (size_t i = 0; i < t->job->n && !t->stopped; i++) {
        if (t->state[i] != RCPT_ACCEPTED)
            continue;
        enum reply_end got = smtp_client_reply(t->c, t->arena, t->c->opt->final_timeout * MS);
        if (got != REPLY_READ) {
            stop_for(t, got, STR_LIT("end of data"), 0, SMTP_MESSAGE_DEFER);
            return;
        }
        confirmations[i] = t->c->reply.text;
        if (t->c->reply.code / 100 == 2)
            continue;
        struct why why = smtp_client_why(t->c, t->arena, got, STR_LIT("DATA"), 0, 0);
        why.log = str_tainted(str_printf(t->arena, "PRDR error after DATA: %.*s",
                                         STR_ARG(one_line(t->arena, t->c->reply.text))));
        why.peer = str_tainted(
            str_printf(t->arena, "PRDR error after DATA:\n%.*s", STR_ARG(t->c->reply.text)));
        settle(t, i, why);
        t->answers[i].recipient_error = why.outcome != OUT_FAIL;
    }
}

static void
deliver_all(struct transaction *t, const struct str *confirmations)
{
    struct str all = t->c->reply.text;
    for (size_t i = 0; i < t->job->n; i++) {
        if (t->state[i] != RCPT_ACCEPTED)
            continue;
        bool own = confirmations != NULL && str_is_set(confirmations[i]);
        deliver(
            t, i,
            own ? str_printf(t->arena, "%.*s\n%.*s", STR_ARG(confirmations[i]), STR_ARG(all))
                : all);
        if (own)
            t->answers[i].how |= TRANSPORT_HOW_PRDR;
    }
}

/* The message as a whole is refused for good: that counts for those, too, of whom something else was said before. */
static void
take_back(struct transaction *t, const struct str *confirmations)
{
    for (size_t i = 0; i < t->job->n; i++)
        if (t->state[i] == RCPT_SETTLED && str_is_set(confirmations[i])) {
            t->state[i] = RCPT_ACCEPTED;
            t->accepted++;
        }
}

static void
read_end(struct transaction *t)
{
    int64_t wait_ms = t->c->opt->final_timeout * MS;
    struct str *confirmations = NULL;
    enum reply_end got = smtp_client_reply(t->c, t->arena, wait_ms);
    if (got == REPLY_READ && t->mail.prdr && t->c->reply.code == 353) {
        confirmations = ARENA_ARRAY(t->arena, struct str, t->job->n);
        read_prdr(t, confirmations);
        if (t->stopped)
            return;
        got = smtp_client_reply(t->c, t->arena, wait_ms);
    }
    if (got == REPLY_READ && t->c->reply.code / 100 == 5 && confirmations != NULL)
        take_back(t, confirmations);
    if (got == REPLY_READ && t->c->reply.code / 100 == 2)
        deliver_all(t, confirmations);
    else
        stop_for(t, got, end_label(t), WHY_DATA_4XX, SMTP_MESSAGE_DEFER);
}

/* The answers to a whole message; those to a pipelined envelope may be outstanding as well. */
static void
read_results(struct transaction *t)
{
    int64_t sent = t->bytes;
    t->bytes = 0; /* answers to the envelope do not mention them */
    read_answers(t);
    t->bytes = sent;
    if (t->stopped || t->accepted == 0) {
        if (!t->c->broken)
            (void)smtp_client_reply(t->c, t->arena, t->c->opt->final_timeout * MS);
        return;
    }
    if (t->c->lmtp)
        read_lmtp(t);
    else
        read_end(t);
    t->c->needs_reset = t->stopped;
    t->c->sent++;
}

static void
run(struct transaction *t, size_t max)
{
    struct message_write w;
    struct why why = {.outcome = OUT_OK};
    choose_recipients(t, max);
    message_write_init(&w, t->job);
    if (message_write_prepare(&w, &why) != OUT_OK ||
        !smtp_sign(t->job, t->c->opt, &w, &t->signed_by, &why)) {
        stop(t, SMTP_SETUP_DEFER, why);
        return;
    }
    if (!choose_extensions(t, &w))
        return;
    send_envelope(t);
    bool goes = !t->stopped && (t->accepted > 0 || t->steps_n > 0);
    if (goes && send_message(t, &w))
        read_results(t);
    else if (!goes)
        send_nothing(t);
}

static struct transaction *
begin(struct smtp_client *c, const struct transport_job *job, const struct smtp_turns *turns,
      struct transport_answer *answers, struct smtp_end *end)
{
    *end = (struct smtp_end){.fate = SMTP_ANSWERED};
    struct transaction *t = ARENA_NEW(job->arena, struct transaction);
    t->c = c;
    t->job = job;
    t->arena = job->arena;
    t->open = turns->open;
    t->taken = turns->taken;
    t->answers = answers;
    t->end = end;
    t->state = ARENA_ARRAY(job->arena, enum rcpt_state, job->n);
    return t;
}

void
smtp_transaction(struct smtp_client *c, const struct transport_job *job,
                 const struct smtp_turns *turns, size_t max, struct transport_answer *answers,
                 struct smtp_end *end)
{
    struct transaction *t = begin(c, job, turns, answers, end);
    run(t, max);
    spread(t);
}

static void
go_on(struct transaction *t)
{
    struct message_write w;
    struct why why = {.outcome = OUT_OK};
    message_write_init(&w, t->job);
    if (message_write_prepare(&w, &why) != OUT_OK ||
        !smtp_sign(t->job, t->c->opt, &w, &t->signed_by, &why)) {
        stop(t, SMTP_SETUP_DEFER, why);
        return;
    }
    add_step(t, STEP_DATA, 0, STR_LIT("DATA"));
    sync(t);
    if (!t->stopped && send_message(t, &w))
        read_results(t);
}

void
smtp_transaction_finish(struct smtp_client *c, const struct transport_job *job,
                        const struct smtp_turns *turns, const struct smtp_mail *mail,
                        struct transport_answer *answers, struct smtp_end *end)
{
    struct transaction *t = begin(c, job, turns, answers, end);
    t->mail = *mail;
    for (size_t i = 0; i < job->n; i++) {
        t->state[i] = RCPT_ACCEPTED;
        t->taken[i] = true;
    }
    t->accepted = job->n;
    go_on(t);
    spread(t);
}

bool
smtp_transaction_reset(struct smtp_client *c, struct arena *a, struct smtp_end *end)
{
    struct str command = STR_LIT("RSET");
    *end = (struct smtp_end){.fate = SMTP_ANSWERED};
    if (!c->needs_reset)
        return true;
    (void)smtp_client_put(c, a, "RSET");
    (void)smtp_client_flush(c, c->opt->command_timeout * MS);
    enum reply_end got = smtp_client_reply(c, a, c->opt->command_timeout * MS);
    c->needs_reset = false;
    if (got == REPLY_READ && c->reply.code / 100 == 2)
        return true;
    end->fate = SMTP_HOST_DEFER;
    end->why = smtp_client_why(c, a, got, command, 0, 0);
    end->why.outcome = OUT_DEFER;
    return false;
}
