/* The beginning of a session; see smtp_client_greet.h. */
#include "transports/smtp_client_greet.h"

#include "conf/eval.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "transports/smtp_client_auth.h"
#include "transports/smtp_client_dane.h"
#include "transports/smtp_client_early.h"
#include "transports/smtp_client_tls.h"

enum { MS = 1000 };

static bool
say_setup(struct smtp_end *end, int number, struct str text)
{
    return smtp_client_say(
        end, SMTP_SETUP_DEFER,
        (struct why){.outcome = OUT_DEFER, .sys_errno = number, .log = text});
}

/* A reply at the beginning of the session must be a success, else it is the end: 5xx for good. */
static bool
must(struct smtp_client *c, const struct transport_job *job, enum reply_end got,
     struct str command, struct smtp_end *end)
{
    if (got == REPLY_READ && c->reply.code / 100 == 2)
        return true;
    struct why why = smtp_client_why(c, job->arena, got, command, 0, 0);
    if (got == REPLY_READ) {
        end->command = str_dup(job->arena, command);
        end->reply = str_dup(job->arena, c->reply.text);
    }
    return smtp_client_say(end, why.outcome == OUT_FAIL ? SMTP_HOST_FAIL : SMTP_HOST_DEFER,
                           why);
}

/* Sends one command and reads its reply. */
static enum reply_end
ask(struct smtp_client *c, const struct transport_job *job, const char *verb, struct str name,
    struct str *command)
{
    *command = smtp_client_put(c, job->arena, "%s %.*s", verb, STR_ARG(name));
    (void)smtp_client_flush(c, c->opt->command_timeout * MS);
    return smtp_client_reply(c, c->arena, c->opt->command_timeout * MS);
}

static bool
expand_name(struct smtp_client *c, const struct transport_job *job, struct str *name,
            struct smtp_end *end)
{
    struct str value;
    if (vm_expand_x(job->vm, &c->opt->helo_data, &value) != VM_OK)
        return say_setup(end, WHY_EXPANSION,
                         str_printf(job->arena, "failed to expand helo_data: %.*s",
                                    STR_ARG(vm_error(job->vm))));
    *name = str_dup(c->arena, value);
    if (str_chr(value, '\n', 0) == STR_NPOS && str_chr(value, '\r', 0) == STR_NPOS &&
        !str_has_nul(value))
        return true;
    return say_setup(end, WHY_UNKNOWN, STR_LIT("helo_data has a line end in it"));
}

static bool
hello(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    struct str name, command;
    if (!expand_name(c, job, &name, end))
        return false;
    c->esmtp = c->lmtp || !smtp_client_in_list(job, &c->host, &c->opt->hosts_avoid_esmtp,
                                               "hosts_avoid_esmtp");
    if (c->esmtp) {
        enum reply_end got = ask(c, job, c->lmtp ? "LHLO" : "EHLO", name, &command);
        c->esmtp = c->lmtp || got != REPLY_READ || c->reply.code / 100 != 5;
        if (c->esmtp && !must(c, job, got, command, end))
            return false;
    }
    if (!c->esmtp)
        return must(c, job, ask(c, job, "HELO", name, &command), command, end);
    (void)smtp_client_event(job, &(struct event){.name = "smtp:ehlo", .data = c->reply.text});
    ehlo_read(&c->reply, &c->peer);
    if (c->peer.starttls)
        smtp_client_tls_note_server(c, job);
    c->pipelines = c->peer.pipelining &&
                   !smtp_client_in_list(job, &c->host, &c->opt->hosts_avoid_pipelining,
                                        "hosts_avoid_pipelining");
    smtp_client_early_keep(c, job);
    return true;
}

/* --- ahead of the answers --- */

/* Puts EHLO into what waits to be sent, if what the server will answer is known. */
static bool
hello_ahead(struct smtp_client *c, const struct transport_job *job, unsigned owed,
            struct smtp_end *end)
{
    struct str name;
    if (!smtp_client_early_recall(c, job))
        return true;
    if (!expand_name(c, job, &name, end))
        return false;
    c->hello = smtp_client_put(c, c->arena, "EHLO %.*s", STR_ARG(name));
    c->owed = owed;
    return true;
}

/* The greeting in the clear, and STARTTLS with it. */
static bool
begin_ahead(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    if (!hello_ahead(c, job, SMTP_OWES_GREETING | SMTP_OWES_HELLO, end))
        return false;
    if (c->owed != 0 && c->secure == NULL)
        c->tls_asked = smtp_client_tls_ask(c, job);
    return true;
}

bool
smtp_client_greet_ahead(struct smtp_client *c, const struct transport_job *job,
                        struct smtp_end *end)
{
    struct str name = c->opt->helo_data.text;
    if (smtp_client_tls_is_first(c->opt) || str_find(name, STR_LIT("sending_"), 0) != STR_NPOS)
        return true; /* it cannot be said yet, or not yet be known */
    return begin_ahead(c, job, end);
}

/* An answer that is owed is a success. Otherwise the server gets another chance, unless it was slow, or is too busy. */
static bool
take_owed(struct smtp_client *c, const struct transport_job *job, struct str command,
          struct smtp_end *end)
{
    enum reply_end got = smtp_client_reply(c, c->arena, c->opt->command_timeout * MS);
    if (must(c, job, got, command, end))
        return true;
    smtp_client_early_forget(c, job);
    end->stale = got == REPLY_READ ? c->reply.code / 100 == 5 : got != REPLY_TIMED_OUT;
    if (end->stale)
        end->fate = SMTP_HOST_DEFER;
    smtp_client_tls_first_read(c, end);
    end->stale = end->stale && !end->tls_failed;
    return false;
}

static bool
take_hello(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    if (!take_owed(c, job, c->hello, end))
        return false;
    (void)smtp_client_event(job, &(struct event){.name = "smtp:ehlo", .data = c->reply.text});
    if (c->peer.starttls)
        smtp_client_tls_note_server(c, job);
    if (smtp_client_early_compare(c, job))
        return true;
    end->stale = true;
    return smtp_client_say(end, SMTP_HOST_DEFER, (struct why){.outcome = OUT_DEFER});
}

bool
smtp_client_settle(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    unsigned owed = c->owed;
    if (owed == 0)
        return true;
    (void)smtp_client_flush(c, c->opt->command_timeout * MS);
    c->broken = false; /* what the server said before it went may still be read */
    c->owed = 0;
    bool ok = true;
    if ((owed & SMTP_OWES_GREETING) != 0)
        ok = take_owed(c, job, STR_LIT("initial connection"), end) &&
             smtp_client_allows(c, job, "smtp:connect", c->reply.text, end);
    ok = ok && ((owed & SMTP_OWES_HELLO) == 0 || take_hello(c, job, end));
    c->broken = c->broken || !ok;
    return ok;
}

/* --- what must be --- */

static void
set_tls_why(struct smtp_client *c, const struct transport_job *job, struct why *why)
{
    struct str reason = STR_NULL;
    why->sys_errno = WHY_TLS_REQUIRED;
    why->log = STR_LIT("a TLS session is required, but the server did not offer TLS support");
    if (!c->peer.starttls)
        return;
    bool there = tls_load(&job->eval->tls, job->eval->arena,
                          job->eval->process.plugin_directory, &reason) != NULL;
    why->log =
        there ? STR_LIT("a TLS session is required, and was not started")
              : str_printf(job->arena, "a TLS session is required, but %.*s", STR_ARG(reason));
}

static struct str
auth_lack(const struct smtp_client *c)
{
    if (!c->peer.auth)
        return STR_LIT("authentication required but server did not advertise AUTH support");
    if (!c->auth_common)
        return STR_LIT("authentication required but no common mechanisms were found");
    return STR_LIT("authentication required but authentication attempt(s) failed");
}

/* What must not be done in the clear or without a name is not done. */
static bool
is_permitted(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    const struct transport_smtp *o = c->opt;
    struct why why = {.outcome = OUT_DEFER,
                      .host = str_dup(job->arena, c->host.name),
                      .host_ip = str_dup(job->arena, c->host.address)};
    if (c->secure == NULL && !c->relayed &&
        (c->dane ||
         smtp_client_requires(job, &c->host, &o->hosts_require_tls, "hosts_require_tls") ||
         smtp_client_requires(job, &c->host, &o->hosts_require_dane, "hosts_require_dane"))) {
        set_tls_why(c, job, &why);
        smtp_client_dane_failed(c, job, NULL);
        return smtp_client_say(end, SMTP_HOST_DEFER, why);
    }
    if (!c->authenticated &&
        smtp_client_requires(job, &c->host, &o->hosts_require_auth, "hosts_require_auth")) {
        why.sys_errno = WHY_AUTH_FAILED;
        why.log = auth_lack(c);
        return smtp_client_say(end, SMTP_HOST_DEFER, why);
    }
    return true;
}

/* EHLO again, within TLS. */
static bool
hello_again(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    if (!hello_ahead(c, job, SMTP_OWES_HELLO, end))
        return false;
    if (c->owed != 0 || hello(c, job, end))
        return true;
    smtp_client_tls_first_read(c, end);
    return false;
}

/* Answers decide whether TLS or authentication is needed: without them nothing of a message may go out. */
static bool
must_know(struct smtp_client *c, const struct transport_job *job)
{
    const struct transport_smtp *o = c->opt;
    const struct host_target *h = &c->host;
    if (c->secure == NULL &&
        (c->dane || smtp_client_requires(job, h, &o->hosts_require_tls, "hosts_require_tls") ||
         smtp_client_requires(job, h, &o->hosts_require_dane, "hosts_require_dane")))
        return true;
    return smtp_client_requires(job, h, &o->hosts_require_auth, "hosts_require_auth") ||
           smtp_client_requires(job, h, &o->hosts_try_auth, "hosts_try_auth");
}

/* Greeting and EHLO were answered ahead of time, as it were; STARTTLS was not. */
static bool
greet_early(struct smtp_client *c, const struct transport_job *job, bool *started,
            struct smtp_end *end)
{
    return !c->tls_asked ||
           (smtp_client_settle(c, job, end) && smtp_client_tls_answer(c, job, started, end));
}

static bool
greet_usual(struct smtp_client *c, const struct transport_job *job, bool *started,
            struct smtp_end *end)
{
    struct str first = STR_LIT("initial connection");
    enum reply_end got = smtp_client_reply(c, job->arena, c->opt->command_timeout * MS);
    if (!must(c, job, got, first, end)) {
        smtp_client_tls_first_read(c, end);
        return false;
    }
    return smtp_client_allows(c, job, "smtp:connect", c->reply.text, end) &&
           hello(c, job, end) &&
           (c->secure != NULL || c->relayed || smtp_client_tls_start(c, job, started, end));
}

bool
smtp_client_greet(struct smtp_client *c, const struct transport_job *job, struct smtp_end *end)
{
    bool started = false;
    if (!c->early && !begin_ahead(c, job, end))
        return false;
    if (!(c->early ? greet_early : greet_usual)(c, job, &started, end) ||
        (started && !hello_again(c, job, end)))
        return false;
    return (c->owed == 0 || !must_know(c, job) || smtp_client_settle(c, job, end)) &&
           smtp_client_auth(c, job, end) && is_permitted(c, job, end);
}
