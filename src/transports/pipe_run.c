/* Runs the command of a pipe transport: the message goes in, what it says comes out, its end decides. Source: specification,
 * sections "Returned status and data", "Private options for pipe". */
#include "transports/pipe.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/strlist.h"
#include "mail/why_errno.h"
#include "sys/await.h"
#include "sys/spawn.h"
#include "transports/message_write.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

bool
pipe_say(struct pipe_delivery *p, enum outcome outcome, int number, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(p->arena, fmt, ap);
    va_end(ap);
    p->answer->why = (struct why){.outcome = outcome, .sys_errno = number, .log = text};
    return false;
}

/* --- the command at work --- */

struct running {
    struct pipe_delivery *p;
    pid_t pid;
    int in, out; /* -1: closed */
    int64_t deadline_ms;
    struct buf output;
    bool timed_out;
};

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool
start(struct running *r)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    struct pipe_delivery *p = r->p;
    r->pid = -1;
    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0) {
        const struct spawn_request rq = {
            .argv = p->argv,
            .environ = p->environ,
            .in = in[0],
            .out = out[1],
            .set_umask = true,
            .umask = (mode_t)p->opt->umask,
            .core = p->opt->permit_coredump,
        };
        r->pid = spawn_program(&rq);
    }
    int fault = errno;
    close_fd(&in[0]);
    close_fd(&out[1]);
    r->in = in[1];
    r->out = out[0];
    if (r->pid > 0)
        return fcntl(r->in, F_SETFL, O_NONBLOCK) == 0 &&
               fcntl(r->out, F_SETFL, O_NONBLOCK) == 0;
    close_fd(&r->in);
    close_fd(&r->out);
    return pipe_say(p, OUT_DEFER, fault, "Failed to create child process for %.*s",
                    STR_ARG(p->what));
}

/* Reads what there is. What goes beyond max_output ends the command. */
static void
read_output(struct running *r)
{
    char chunk[8192];
    ssize_t n = read(r->out, chunk, sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_fd(&r->out);
        return;
    }
    if (r->output.overflow)
        return;
    size_t room = r->output.limit - r->output.n;
    buf_add(&r->output, chunk, (size_t)n < room ? (size_t)n : room);
    if ((size_t)n > room) {
        r->output.overflow = true;
        kill(-r->pid, SIGKILL);
    }
}

/* Waits for room to write or something to read, and reads it. False: the time is up. */
static bool
wait_either(struct running *r, bool writing, bool *writable)
{
    int64_t left = -1;
    if (r->deadline_ms > 0) {
        left = r->deadline_ms - await_now_ms();
        if (left <= 0) {
            r->timed_out = true;
            return false;
        }
    }
    struct pollfd f[2] = {{.fd = r->out, .events = POLLIN},
                          {.fd = writing ? r->in : -1, .events = POLLOUT}};
    int n = poll(f, 2, left > INT32_MAX ? INT32_MAX : (int)left);
    *writable = n > 0 && f[1].revents != 0;
    if (n > 0 && f[0].revents != 0)
        read_output(r);
    return true;
}

/* The put of the message's sink. What the command does not read is dropped. */
static bool
put(void *ctx, struct iovec *v, int count)
{
    struct running *r = ctx;
    bool writable;
    while (count > 0 && r->in >= 0) {
        ssize_t n = writev(r->in, v, count);
        if (n >= 0)
            message_sink_advance(&v, &count, (size_t)n);
        else if (errno == EPIPE)
            close_fd(&r->in);
        else if (errno != EAGAIN && errno != EINTR)
            return false;
        else if (!wait_either(r, true, &writable)) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    return true;
}

/* Reads to the end, then waits for it. Returns waitpid's status. */
static int
finish(struct running *r, bool abandoned)
{
    int status = 0;
    bool writable;
    close_fd(&r->in);
    while (!abandoned && r->out >= 0 && wait_either(r, false, &writable))
        continue;
    close_fd(&r->out);
    if (abandoned || r->timed_out)
        kill(-r->pid, SIGKILL);
    if (await_end(r->pid, abandoned || r->timed_out ? 0 : r->deadline_ms, &status) ==
        AWAIT_TIMED_OUT)
        r->timed_out = true;
    return status;
}

/* --- what its end means --- */

/* The sender learns no details. */
static void
fail_quietly(struct pipe_delivery *p)
{
    if (p->answer->why.outcome == OUT_FAIL)
        p->answer->why.peer = STR_LIT("local delivery failed");
}

static struct str
meaning_of(struct arena *a, int code)
{
    switch (code) {
#define PIPE_STATUS(number, text)                                                              \
    case number:                                                                               \
        return STR_LIT(" (could mean " text ")");
#include "transports/pipe_status.def"
#undef PIPE_STATUS
    default:
        break;
    }
    if (code > 128 && code < 128 + NSIG)
        return str_printf(a, " (could mean shell command ended by signal %d (%s))", code - 128,
                          strsignal(code - 128));
    return STR_EMPTY;
}

static bool
is_temporary(struct pipe_delivery *p, int code)
{
    struct str item, list = p->opt->temp_errors.text;
    uint64_t n;
    if (str_eqz(list, "*"))
        return true;
    struct strlist_split s = strlist_split_start(list, ':');
    while (strlist_split_next(&s, p->arena, &item))
        if (num_parse_digits(item, &n) && n == (uint64_t)code)
            return true;
    return false;
}

static void
take_signal(struct pipe_delivery *p, int number)
{
    if (!p->opt->freeze_signal && p->opt->ignore_status)
        return;
    pipe_say(
        p, p->opt->freeze_signal ? OUT_DEFER : OUT_FAIL, 0,
        "Child process of %.*s (running command \"%.*s\") was terminated by signal %d (%s)",
        STR_ARG(p->what), STR_ARG(p->command), number, strsignal(number));
    p->answer->freeze = p->opt->freeze_signal;
    fail_quietly(p);
}

static void
take_code(struct pipe_delivery *p, int code)
{
    p->answer->detail = code;
    if (code == SPAWN_NO_EXEC && p->opt->freeze_exec_fail) {
        pipe_say(p, OUT_DEFER, 0, "pipe process failed to exec \"%s\"", p->argv[0]);
        p->answer->freeze = true;
        return;
    }
    if (code == 0 || p->opt->ignore_status)
        return;
    pipe_say(p, is_temporary(p, code) ? OUT_DEFER : OUT_FAIL, 0,
             "Child process of %.*s returned %d%.*s from command: %s", STR_ARG(p->what), code,
             STR_ARG(meaning_of(p->arena, code)), p->argv[0]);
    fail_quietly(p);
}

static void
say_timeout(struct pipe_delivery *p, const char *text)
{
    pipe_say(p, p->opt->timeout_defer ? OUT_DEFER : OUT_FAIL, 0, "%s", text);
    fail_quietly(p);
}

/* Faults of the writing, which come before what the command itself says. True: there was one. */
static bool
take_write_fault(struct pipe_delivery *p, const struct message_written *w)
{
    if (w->filter_timed_out)
        say_timeout(p, "transport filter timeout while writing to pipe");
    else if (w->filter_failed) {
        int code = message_written_code(w);
        pipe_say(p, OUT_ERROR, WHY_FILTER, "Transport filter process failed (%d)%s", code,
                 code == SPAWN_NO_EXEC ? ": unable to execute command" : "");
    } else if (w->reading)
        pipe_say(p, OUT_DEFER, w->sys_errno, "failed to read the message for %.*s",
                 STR_ARG(p->what));
    else if (!w->ok)
        pipe_say(p, OUT_DEFER, w->sys_errno, "Error %d while writing to pipe", w->sys_errno);
    else
        return false;
    return true;
}

/* --- its output --- */

static struct str
first_line(struct arena *a, struct str text)
{
    size_t end = str_chr(text, '\n', 0);
    struct str line = str_sub(text, 0, end == STR_NPOS ? text.n : end);
    while (line.n > 0 && ascii_space(line.p[line.n - 1]))
        line.n--;
    (void)a;
    return line;
}

/* log_output and return_output with their kin. */
static void
take_output(struct pipe_delivery *p, struct buf *output)
{
    const struct transport_pipe *o = p->opt;
    struct why *why = &p->answer->why;
    if (output->n == 0 || p->job->shadow)
        return;
    bool cut = output->overflow;
    output->overflow = false;
    output->limit += 256;
    if (cut)
        buf_addz(output, "\n\n*** Too much output - remainder discarded ***\n");
    struct str text = str_tainted(buf_str(output));
    if (o->log_output || (o->log_fail_output && why->outcome == OUT_FAIL) ||
        (o->log_defer_output && why->outcome == OUT_DEFER))
        p->answer->log_line = first_line(p->arena, text);
    if (p->job->return_to_nobody)
        return;
    if (o->return_output) {
        if (!str_is_set(why->log))
            why->log = STR_LIT("return message generated");
        why->outcome = OUT_FAIL;
        p->answer->freeze = false;
        p->answer->output = text;
    } else if (o->return_fail_output && why->outcome == OUT_FAIL)
        p->answer->output = text;
}

/* --- the delivery --- */

static bool
prepare_message(struct pipe_delivery *p, struct message_write *w)
{
    message_write_init(w, p->job);
    w->check = p->opt->check_string;
    w->escape = p->opt->escape_string;
    w->prefix = p->opt->message_prefix;
    w->suffix = p->opt->message_suffix;
    w->flags |= (p->opt->use_crlf ? MESSAGE_WRITE_CRLF : 0u) |
                (p->opt->use_bsmtp ? MESSAGE_WRITE_BSMTP : 0u);
    return message_write_prepare(w, &p->answer->why) == OUT_OK;
}

static void
run(struct pipe_delivery *p, const struct message_write *w)
{
    struct running r = {.p = p, .output = buf_in(p->arena, (size_t)p->opt->max_output)};
    struct message_sink sink = {.arena = p->arena, .put = put, .ctx = &r, .fd = -1};
    struct message_written written;
    if (p->opt->timeout > 0)
        r.deadline_ms = await_now_ms() + p->opt->timeout * 1000;
    if (!start(&r))
        return;
    message_write(w, &sink, &written);
    p->answer->size = written.bytes;
    int status = finish(&r, !written.ok);
    if (r.timed_out)
        say_timeout(p, "pipe delivery process timed out");
    else if (!take_write_fault(p, &written)) {
        if (WIFSIGNALED(status))
            take_signal(p, WTERMSIG(status));
        else
            take_code(p, WEXITSTATUS(status));
    }
    take_output(p, &r.output);
}

void
pipe_deliver(const struct transport_job *job, struct transport_answer *answers)
{
    struct pipe_delivery p = {
        .job = job, .opt = job->transport->own.fields, .arena = job->arena};
    struct message_write w;
    p.answer = &answers[0];
    p.answer->why = (struct why){.outcome = OUT_OK};
    p.what = str_printf(p.arena, "%.*s transport", STR_ARG(job->transport->name));
    if (pipe_command_make(&p) && pipe_environ_make(&p) && prepare_message(&p, &w) &&
        !job->dont_deliver)
        run(&p, &w);
    for (size_t i = 1; i < job->n; i++) {
        answers[i] = answers[0];
        answers[i].log_line = answers[i].output = STR_NULL;
    }
}
