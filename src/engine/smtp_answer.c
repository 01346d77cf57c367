/* What the server says: answers of one and several lines, errors of form, what a refusal by an ACL looks like to the peer and in the
 * logs.
 */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/event.h"
#include "engine/debug_log.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "mail/smtp_reply.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    CODE_N = 3,
    LONG_LINE = 75, /* characters of a text before which a long answer is cut */
    LOGGED_MAX = 1024,
};

/* --- lines --- */

/* Sends the lines of a text, each with the code in front; the last one ends the answer unless more is to come. */
static void
put_lines(struct smtp_session *s, struct str code, struct str text, bool last)
{
    for (bool more = true; more;) {
        size_t nl = str_chr(text, '\n', 0);
        struct str line = str_sub(text, 0, nl == STR_NPOS ? text.n : nl);
        text = nl == STR_NPOS ? STR_EMPTY : str_sub(text, nl + 1, text.n);
        more = nl != STR_NPOS && text.n > 0;
        smtp_io_write(s->io, str_sub(code, 0, CODE_N));
        smtp_io_write(s->io, more || !last ? STR_LIT("-") : STR_LIT(" "));
        smtp_io_write(s->io, str_sub(code, CODE_N + 1, code.n));
        smtp_io_write(s->io, line);
        smtp_io_write(s->io, STR_LIT("\r\n"));
        if (debug_log_wants(s->engine, DEBUG_RECEIVE))
            debug_log_add(
                s->engine, DEBUG_RECEIVE,
                str_printf(s->message_arena, "SMTP>> %.*s%s%.*s%.*s",
                           STR_ARG(str_sub(code, 0, CODE_N)), more || !last ? "-" : " ",
                           STR_ARG(str_sub(code, CODE_N + 1, code.n)), STR_ARG(line)));
    }
}

void
smtp_answer(struct smtp_session *s, const char *fmt, ...)
{
    struct arena_mark mark = arena_mark(s->message_arena);
    struct buf b = buf_in(s->message_arena, 0);
    va_list ap;
    if (s->batch)
        return;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    struct str all = buf_str(&b);
    put_lines(s, str_sub(all, 0, CODE_N), str_sub(all, CODE_N + 1, all.n), true);
    arena_reset(s->message_arena, mark);
}

void
smtp_answer_more(struct smtp_session *s, const char *code, struct str text)
{
    if (!s->batch)
        put_lines(s, str_from_cstr(code), text, false);
}

void
smtp_answer_lines(struct smtp_session *s, const char *code, struct str text)
{
    if (!s->batch)
        put_lines(s, str_from_cstr(code), text, true);
}

bool
smtp_single_lines(const struct smtp_session *s)
{
    const struct acl_connection *c = s->model->acl;
    return c != NULL && c->no_multiline_responses;
}

static struct str
of_one_line(const struct smtp_session *s, struct str text)
{
    size_t nl = smtp_single_lines(s) ? str_chr(text, '\n', 0) : STR_NPOS;
    return nl == STR_NPOS ? text : str_sub(text, 0, nl);
}

static bool
starts_with_code(struct str text)
{
    return text.n > CODE_N && ascii_digit(text.p[0]) && ascii_digit(text.p[1]) &&
           ascii_digit(text.p[2]) && ascii_space(text.p[CODE_N]);
}

/* Takes "550 5.7.1 " off the front of a text when it stands there: the code with its blank, and the enhanced code. A code of
 * another class is not obeyed. */
static struct str
take_code(struct smtp_session *s, const char *code, char class, struct str *text)
{
    if (!starts_with_code(*text))
        return str_from_cstr(code);
    bool wrong = text->p[0] != class;
    if (wrong)
        smtp_log(s, MAILLOG_MAIN | MAILLOG_PANIC,
                 "configured error code starts with incorrect digit (expected %c) in \"%.*s\"",
                 class, STR_ARG(*text));
    struct str head = wrong ? str_from_cstr(code) : str_sub(*text, 0, CODE_N);
    *text = str_trim_left(str_sub(*text, CODE_N, text->n));
    size_t enhanced = smtp_enhanced_length(*text);
    if (enhanced == 0 || wrong) {
        *text = str_trim_left(str_sub(*text, enhanced, text->n)); /* of the other class, too */
        return head;
    }
    struct str all =
        str_printf(s->message_arena, "%.*s %.*s ", STR_ARG(head), (int)enhanced, text->p);
    *text = str_trim_left(str_sub(*text, enhanced, text->n));
    return all;
}

/* Newlines in place of blanks where lines would get long. */
static struct str
folded(struct arena *a, struct str text)
{
    struct str copy = str_dup(a, text);
    char *p = (char *)(uintptr_t)copy.p; /* our own copy */
    size_t start = 0, blank = STR_NPOS;
    for (size_t i = 0; i < copy.n; i++) {
        if (p[i] == '\n') {
            start = i + 1;
            blank = STR_NPOS;
        } else if (p[i] == ' ') {
            blank = i;
        }
        if (i - start >= LONG_LINE && blank != STR_NPOS) {
            p[blank] = '\n';
            start = blank + 1;
            blank = STR_NPOS;
        }
    }
    return copy;
}

void
smtp_answer_text(struct smtp_session *s, const char *code, struct str text)
{
    struct str head = take_code(s, code, code[0], &text);
    if (!s->batch)
        put_lines(s, head, folded(s->message_arena, text), true);
}

/* --- batched input --- */

enum smtp_next
smtp_batch_error(struct smtp_session *s, const char *text, bool with_command)
{
    long long start = (long long)s->transaction_line;
    long long here = (long long)smtp_io_line_number(s->io);
    (void)printf("%s\nTransaction started in line %lld\nError detected in line %lld\n", text,
                 start, here);
    (void)fprintf(stderr,
                  "An error was detected while processing a file of BSMTP input.\n"
                  "The error message was:\n\n%s\n\n"
                  "The SMTP transaction started in line %lld.\n"
                  "The error was detected in line %lld.\n",
                  text, start, here);
    if (with_command) {
        (void)printf("%.*s\n", STR_ARG(s->line));
        (void)fprintf(stderr, "The SMTP command at fault was:\n\n%.*s\n\n", STR_ARG(s->line));
    }
    long long done = (long long)s->accepted_messages;
    (void)fprintf(stderr, "%lld previous message%s successfully processed.\n", done,
                  done == 1 ? " was" : "s were");
    (void)fprintf(stderr, "The rest of the batch was abandoned.\n");
    (void)fflush(stdout);
    s->batch_failed = true;
    return SMTP_NEXT_FAIL;
}

/* --- errors of form --- */

static enum smtp_next
too_many_errors(struct smtp_session *s, int code)
{
    smtp_log(
        s, MAILLOG_MAIN | MAILLOG_REJECT,
        "SMTP call from %.*s dropped: too many syntax or protocol errors (last command was "
        "\"%.*s\", %.*s)",
        STR_ARG(smtp_peer(s, false)), STR_ARG(s->line),
        STR_ARG(smtp_history_text(s, s->message_arena)));
    if (code > 0)
        smtp_answer(s, "%d Too many syntax or protocol errors", code);
    s->notquit = "bad-commands";
    return SMTP_NEXT_FAIL;
}

enum smtp_next
smtp_count_error(struct smtp_session *s)
{
    if (++s->synprot_errors <= s->main->smtp_max_synprot_errors)
        return SMTP_NEXT_COMMAND;
    return too_many_errors(s, 0);
}

void
smtp_note_error(struct smtp_session *s, enum smtp_error kind, struct str text)
{
    const struct event event = {.name = kind == SMTP_ERROR_SYNTAX ? "smtp:fail:syntax"
                                                                  : "smtp:fail:protocol",
                                .data = text};
    enum log_selector sel = kind == SMTP_ERROR_SYNTAX ? LOG_SELECTOR_SMTP_SYNTAX_ERROR
                                                      : LOG_SELECTOR_SMTP_PROTOCOL_ERROR;
    if (maillog_selected(s->engine, sel))
        smtp_log(s, MAILLOG_MAIN, "SMTP %s error in \"%.*s\" %.*s %.*s",
                 kind == SMTP_ERROR_SYNTAX ? "syntax" : "protocol", STR_ARG(s->line),
                 STR_ARG(smtp_peer(s, true)), STR_ARG(text));
    (void)event_raise_main(s->engine->eval, s->engine->vm, &event);
}

enum smtp_next
smtp_out_of_sync(struct smtp_session *s)
{
    (void)event_raise_main(s->engine->eval, s->engine->vm,
                           &(struct event){.name = "smtp:fail:protocol",
                                           .data = STR_LIT("synchronization error")});
    smtp_answer(s, "554 SMTP synchronization error");
    s->notquit = "synchronization-error";
    return SMTP_NEXT_FAIL;
}

enum smtp_next
smtp_refuse(struct smtp_session *s, enum smtp_error kind, int code, struct str data,
            struct str text)
{
    struct arena *a = s->message_arena;
    if (s->batch)
        return smtp_batch_error(s, str_cstr(a, str_printf(a, "%d %.*s", code, STR_ARG(text))),
                                true);
    smtp_note_error(s, kind, text);
    bool over = ++s->synprot_errors > s->main->smtp_max_synprot_errors;
    if (code > 0) {
        struct str number = str_printf(a, "%d", code);
        struct str all =
            str_is_set(data) ? str_printf(a, "%.*s: %.*s", STR_ARG(data), STR_ARG(text)) : text;
        put_lines(s, number, all, !over);
    }
    return over ? too_many_errors(s, code) : SMTP_NEXT_COMMAND;
}

enum smtp_next
smtp_reject(struct smtp_session *s, int code, const char *text)
{
    struct arena *a = s->message_arena;
    if (s->batch)
        return smtp_batch_error(s, str_cstr(a, str_printf(a, "%d %s", code, text)), true);
    smtp_answer(s, "%d %s", code, text);
    return SMTP_NEXT_COMMAND;
}

/* --- refusals by ACLs --- */

/* What was refused: the command and its argument, as log lines have it. */
static struct str
what(struct smtp_session *s, enum acl_phase phase)
{
    switch ((int)phase) {
    case ACL_PHASE_CONNECT:
        return STR_LIT("connection in \"connect\" ACL");
    case ACL_PHASE_DATA:
    case ACL_PHASE_MIME:
        return STR_LIT("after DATA");
    case ACL_PHASE_PREDATA:
        return STR_LIT("DATA");
    default:
        break;
    }
    struct str title = acl_phase_title(phase), mechanism = s->argument;
    if (phase == ACL_PHASE_AUTH) { /* what follows may be a password */
        size_t blank = str_chr(mechanism, ' ', 0);
        mechanism = str_sub(mechanism, 0, blank == STR_NPOS ? mechanism.n : blank);
        return str_printf(s->message_arena, "%.*s %.*s", STR_ARG(title), STR_ARG(mechanism));
    }
    if (s->argument.n == 0 && phase != ACL_PHASE_STARTTLS)
        return title;
    return str_printf(s->message_arena, "%.*s %.*s", STR_ARG(title), STR_ARG(s->argument));
}

static struct str
sender_field(struct smtp_session *s, enum acl_phase phase)
{
    const struct session *m = s->model;
    if (phase != ACL_PHASE_RCPT && phase != ACL_PHASE_DATA && phase != ACL_PHASE_MIME)
        return STR_EMPTY;
    struct buf b = buf_in(s->message_arena, 0);
    buf_printf(&b, "F=<%.*s> ", STR_ARG(s->message->sender));
    if (m->sender_host_authenticated.n > 0) {
        buf_printf(&b, "A=%.*s", STR_ARG(m->sender_host_authenticated));
        if (m->authenticated_id.n > 0)
            buf_printf(&b, ":%.*s", STR_ARG(m->authenticated_id));
        buf_addc(&b, ' ');
    }
    return buf_str(&b);
}

static struct str
tls_field(struct smtp_session *s)
{
    struct buf b = buf_in(s->message_arena, 0);
    maillog_add_tls(s->engine, &b, &s->model->tls_in, false);
    if (b.n > 0)
        buf_addc(&b, ' ');
    return str_trim_left(buf_str(&b));
}

static struct str
first_line(struct str text)
{
    size_t nl = str_chr(text, '\n', 0);
    return str_sub(text, 0, nl == STR_NPOS ? text.n : nl);
}

/* The code for a refusal when the ACL gives none. */
static const char *
refusal_code(enum acl_phase phase)
{
    switch ((int)phase) {
    case ACL_PHASE_ETRN:
        return "458";
    case ACL_PHASE_VRFY:
        return "252";
    case ACL_PHASE_AUTH:
        return "503";
    default:
        return "550";
    }
}

/* The digit with which a code for a refusal begins. 252: nobody says no to VRFY without being told to. */
static char
refusal_class(enum acl_phase phase)
{
    char class = refusal_code(phase)[0];
    return class == '2' ? '5' : class;
}

/* The text as it was told to the peer: with another code in place of one that is of another class. */
static struct str
with_right_class(struct smtp_session *s, enum acl_phase phase, struct str text)
{
    if (!starts_with_code(text) || text.p[0] == refusal_class(phase))
        return text;
    return str_printf(s->message_arena, "%s%.*s", refusal_code(phase),
                      STR_ARG(str_sub(text, CODE_N, text.n)));
}

static void
log_refusal(struct smtp_session *s, enum acl_phase phase, const struct acl_answer *a)
{
    bool later = a->result == ACL_DEFER || a->result == ACL_ERROR;
    struct str peer = smtp_peer(s, true);
    struct str why = str_is_set(a->log_message) ? first_line(a->log_message) : STR_EMPTY;
    if (a->log_to == 0)
        return;
    if (!later && str_is_set(a->message) && str_eq(a->log_message, a->message))
        why = with_right_class(s, phase, why);
    smtp_log(s, a->log_to, "%.*s%s%.*s%.*s%srejected %.*s%s%.*s", STR_ARG(peer),
             peer.n > 0 ? " " : "", STR_ARG(tls_field(s)), STR_ARG(sender_field(s, phase)),
             later ? "temporarily " : "", STR_ARG(what(s, phase)), why.n > 0 ? ": " : "",
             STR_ARG(why));
}

/* What is said around the details of a failed verification of the sender, by what a callout had asked for. */
static const struct {
    const char *before, *after;
} sender_words[] = {
    [ACL_CALLED_NONE] = {"Verification failed for", NULL},
    [ACL_CALLED_ADDRESS] = {"Verification failed for", NULL},
    [ACL_CALLED_SETUP] =
        {"Callback setup failed while verifying",
         "The initial connection, or a HELO or MAIL FROM:<> command was\n"
         "rejected. Refusing MAIL FROM:<> does not help fight spam, disregards\n"
         "RFC requirements, and stops you from receiving standard bounce\n"
         "messages. This host does not accept mail from domains whose servers\n"
         "refuse bounces."},
    [ACL_CALLED_POSTMASTER] = {"Postmaster verification failed while checking",
                               "Several RFCs state that you are required to have a postmaster\n"
                               "mailbox for each mail domain. This host does not accept mail\n"
                               "from domains whose servers reject the postmaster address."},
};

/* What a failed verification of the sender was: told once for each sender. */
static void
tell_sender(struct smtp_session *s, const struct acl_answer *a)
{
    bool later = a->sender_why.outcome == OUT_DEFER;
    struct str log = str_is_set(a->sender_why.log) ? a->sender_why.log : STR_EMPTY;
    if (str_eq(s->sender_checked, a->sender) && str_is_set(s->sender_checked))
        return;
    s->sender_checked = a->sender;
    if (maillog_selected(s->engine, LOG_SELECTOR_SENDER_VERIFY_FAIL)) {
        struct str peer = smtp_peer(s, true);
        maillog(s->engine, MAILLOG_MAIN | MAILLOG_REJECT, s->message->id,
                "%.*s%ssender verify %s for <%.*s>%s%.*s", STR_ARG(peer), peer.n > 0 ? " " : "",
                later ? "defer" : "fail", STR_ARG(a->sender), log.n > 0 ? ": " : "",
                STR_ARG(first_line(log)));
    }
    if (later || smtp_single_lines(s) || a->no_details || s->batch)
        return;
    struct str text = str_printf(s->message_arena, "%s <%.*s>", sender_words[a->called].before,
                                 STR_ARG(a->sender));
    put_lines(s, STR_LIT("550"), text, false);
    if (a->sender_why.peer.n > 0)
        put_lines(s, STR_LIT("550"), folded(s->message_arena, a->sender_why.peer), false);
    if (sender_words[a->called].after != NULL)
        put_lines(s, STR_LIT("550"), str_from_cstr(sender_words[a->called].after), false);
}

struct str
smtp_acl_words(const struct smtp_session *s, const struct acl_answer *a)
{
    bool later = a->result == ACL_DEFER || a->result == ACL_ERROR;
    struct str text = a->message;
    if (later && !a->details && !s->main->smtp_return_error_details)
        return STR_LIT("Temporary local problem - please try later");
    if (!str_is_set(text))
        return later ? STR_LIT("Temporary local problem - please try later")
                     : STR_LIT("Administrative prohibition");
    if (!starts_with_code(text))
        return text;
    text = str_trim_left(str_sub(text, CODE_N, text.n));
    return str_trim_left(str_sub(text, smtp_enhanced_length(text), text.n));
}

static void
answer_refusal(struct smtp_session *s, enum acl_phase phase, const struct acl_answer *a)
{
    bool later = a->result == ACL_DEFER || a->result == ACL_ERROR;
    if (!later) {
        struct str text =
            str_is_set(a->message) ? a->message : STR_LIT("Administrative prohibition");
        struct str head = take_code(s, refusal_code(phase), refusal_class(phase), &text);
        put_lines(s, head, of_one_line(s, folded(s->message_arena, text)), true);
        return;
    }
    bool details = s->main->smtp_return_error_details;
    if ((a->details || details) && str_is_set(a->message)) {
        if (details && a->sender_unverified && a->sender_why.log.n > 0)
            put_lines(s, STR_LIT("451"), folded(s->message_arena, a->sender_why.log), false);
        smtp_answer_text(s, "451", a->message);
        return;
    }
    smtp_answer(s, "451 Temporary local problem - please try later");
}

enum smtp_next
smtp_acl_refusal(struct smtp_session *s, enum acl_phase phase, const struct acl_answer *a)
{
    enum smtp_next next = smtp_acl_answer(s, phase, a);
    log_refusal(s, phase, a);
    return next;
}

enum smtp_next
smtp_acl_answer(struct smtp_session *s, enum acl_phase phase, const struct acl_answer *a)
{
    if (a->sender_unverified)
        tell_sender(s, a);
    answer_refusal(s, phase, a);
    if (a->result != ACL_DROP)
        return SMTP_NEXT_COMMAND;
    smtp_log_connection(s, " closed by DROP in ACL");
    s->notquit = "acl-drop";
    return SMTP_NEXT_CLOSE;
}
