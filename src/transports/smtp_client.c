/* One connection to an SMTP server; see smtp_client.h. */
#include "transports/smtp_client.h"

#include "conf/eval.h"
#include "conf/list.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "sys/peer_address.h"
#include "transports/smtp_client_dane.h"
#include "transports/smtp_client_greet.h"
#include "transports/smtp_client_socks.h"
#include "transports/smtp_client_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    COMMAND_MAX = 64 * 1024, /* bytes of commands that wait */
    MS = 1000,
    LOGGED_MAX = 1024, /* bytes of a server's answer in a log line, as the reference cuts it */
    QUIT_WAIT_MS = 2000, /* nothing depends on the answer to QUIT */
};

/* --- words --- */

static const char *
protocol_word(const struct smtp_client *c)
{
    return c->lmtp ? "LMTP" : "SMTP";
}

static struct str
lack_text(struct smtp_client *c, struct arena *a, enum reply_end end, struct str command,
          int64_t bytes)
{
    if (end == REPLY_TIMED_OUT && bytes > 0)
        return str_printf(a, "%s timeout after %.*s (%lld bytes written)", protocol_word(c),
                          STR_ARG(command), (long long)bytes);
    if (end == REPLY_TIMED_OUT)
        return str_printf(a, "%s timeout after %.*s", protocol_word(c), STR_ARG(command));
    if (end == REPLY_CLOSED)
        return str_printf(a, "Remote host closed connection in response to %.*s",
                          STR_ARG(command));
    if (c->reply.text.n == 0)
        return str_printf(a, "Malformed %s reply (an empty line) in response to %.*s",
                          protocol_word(c), STR_ARG(command));
    return str_printf(a, "Malformed %s reply in response to %.*s: %.*s", protocol_word(c),
                      STR_ARG(command), STR_ARG(c->reply.text));
}

struct str
smtp_client_line(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    b.taint = text.taint;
    for (uint32_t i = 0; i < text.n && b.n < LOGGED_MAX; i++)
        if (text.p[i] == '\n')
            buf_addz(&b, "\\n");
        else
            buf_addc(&b, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
    return str_sub(buf_str(&b), 0, LOGGED_MAX);
}

struct why
smtp_client_why(struct smtp_client *c, struct arena *a, enum reply_end end, struct str command,
                int number, int64_t bytes)
{
    static const int numbers[] = {
        [REPLY_READ] = 0,
        [REPLY_TIMED_OUT] = ETIMEDOUT,
        [REPLY_CLOSED] = WHY_CLOSED,
        [REPLY_BAD] = WHY_BAD_REPLY,
    };
    struct why why = {.outcome = OUT_DEFER,
                      .sys_errno = numbers[end],
                      .host = str_dup(a, c->host.name),
                      .host_ip = str_dup(a, c->host.address)};
    if (end != REPLY_READ) {
        why.log = str_tainted(smtp_client_line(a, lack_text(c, a, end, command, bytes)));
        return why;
    }
    int class = c->reply.code / 100;
    why.outcome = class == 5 ? OUT_FAIL : OUT_DEFER;
    why.sys_errno = class == 4 ? number : 0;
    why.smtp_code = c->reply.code;
    why.enhanced = str_is_set(c->reply.enhanced) ? str_dup(a, c->reply.enhanced) : STR_NULL;
    struct str words = str_printf(
        a, "%s error from remote mail server after %.*s:", protocol_word(c), STR_ARG(command));
    why.peer = str_tainted(str_printf(a, "%.*s\n%.*s", STR_ARG(words), STR_ARG(c->reply.text)));
    why.log = str_tainted(smtp_client_line(
        a, str_printf(a, "%.*s %.*s", STR_ARG(words), STR_ARG(c->reply.text))));
    return why;
}

void
smtp_client_ends(const struct smtp_client *c, struct arena *a, struct transport_answer *answer)
{
    answer->own_ip = str_dup(a, c->own_address);
    answer->own_port = c->own_port;
    answer->host_port = c->port;
    answer->proxy_ip = str_is_set(c->proxy_address) ? str_dup(a, c->proxy_address) : STR_NULL;
    answer->proxy_port = c->proxy_port;
    bool first = c->secure != NULL && smtp_client_tls_is_first(c->opt);
    answer->steps =
        str_printf(a, "%s%s%s%s", first ? "s" : "", c->esmtp ? "e" : "",
                   c->secure != NULL && !first ? "se" : "", c->auth_tried ? "a" : "");
    if (c->secure != NULL || c->relayed)
        tls_state_copy(&answer->tls, a, &c->tls_state);
    if (!c->authenticated)
        return;
    answer->auth_name = str_dup(a, c->auth_name);
    answer->auth_id = str_is_set(c->auth_id) ? str_dup(a, c->auth_id) : STR_NULL;
}

/* --- bytes --- */

struct str
smtp_client_put(struct smtp_client *c, struct arena *a, const char *fmt, ...)
{
    va_list ap;
    struct buf line = buf_in(a, 0);
    va_start(ap, fmt);
    buf_vprintf(&line, fmt, ap);
    va_end(ap);
    struct str text = buf_str(&line);
    if (str_chr(text, '\r', 0) != STR_NPOS || str_chr(text, '\n', 0) != STR_NPOS ||
        str_has_nul(text))
        return STR_NULL;
    buf_adds(&c->out, text);
    buf_add(&c->out, "\r\n", 2);
    return text;
}

/* ETIMEDOUT when nothing could be written for so long. */
bool
smtp_client_wait(const struct smtp_client *c, short events)
{
    struct pollfd p = {.fd = c->fd, .events = events};
    int64_t wait_ms = c->idle_ms > 0 ? c->idle_ms : -1;
    int n = poll(&p, 1, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0 || (n < 0 && errno == EINTR);
}

/* All that is written to the connection goes through here. A server that has gone is an error, no signal. */
static bool
send_pieces(void *ctx, struct iovec *v, int n)
{
    struct smtp_client *c = ctx;
    if (c->secure != NULL)
        return smtp_client_tls_send(c, v, n);
    while (n > 0) {
        const struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)n};
        ssize_t sent = sendmsg(c->fd, &m, MSG_NOSIGNAL);
        if (sent >= 0)
            message_sink_advance(&v, &n, (size_t)sent);
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!smtp_client_wait(c, POLLOUT))
                return false;
        } else if (errno != EINTR)
            return false;
    }
    return true;
}

struct message_sink
smtp_client_sink(struct smtp_client *c, struct arena *a, int64_t idle_ms)
{
    c->idle_ms = idle_ms;
    return (struct message_sink){.arena = a, .fd = -1, .put = send_pieces, .ctx = c};
}

bool
smtp_client_flush(struct smtp_client *c, int64_t timeout_ms)
{
    struct message_sink sink = smtp_client_sink(c, c->arena, timeout_ms);
    struct arena_mark mark = arena_mark(c->arena);
    message_sink_adds(&sink, buf_str(&c->out));
    bool ok = message_sink_flush(&sink) && !c->out.overflow;
    arena_reset(c->arena, mark);
    c->out.n = 0;
    if (!ok)
        c->broken = true;
    return ok;
}

enum reply_end
smtp_client_reply(struct smtp_client *c, struct arena *a, int64_t timeout_ms)
{
    enum reply_end end = reply_reader_next(a, &c->reader, timeout_ms, &c->reply);
    if (end != REPLY_READ)
        c->broken = true;
    return end;
}

/* --- who it is --- */

static void
tell_broken(const struct transport_job *job, const struct xstr *list)
{
    if (job->eval->log != NULL)
        job->eval->log(job->eval->log_ctx, true,
                       str_printf(job->arena,
                                  "failed to expand \"%.*s\" while checking a list: %.*s",
                                  STR_ARG(list->text), STR_ARG(vm_error(job->vm))));
}

static enum outcome
look_up(const struct transport_job *job, const struct host_target *host,
        const struct xstr *list, const char *name)
{
    struct list_answer answer;
    struct str text;
    if (!str_is_set(list->text))
        return OUT_FAIL;
    enum vm_status st = vm_expand_x(job->vm, list, &text);
    if (st == VM_FORCED || (st == VM_OK && text.n == 0))
        return OUT_FAIL;
    if (st != VM_OK) {
        tell_broken(job, list);
        return OUT_DEFER;
    }
    const struct list_question q = {.kind = LIST_HOST,
                                    .subject = host->address,
                                    .host_name = host->name,
                                    .list = text,
                                    .what = str_from_cstr(name)};
    return list_match(job->eval, job->vm, &q, &answer);
}

bool
smtp_client_in_list(const struct transport_job *job, const struct host_target *host,
                    const struct xstr *list, const char *name)
{
    return look_up(job, host, list, name) == OUT_OK;
}

bool
smtp_client_requires(const struct transport_job *job, const struct host_target *host,
                     const struct xstr *list, const char *name)
{
    return look_up(job, host, list, name) != OUT_FAIL;
}

bool
smtp_client_has_event(const struct transport_job *job)
{
    const struct transport_generic *g = job->transport->generic.fields;
    return str_is_set(g->event_action.text);
}

struct str
smtp_client_event(const struct transport_job *job, const struct event *event)
{
    const struct transport_generic *g = job->transport->generic.fields;
    struct event own = *event;
    if (!str_is_set(own.data))
        own.data = STR_EMPTY;
    return event_raise(job->eval, job->vm, &g->event_action, job->transport->name, &own);
}

/* --- ends --- */

bool
smtp_client_say(struct smtp_end *end, enum smtp_fate fate, struct why why)
{
    end->fate = fate;
    end->why = why;
    end->why.outcome =
        fate == SMTP_HOST_FAIL || fate == SMTP_MESSAGE_FAIL ? OUT_FAIL : OUT_DEFER;
    return false;
}

bool
smtp_client_allows(struct smtp_client *c, const struct transport_job *job, const char *name,
                   struct str data, struct smtp_end *end)
{
    struct str refusal = smtp_client_event(job, &(struct event){.name = name, .data = data});
    if (!str_is_set(refusal))
        return true;
    if (c->fd < 0)
        return smtp_client_say(end, SMTP_HOST_DEFER,
                               (struct why){.outcome = OUT_DEFER, .sys_errno = WHY_EVENT});
    return smtp_client_say(
        end, SMTP_HOST_DEFER,
        (struct why){.outcome = OUT_DEFER,
                     .sys_errno = WHY_UNKNOWN,
                     .host = str_dup(job->arena, c->host.name),
                     .host_ip = str_dup(job->arena, c->host.address),
                     .log = str_printf(job->arena, "deferred by %s event expansion: %.*s", name,
                                       STR_ARG(refusal))});
}

/* --- connecting --- */

static bool
make_connection(struct smtp_client *c, const struct transport_job *job,
                const struct smtp_target *t, struct smtp_end *end)
{
    struct connected got;
    struct connect_request rq = {
        .port = t->port,
        .from = t->from,
        .timeout_ms = c->opt->connect_timeout * MS,
        .keepalive = c->opt->keepalive,
        .dscp = t->dscp,
        .first = buf_str(&c->out),
        .fast_open = smtp_client_in_list(job, t->host, &c->opt->hosts_try_fastopen,
                                         "hosts_try_fastopen"),
    };
    (void)ip_parse(t->host->address, &rq.to);
    end->connecting = true;
    enum smtp_socks through = smtp_client_socks(c, job, &rq, &got, end);
    if (through == SMTP_SOCKS_FAILED)
        return false;
    if (through == SMTP_SOCKS_NONE && !connect_tcp(&rq, &got))
        return smtp_client_say(end, SMTP_HOST_DEFER,
                               (struct why){.outcome = OUT_DEFER, .sys_errno = got.sys_errno});
    end->connecting = false;
    c->fd = got.fd;
    c->fast = got.fast;
    if (got.sent > 0)
        memmove(c->out.p, c->out.p + got.sent, c->out.n -= got.sent);
    c->own_address = ip_text(c->arena, &got.from);
    c->own_port = got.port;
    job->session->sending_address = str_dup(job->session->arena, c->own_address);
    job->session->sending_port = c->own_port;
    smtp_client_socks_show(c, job);
    reply_reader_start(c->arena, &c->reader, c->fd);
    return true;
}

/* protocol = smtps */
static bool
begin(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    return c->relayed || !smtp_client_tls_is_first(c->opt) ||
           smtp_client_tls_begin(c, job, end);
}

/* The options of the transport, with the time limits of this connection. */
static const struct transport_smtp *
options_for(struct arena *a, const struct transport_job *job, const struct smtp_target *t)
{
    const struct transport_smtp *all = transport_smtp_options(job->transport);
    if (t->connect_s == 0 && t->command_s == 0)
        return all;
    struct transport_smtp *own = ARENA_NEW(a, struct transport_smtp);
    *own = *all;
    if (t->connect_s > 0)
        own->connect_timeout = t->connect_s;
    if (t->command_s > 0)
        own->command_timeout = t->command_s;
    return own;
}

static struct smtp_client *
make(const struct transport_job *job, const struct smtp_target *t)
{
    struct arena *a = arena_new();
    struct smtp_client *c = ARENA_NEW(a, struct smtp_client);
    c->arena = a;
    c->opt = options_for(a, job, t);
    c->lmtp = transport_smtp_is_lmtp(c->opt);
    c->fd = -1;
    c->clear = t->clear;
    c->early_allowed = t->early;
    c->hello = STR_EMPTY;
    c->proxy_address = c->proxy_bound = STR_NULL;
    smtp_client_socks_show(c, job);
    c->eval = job->eval;
    c->tls_fault = c->auth_name = c->auth_id = c->auth_self = STR_NULL;
    tls_state_forget(&job->session->tls_out);
    c->relayed = t->relayed != NULL;
    if (c->relayed)
        tls_state_copy(&c->tls_state, a, t->relayed);
    c->out = buf_in(a, COMMAND_MAX);
    c->port = t->port;
    c->host = *t->host;
    c->host.name = str_dup(a, t->host->name);
    c->host.head = str_is_set(t->host->head) ? str_dup(a, t->host->head) : STR_NULL;
    c->host.address = str_dup(a, t->host->address);
    return c;
}

static struct smtp_client *
open_once(const struct transport_job *job, const struct smtp_target *t, struct smtp_end *end)
{
    struct smtp_client *c = make(job, t);
    *end = (struct smtp_end){.fate = SMTP_ANSWERED};
    if (smtp_client_dane_find(c, job, end) &&
        smtp_client_allows(c, job, "tcp:connect", STR_EMPTY, end) &&
        smtp_client_greet_ahead(c, job, end) && make_connection(c, job, t, end) &&
        begin(c, job, end) && smtp_client_greet(c, job, end))
        return c;
    smtp_client_close(c, job);
    return NULL;
}

struct smtp_client *
smtp_client_open(const struct transport_job *job, const struct smtp_target *t,
                 struct smtp_end *end)
{
    struct smtp_client *c = open_once(job, t, end);
    struct smtp_target usual = *t;
    usual.early = t->early && !end->stale;
    return c == NULL && (end->bad_ticket || end->stale) ? open_once(job, &usual, end) : c;
}

void
smtp_client_adopt(struct smtp_client *c, const struct transport_job *job)
{
    tls_state_copy(&job->session->tls_out, job->session->arena, &c->tls_state);
    job->session->tls_out_active = c->secure != NULL || c->relayed;
    job->session->sending_address = str_dup(job->session->arena, c->own_address);
    job->session->sending_port = c->own_port;
    smtp_client_socks_show(c, job);
}

bool
smtp_client_is_quiet(const struct smtp_client *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN | POLLRDHUP};
    return c->fd >= 0 && !c->broken && c->reader.n == 0 &&
           (c->secure == NULL || tls_pending(c->tls, c->secure) == 0) && poll(&p, 1, 0) == 0;
}

bool
smtp_client_may_go_clear(const struct transport_job *job, const struct smtp_target *t)
{
    const struct transport_smtp *o = transport_smtp_options(job->transport);
    return o->tls_tempfail_tryclear && !smtp_client_tls_is_first(o) &&
           !smtp_client_requires(job, t->host, &o->hosts_require_tls, "hosts_require_tls") &&
           !smtp_client_requires(job, t->host, &o->hosts_require_dane, "hosts_require_dane");
}

struct smtp_client *
smtp_client_attach(const struct transport_job *job, const struct smtp_target *t, int fd,
                   struct smtp_end *end)
{
    struct smtp_client *c = make(job, t);
    *end = (struct smtp_end){.fate = SMTP_ANSWERED};
    c->fd = fd;
    c->own_address = STR_EMPTY;
    reply_reader_start(c->arena, &c->reader, fd);
    if (smtp_client_dane_find(c, job, end) && begin(c, job, end) &&
        smtp_client_greet(c, job, end))
        return c;
    smtp_client_close(c, job);
    return NULL;
}

struct smtp_client *
smtp_client_resume(const struct transport_job *job, const struct smtp_target *t, int fd)
{
    struct smtp_client *c = make(job, t);
    struct peer_address own;
    c->fd = fd;
    c->own_address = STR_EMPTY;
    if (peer_address_own(c->arena, fd, &own)) {
        c->own_address = own.text;
        c->own_port = own.port;
    }
    reply_reader_start(c->arena, &c->reader, fd);
    smtp_client_adopt(c, job);
    return c;
}

static void
release(struct smtp_client *c, const struct transport_job *job)
{
    tls_close(c->tls, c->secure, !c->broken);
    if (c->fd >= 0) {
        close(c->fd);
        if (job != NULL)
            (void)smtp_client_event(job, &(struct event){.name = "tcp:close"});
    }
    arena_free(c->arena);
}

void
smtp_client_close(struct smtp_client *c, const struct transport_job *job)
{
    if (c == NULL)
        return;
    if (c->fd >= 0 && !c->broken) {
        c->out.n = 0;
        buf_addz(&c->out, "QUIT\r\n");
        if (smtp_client_flush(c, QUIT_WAIT_MS))
            (void)smtp_client_reply(c, c->arena, QUIT_WAIT_MS);
        smtp_client_tls_keep_ticket(c);
    }
    release(c, job);
}

void
smtp_client_leave(struct smtp_client *c)
{
    c->out.n = 0;
    buf_addz(&c->out, "QUIT\r\n");
    if (c->fd >= 0 && !c->broken)
        (void)smtp_client_flush(c, 1);
    release(c, NULL);
}
