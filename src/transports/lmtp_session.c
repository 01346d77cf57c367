/* One delivery over LMTP, to a command or a UNIX socket. Source: RFC 2033; specification, chapter "The lmtp transport". */
#include "transports/lmtp.h"

#include "conf/eval.h"
#include "conf/main_options.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "sys/await.h"
#include "sys/spawn.h"
#include "transports/command.h"
#include "transports/message_write.h"
#include "transports/reply_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

struct lmtp {
    const struct transport_job *job;
    const struct transport_lmtp *opt;
    struct arena *arena;
    struct transport_answer *answers;
    bool *accepted; /* an address a recipient: its RCPT was */
    size_t accepted_n;
    struct str what; /* "NAME transport" */
    pid_t pid;       /* of the command, or -1 */
    int in, out;     /* to write to, to read from; a socket is both */
    struct reply_reader reader;
    struct smtp_reply reply;
    struct str command; /* that was sent last, or what stands for it */
    bool ignores_quota; /* the server offers IGNOREQUOTA */
    int64_t written;    /* bytes of the message, once it was sent; 0: not yet */
};

/* --- outcomes --- */

__attribute__((format(printf, 4, 0))) static struct why
make_why(struct lmtp *s, enum outcome outcome, int number, const char *fmt, va_list ap)
{
    struct buf b = buf_in(s->arena, 0);
    buf_vprintf(&b, fmt, ap);
    return (struct why){.outcome = outcome, .sys_errno = number, .log = buf_str(&b)};
}

/* The same for all addresses. Always false. */
static bool __attribute__((format(printf, 4, 5)))
say_all(struct lmtp *s, enum outcome outcome, int number, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct why why = make_why(s, outcome, number, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < s->job->n; i++)
        s->answers[i] = (struct transport_answer){.why = why};
    return false;
}

static void __attribute__((format(printf, 5, 6)))
say_one(struct lmtp *s, size_t i, enum outcome outcome, int number, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    s->answers[i].why = make_why(s, outcome, number, fmt, ap);
    va_end(ap);
}

/* A reply that is no success, for the address i or (i == n) for all: 5xx is for good. */
static bool
say_reply(struct lmtp *s, size_t i, int number)
{
    bool failed = s->reply.code / 100 == 5;
    struct str text = str_printf(s->arena, "LMTP error after %.*s: %.*s", STR_ARG(s->command),
                                 STR_ARG(s->reply.text));
    enum outcome o = failed ? OUT_FAIL : OUT_DEFER;
    if (i == s->job->n) {
        (void)say_all(s, o, failed ? 0 : number, "%.*s", STR_ARG(text));
        for (size_t k = 0; k < s->job->n; k++)
            s->answers[k].why.smtp_code = s->reply.code;
        return false;
    }
    say_one(s, i, o, failed ? 0 : number, "%.*s", STR_ARG(text));
    s->answers[i].why.smtp_code = s->reply.code;
    s->answers[i].why.enhanced = s->reply.enhanced;
    if (failed)
        s->answers[i].why.peer = s->answers[i].why.log;
    return false;
}

/* What went wrong with a reply that did not come; the answer of one address or of all. */
static struct str
lack_of(struct lmtp *s, enum reply_end end)
{
    struct str after = s->command;
    if (s->written > 0)
        after = str_printf(s->arena, "%.*s (%lld bytes written)", STR_ARG(after),
                           (long long)s->written);
    if (end == REPLY_TIMED_OUT)
        return str_printf(s->arena, "LMTP timeout after %.*s", STR_ARG(after));
    if (end == REPLY_BAD)
        return str_printf(s->arena, "Malformed LMTP response after %.*s: %.*s", STR_ARG(after),
                          STR_ARG(s->reply.text));
    return str_printf(s->arena, "LMTP connection closed after %.*s", STR_ARG(after));
}

static int
number_of(enum reply_end end)
{
    return end == REPLY_BAD ? WHY_BAD_REPLY : WHY_UNKNOWN;
}

/* --- the connection --- */

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool
start_command(struct lmtp *s)
{
    const struct command_request rq = {
        .arena = s->arena,
        .vm = s->job->vm,
        .text = s->opt->command.text,
        .what = s->what,
        .expand = true,
        .tainted_arguments = true,
        .addresses = s->job->addresses,
        .n = s->job->n,
    };
    struct command c;
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    if (command_make(&rq, &c) != OUT_OK)
        return say_all(s, OUT_ERROR, WHY_UNKNOWN, "%.*s", STR_ARG(c.error));
    if (s->job->dont_deliver)
        return say_all(s, OUT_OK, 0, "%s", "");
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0 && pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0) {
        const struct spawn_request start = {
            .argv = c.argv, .environ = environ, .in = in[0], .out = out[1], .err = null};
        s->pid = spawn_program(&start);
    }
    int fault = errno;
    close_fd(&null);
    close_fd(&in[0]);
    close_fd(&out[1]);
    s->in = in[1];
    s->out = out[0];
    return s->pid > 0 || say_all(s, OUT_DEFER, fault, "Failed to create child process for %.*s",
                                 STR_ARG(s->what));
}

static bool
connect_socket(struct lmtp *s)
{
    struct str path;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (vm_expand_x(s->job->vm, &s->opt->socket, &path) != VM_OK)
        return say_all(s, OUT_DEFER, WHY_UNKNOWN,
                       "Expansion of \"%.*s\" (socket setting for %.*s) failed: %.*s",
                       STR_ARG(s->opt->socket.text), STR_ARG(s->what),
                       STR_ARG(vm_error(s->job->vm)));
    if (str_is_tainted(path))
        return say_all(s, OUT_DEFER, EACCES, "Tainted '%.*s' (socket for %.*s) not permitted",
                       STR_ARG(path), STR_ARG(s->what));
    if (s->job->dont_deliver)
        return say_all(s, OUT_OK, 0, "%s", "");
    bool fits = path.n < sizeof to.sun_path && !str_has_nul(path);
    if (fits)
        memcpy(to.sun_path, path.p, path.n);
    s->in = s->out = fits ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (s->in >= 0 && connect(s->in, (const struct sockaddr *)&to, sizeof to) == 0)
        return true;
    return say_all(s, OUT_DEFER, WHY_UNKNOWN, "Failed to connect to socket %.*s for %.*s: %s",
                   STR_ARG(path), STR_ARG(s->what), strerror(fits ? errno : ENAMETOOLONG));
}

static void
disconnect(struct lmtp *s)
{
    int status;
    if (s->out != s->in)
        close_fd(&s->out);
    close_fd(&s->in);
    if (s->pid <= 0)
        return;
    int64_t wait_ms = s->opt->timeout > 0 ? s->opt->timeout * 1000 : 1000;
    (void)await_end(s->pid, await_now_ms() + wait_ms, &status);
}

/* --- dialogue --- */

static enum reply_end
next_reply(struct lmtp *s)
{
    return reply_reader_next(s->arena, &s->reader, s->opt->timeout * 1000, &s->reply);
}

static struct message_sink
sink_of(struct lmtp *s)
{
    return (struct message_sink){
        .arena = s->arena, .fd = s->in, .idle_ms = s->opt->timeout * 1000};
}

/* Sends a line and reads the reply. */
static enum reply_end __attribute__((format(printf, 2, 3)))
ask(struct lmtp *s, const char *fmt, ...)
{
    va_list ap;
    struct buf b = buf_in(s->arena, 0);
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    s->command = buf_str(&b);
    struct message_sink sink = sink_of(s);
    message_sink_adds(&sink, s->command);
    message_sink_add(&sink, "\r\n", 2);
    /* A server that has gone shows when its reply is read. */
    if (!message_sink_flush(&sink) && sink.sys_errno == ETIMEDOUT)
        return REPLY_TIMED_OUT;
    return next_reply(s);
}

/* A reply that must be a success, else it is the end for all. */
static bool
must(struct lmtp *s, enum reply_end end, int class, int number)
{
    if (end != REPLY_READ)
        return say_all(s, OUT_DEFER, number_of(end), "%.*s", STR_ARG(lack_of(s, end)));
    return s->reply.code / 100 == class || say_reply(s, s->job->n, number);
}

static bool
greet(struct lmtp *s)
{
    s->command = STR_LIT("initial connection");
    if (!must(s, next_reply(s), 2, WHY_UNKNOWN))
        return false;
    struct str name = s->job->eval->conf->main->primary_hostname;
    if (!must(s, ask(s, "LHLO %.*s", STR_ARG(name)), 2, WHY_UNKNOWN))
        return false;
    for (size_t i = 0; i < s->reply.lines; i++)
        if (str_ieqz(str_trim(smtp_reply_line(&s->reply, i)), "ignorequota"))
            s->ignores_quota = true;
    return true;
}

/* False: the connection is no good any more. */
static bool
send_recipients(struct lmtp *s)
{
    const struct transport_generic *g = s->job->transport->generic.fields;
    const char *quota = s->opt->ignore_quota && s->ignores_quota ? " IGNOREQUOTA" : "";
    for (size_t i = 0; i < s->job->n; i++) {
        struct str to =
            transport_rcpt_address(s->arena, s->job->addresses[i], g->rcpt_include_affixes);
        enum reply_end end = ask(s, "RCPT TO:<%.*s>%s", STR_ARG(to), quota);
        if (end != REPLY_READ)
            return say_all(s, OUT_DEFER, number_of(end), "%.*s", STR_ARG(lack_of(s, end)));
        s->accepted[i] = s->reply.code / 100 == 2;
        s->accepted_n += s->accepted[i];
        if (!s->accepted[i])
            say_reply(s, i, WHY_RCPT_4XX);
    }
    return true;
}

/* The message itself. False: it could not be sent whole; no reply can be had. */
static bool
send_message(struct lmtp *s, const struct message_write *w, struct message_written *written)
{
    struct message_sink sink = sink_of(s);
    message_write(w, &sink, written);
    if (written->ok)
        return true;
    if (written->filter_failed || (written->filter_timed_out && sink.sys_errno == 0)) {
        int code = message_written_code(written);
        return written->filter_timed_out
                   ? say_all(s, OUT_DEFER, ETIMEDOUT, "transport filter timeout")
                   : say_all(s, OUT_ERROR, WHY_FILTER, "transport filter process failed (%d)%s",
                             code, code == SPAWN_NO_EXEC ? ": unable to execute command" : "");
    }
    return say_all(s, OUT_DEFER, written->sys_errno,
                   "LMTP message could not be sent (%lld bytes written)",
                   (long long)written->bytes);
}

/* One reply for each recipient that was accepted. */
static bool
read_results(struct lmtp *s)
{
    enum reply_end end = REPLY_READ;
    for (size_t i = 0; i < s->job->n; i++) {
        if (!s->accepted[i])
            continue;
        if (end == REPLY_READ)
            end = next_reply(s);
        if (end != REPLY_READ) {
            say_one(s, i, OUT_DEFER, number_of(end), "%.*s", STR_ARG(lack_of(s, end)));
            s->answers[i].how = TRANSPORT_HOW_DOUBTFUL;
            continue;
        }
        if (s->reply.code / 100 != 2) {
            say_reply(s, i, WHY_DATA_4XX);
            continue;
        }
        struct buf note = buf_in(s->arena, 0);
        buf_addz(&note, "C=\"");
        for (uint32_t k = 0; k < s->reply.text.n; k++)
            if (s->reply.text.p[k] == '\n')
                buf_addz(&note, "\\n");
            else
                buf_addc(&note, s->reply.text.p[k]);
        buf_addc(&note, '"');
        s->answers[i] = (struct transport_answer){
            .why = {.outcome = OUT_OK},
            .log_note = buf_str(&note),
            .confirmation = str_sub(buf_str(&note), 3, note.n - 1),
        };
    }
    return end == REPLY_READ;
}

/* False: no QUIT is worth while. */
static bool
converse(struct lmtp *s, const struct message_write *w)
{
    struct message_written written;
    if (!greet(s))
        return s->reply.code != 0;
    if (!must(s, ask(s, "MAIL FROM:<%.*s>", STR_ARG(s->job->return_path)), 2, WHY_MAIL_4XX))
        return s->reply.code != 0;
    if (!send_recipients(s))
        return false;
    if (s->accepted_n == 0)
        return true;
    if (!must(s, ask(s, "DATA"), 3, WHY_DATA_4XX))
        return s->reply.code != 0;
    if (!send_message(s, w, &written))
        return false;
    s->command = STR_LIT("end of data");
    s->written = written.bytes;
    return read_results(s);
}

void
lmtp_deliver(const struct transport_job *job, struct transport_answer *answers)
{
    struct lmtp s = {.job = job,
                     .opt = job->transport->own.fields,
                     .arena = job->arena,
                     .answers = answers,
                     .pid = -1,
                     .in = -1,
                     .out = -1};
    struct message_write w;
    struct why why = {.outcome = OUT_OK};
    s.what = str_printf(s.arena, "%.*s transport", STR_ARG(job->transport->name));
    s.accepted = ARENA_ARRAY(s.arena, bool, job->n);
    message_write_init(&w, job);
    w.flags |= MESSAGE_WRITE_DOTS | MESSAGE_WRITE_CRLF;
    if (message_write_prepare(&w, &why) != OUT_OK) {
        (void)say_all(&s, why.outcome, why.sys_errno, "%.*s", STR_ARG(why.log));
        return;
    }
    bool command = str_is_set(s.opt->command.text);
    if (command ? start_command(&s) : connect_socket(&s)) {
        (void)fcntl(s.in, F_SETFL, O_NONBLOCK);
        reply_reader_start(s.arena, &s.reader, s.out);
        if (converse(&s, &w))
            (void)ask(&s, "QUIT");
        else if (s.pid > 0)
            kill(-s.pid, SIGTERM);
    }
    disconnect(&s);
}
