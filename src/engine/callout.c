/* Callouts; see callout.h. */
#include "engine/callout.h"

#include "acl/acl_state.h"
#include "conf/main_options.h"
#include "engine/callout_cache.h"
#include "engine/cutthrough.h"
#include "engine/local_identity.h"
#include "engine/maillog.h"
#include "engine/receive.h"
#include "engine/remote_hosts.h"
#include "engine/transport_setup.h"
#include "mail/address.h"
#include "sys/await.h"
#include "transports/message_write.h"
#include "transports/smtp_client_auth.h"
#include "transports/smtp_command.h"
#include "transports/smtp_utf8.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MS = 1000 };

struct call {
    struct engine *e;
    struct arena *arena;
    const struct acl_verify *q;
    const struct acl_callout *o;
    struct acl_verified *out;
    struct address *to;
    struct delivery d; /* of no message in the spool: what choosing hosts needs */
    struct address view;
    struct transport_job job;
    struct remote_hosts hosts;
    struct host_target host; /* the one at hand */
    struct str from;         /* of MAIL; "": none */
    struct str domain, key;  /* in the cache */
    struct str random;       /* the address that cannot exist; unset: it is not asked for */
    bool postmaster;
    bool utf8;             /* SMTPUTF8 is asked for */
    struct smtp_mail mail; /* what MAIL said */
    bool joins;            /* the envelope is that of the message: the connection may be kept */
    struct callout_domain known;
    bool learned; /* something about the domain */
};

/* What a host says of one envelope. */
enum answer {
    ANSWER_YES,
    ANSWER_NO,      /* to the recipient, for good */
    ANSWER_NO_MAIL, /* to the sender, for good */
    ANSWER_NONE,    /* nothing that counts: another host may say more */
};

/* How it goes on after a host. */
enum step { STEP_DONE, STEP_NEXT };

static bool
is_recipient(const struct call *c)
{
    return c->q->kind == ACL_VERIFY_RECIPIENT;
}

/* --- texts --- */

static void
set_log(struct call *c, struct str text)
{
    c->out->why.log = str_printf(c->arena, "%.*s [%.*s] : %.*s", STR_ARG(c->host.name),
                                 STR_ARG(c->host.address), STR_ARG(text));
}

/* A refusal as the client is told of it. */
static void
set_peer(struct call *c, struct str command, struct str reply)
{
    c->out->reply = reply;
    c->out->why.peer =
        is_recipient(c)
            ? str_printf(c->arena, "Callout verification failed:\n%.*s", STR_ARG(reply))
            : str_printf(c->arena, "Called:   %.*s\nSent:     %.*s\nResponse: %.*s",
                         STR_ARG(c->host.address), STR_ARG(command), STR_ARG(reply));
}

/* Says why a command had no success. Returns the class of the reply, 0 without one. */
static int
tell(struct call *c, struct smtp_client *s, enum reply_end got, struct str command)
{
    struct why why = smtp_client_why(s, c->arena, got, command, 0, 0);
    set_log(c, why.log);
    if (got != REPLY_READ)
        return 0;
    set_peer(c, command, str_tainted(str_dup(c->arena, s->reply.text)));
    return s->reply.code / 100;
}

/* The same for MAIL, whose refusal has other words. */
static int
tell_mail(struct call *c, struct smtp_client *s, enum reply_end got, struct str command)
{
    int class = tell(c, s, got, command);
    if (class != 0)
        set_log(c, str_tainted(str_printf(c->arena, "response to \"%.*s\" was: %.*s",
                                          STR_ARG(command),
                                          STR_ARG(smtp_client_line(c->arena, s->reply.text)))));
    return class;
}

/* --- one connection --- */

static enum reply_end
say(struct call *c, struct smtp_client *s)
{
    int64_t wait_ms = s->opt->command_timeout * MS;
    (void)smtp_client_flush(s, wait_ms);
    return smtp_client_reply(s, c->arena, wait_ms);
}

static bool
is_success(const struct smtp_client *s, enum reply_end got)
{
    return got == REPLY_READ && s->reply.code / 100 == 2;
}

static enum answer
refused(int class, enum answer for_good)
{
    return class == 5 ? for_good : ANSWER_NONE;
}

static enum answer
ask_recipient(struct call *c, struct smtp_client *s, struct str rcpt)
{
    struct str command = smtp_client_put(s, c->arena, "RCPT TO:<%.*s>",
                                         STR_ARG(smtp_command_address(s, c->arena, rcpt)));
    enum reply_end got = say(c, s);
    if (is_success(s, got))
        return ANSWER_YES;
    return refused(tell(c, s, got, command), ANSWER_NO);
}

/* One envelope. A server that takes commands in advance gets both at once, and is heard out. */
static enum answer
ask(struct call *c, struct smtp_client *s, struct str from, struct str rcpt)
{
    const struct message *m = c->job.message;
    c->mail = (struct smtp_mail){.no_size = !c->o->use_sender || m == NULL || m->size <= 0,
                                 .smtputf8 = c->utf8,
                                 .auth = STR_NULL};
    (void)smtp_command_auth(s, &c->job, &c->mail.auth);
    c->job.return_path = from;
    struct str mail =
        smtp_client_put(s, c->arena, "%.*s", STR_ARG(smtp_command_mail(s, &c->job, &c->mail)));
    struct str command = STR_NULL;
    if (s->pipelines)
        command = smtp_client_put(s, c->arena, "RCPT TO:<%.*s>",
                                  STR_ARG(smtp_command_address(s, c->arena, rcpt)));
    enum reply_end got = say(c, s);
    if (!is_success(s, got)) {
        int class = tell_mail(c, s, got, mail);
        if (s->pipelines && got == REPLY_READ)
            (void)smtp_client_reply(s, c->arena, s->opt->command_timeout * MS);
        return refused(class, ANSWER_NO_MAIL);
    }
    if (!s->pipelines)
        return ask_recipient(c, s, rcpt);
    got = smtp_client_reply(s, c->arena, s->opt->command_timeout * MS);
    if (is_success(s, got))
        return ANSWER_YES;
    return refused(tell(c, s, got, command), ANSWER_NO);
}

/* Between two envelopes: some servers take only one recipient of a bounce. */
static bool
reset(struct call *c, struct smtp_client *s)
{
    struct str command = smtp_client_put(s, c->arena, "RSET");
    enum reply_end got = say(c, s);
    if (is_success(s, got))
        return true;
    (void)tell(c, s, got, command);
    return false;
}

/* --- what it means --- */

static void
learn(struct call *c, struct callout_fact *f, enum callout_word word)
{
    *f = (struct callout_fact){.word = word, .time = (int64_t)time(NULL)};
    c->learned = true;
}

static enum step
fail(struct call *c, const char *failure, enum acl_called called)
{
    c->out->outcome = OUT_FAIL;
    c->out->failure = str_from_cstr(failure);
    c->out->called = called;
    return STEP_DONE;
}

static enum step
succeed(struct call *c)
{
    c->out->outcome = OUT_OK;
    c->out->why = (struct why){.outcome = OUT_OK};
    return STEP_DONE;
}

/* The domain takes anything: nothing more can be found out. */
static enum step
take_random(struct call *c)
{
    learn(c, &c->known.random, CALLOUT_ACCEPT);
    c->out->failure = STR_LIT("random");
    return succeed(c);
}

static enum step
take_mail_refusal(struct call *c)
{
    if (c->from.n > 0)
        return fail(c, "mail", ACL_CALLED_ADDRESS);
    learn(c, &c->known.result, CALLOUT_REJECT_NULL);
    return fail(c, "mail", ACL_CALLED_SETUP);
}

/* The postmaster of the domain; without the domain if that is refused and may be tried. */
static enum step
check_postmaster(struct call *c, struct smtp_client *s)
{
    struct str whole = str_printf(c->arena, "postmaster@%.*s", STR_ARG(c->to->domain));
    if (!reset(c, s))
        return STEP_NEXT;
    enum answer got = ask(c, s, c->o->postmaster_from, whole);
    if (got == ANSWER_NO && c->o->full_postmaster)
        got = ask_recipient(c, s, STR_LIT("postmaster"));
    if (got == ANSWER_NONE)
        return STEP_NEXT;
    learn(c, &c->known.postmaster, got == ANSWER_YES ? CALLOUT_ACCEPT : CALLOUT_REJECT);
    return got == ANSWER_YES ? succeed(c) : fail(c, "postmaster", ACL_CALLED_POSTMASTER);
}

/* What was said of the address. */
static void
remember(struct call *c, enum answer got)
{
    if (!c->o->no_cache && str_is_set(c->key) && got != ANSWER_NONE)
        callout_cache_put_address(c->e, c->key,
                                  got == ANSWER_YES ? CALLOUT_ACCEPT : CALLOUT_REJECT);
}

static enum step
check_address(struct call *c, struct smtp_client *s)
{
    const struct transport_generic *g = c->to->transport->generic.fields;
    struct str rcpt = transport_rcpt_address(c->arena, c->to, g->rcpt_include_affixes);
    enum answer got = ask(c, s, c->from, rcpt);
    if (got == ANSWER_NO_MAIL)
        return take_mail_refusal(c);
    if (got == ANSWER_NONE)
        return STEP_NEXT;
    remember(c, got);
    if (got == ANSWER_NO)
        return fail(c, "recipient", ACL_CALLED_ADDRESS);
    if (c->postmaster)
        return check_postmaster(c, s);
    c->joins = is_recipient(c);
    return succeed(c);
}

/* An address that cannot exist. *again: the connection is of no more use, a new one may be. */
static enum step
check_random(struct call *c, struct smtp_client *s, bool *again)
{
    switch (ask(c, s, c->from, c->random)) {
    case ANSWER_YES:
        return take_random(c);
    case ANSWER_NO_MAIL:
        return take_mail_refusal(c);
    case ANSWER_NONE:
        return STEP_NEXT;
    case ANSWER_NO:
        break;
    }
    learn(c, &c->known.random, CALLOUT_REJECT);
    c->random = STR_NULL;
    *again = !reset(c, s);
    return *again ? STEP_NEXT : check_address(c, s);
}

/* --- one host --- */

/* The connection could not be made, or the server did not greet. */
static enum step
take_end(struct call *c, const struct smtp_end *end)
{
    struct str text = end->why.log;
    if (!str_is_set(text))
        text = str_from_cstr(strerror(end->why.sys_errno));
    set_log(c, text);
    if (str_is_set(end->reply))
        set_peer(c, end->command, end->reply);
    if (end->fate != SMTP_HOST_FAIL)
        return STEP_NEXT;
    learn(c, &c->known.result, CALLOUT_REJECT);
    return fail(c, "mail", ACL_CALLED_ADDRESS);
}

/* The server greets: only who refuses bounces may still be known for it. */
static void
note_greeting(struct call *c)
{
    c->e->eval->session->callout_address = str_dup(c->e->eval->session->arena, c->host.address);
    if (c->from.n == 0 || c->known.result.word != CALLOUT_REJECT_NULL)
        learn(c, &c->known.result, CALLOUT_ACCEPT);
}

static enum step
refuse_utf8(struct call *c)
{
    set_log(c, STR_LIT("response to \"EHLO\" did not include SMTPUTF8"));
    c->out->why.peer = STR_LIT("533 no support for internationalised mailbox name");
    return fail(c, "mail", ACL_CALLED_ADDRESS);
}

static void
end_call(struct call *c, struct smtp_client *s)
{
    if (!c->joins || !cutthrough_may_begin(c->e, c->o, c->to)) {
        smtp_client_close(s, &c->job);
        return;
    }
    if (c->o->hold)
        smtp_client_auth_note(s, &c->job);
    cutthrough_begin(c->e, s, &c->mail, c->from, c->to);
}

static enum step
call_host(struct call *c, const struct smtp_target *target)
{
    enum step step = STEP_NEXT;
    for (bool again = true; again;) {
        struct smtp_end end;
        struct smtp_client *s = smtp_client_open(&c->job, target, &end);
        again = false;
        if (s == NULL)
            return take_end(c, &end);
        note_greeting(c);
        enum smtp_utf8 utf8 = smtp_utf8_choose(s, &c->job);
        s->downconvert = utf8 == SMTP_UTF8_DOWN;
        c->utf8 = utf8 == SMTP_UTF8_SEND;
        if (utf8 == SMTP_UTF8_REFUSED)
            step = refuse_utf8(c);
        else if (str_is_set(c->random))
            step = check_random(c, s, &again);
        else
            step = check_address(c, s);
        end_call(c, s);
    }
    return step;
}

static int64_t
seconds_or(int64_t s, int64_t otherwise)
{
    return s >= 0 ? s : otherwise;
}

/* How a delivery would get to the host at hand, which variables show from here on. False: *why. */
static bool
aim(struct call *c, struct smtp_target *target, struct why *why)
{
    transport_setup_host(&c->view, &c->host, c->host.port);
    return remote_hosts_target(&c->d, c->to->transport, &c->host, target, why);
}

/* Tries one entry of the list. *at: where to go on. */
static enum step
try_host(struct call *c, size_t *at)
{
    const struct driver_instance *t = c->to->transport;
    struct smtp_target target;
    struct why why;
    c->host = c->hosts.v.v[*at];
    if (!str_is_set(c->host.address)) {
        if (remote_hosts_find(&c->d, t, &c->hosts, *at) == OUT_OK)
            return STEP_NEXT;
        c->out->why.log =
            str_printf(c->arena, "failed to lookup IP address for %.*s", STR_ARG(c->host.name));
        (*at)++;
        return STEP_NEXT;
    }
    (*at)++;
    if (!aim(c, &target, &why)) {
        set_log(c, why.log);
        return STEP_NEXT;
    }
    c->view.host_port = target.port;
    target.command_s = seconds_or(c->o->wait_s, ACL_CALLOUT_WAIT_S);
    target.connect_s = seconds_or(c->o->connect_s, target.command_s);
    target.clear = smtp_client_in_list(&c->job, &c->host,
                                       &transport_smtp_options(t)->hosts_verify_avoid_tls,
                                       "hosts_verify_avoid_tls");
    return call_host(c, &target);
}

/* --- no result --- */

static void
defer(struct call *c)
{
    const char *what = is_recipient(c) ? "recipient" : "sender";
    struct why *w = &c->out->why;
    struct str dull = str_printf(c->arena, "Could not complete %s verify callout", what);
    c->out->outcome = OUT_DEFER;
    c->out->failure = STR_NULL;
    w->log = c->hosts.v.n != 1 || !str_is_set(w->log)
                 ? dull
                 : str_printf(c->arena, "%.*s: %.*s", STR_ARG(dull), STR_ARG(w->log));
    w->peer = dull;
    if (!c->e->conf->main->smtp_return_error_details)
        return;
    w->peer = str_printf(
        c->arena,
        "%.*s for <%.*s>.\n"
        "The mail server(s) for the domain may be temporarily unreachable, or\n"
        "they may be permanently unreachable from this server. In the latter case,\n%s",
        STR_ARG(dull), STR_ARG(c->out->address),
        is_recipient(c)
            ? "the address will never be accepted."
            : "you need to change the address or create an MX record for its domain\n"
              "if it is supposed to be generally accessible from the Internet.\n"
              "Talk to your mail administrator for details.");
}

/* --- the cache --- */

static enum step
fail_by_cache(struct call *c, const char *failure, enum acl_called called, const char *text)
{
    c->out->why = (struct why){.outcome = OUT_FAIL};
    c->out->why.peer = str_from_cstr(text);
    if (is_recipient(c))
        c->out->why.log = c->out->why.peer;
    return fail(c, failure, called);
}

/* What is known of the address does not do: the connection is for the message as well. */
static bool
wants_connection(const struct call *c)
{
    const struct message *m = c->e->eval->message;
    return is_recipient(c) && m != NULL && m->acl != NULL && m->acl->cutthrough &&
           cutthrough_may_begin(c->e, c->o, c->to);
}

/* DONE: what is known is enough. */
static enum step
look_up(struct call *c)
{
    const struct callout_domain *k = &c->known;
    if (k->result.word == CALLOUT_REJECT ||
        (k->result.word == CALLOUT_REJECT_NULL && c->from.n == 0))
        return fail_by_cache(c, "mail", ACL_CALLED_SETUP,
                             "(result of an earlier callout reused).");
    if (str_is_set(c->random) && k->random.word == CALLOUT_ACCEPT) {
        c->out->failure = STR_LIT("random");
        return STEP_DONE;
    }
    if (k->random.word == CALLOUT_REJECT)
        c->random = STR_NULL;
    if (c->postmaster && k->postmaster.word == CALLOUT_REJECT)
        return fail_by_cache(c, "postmaster", ACL_CALLED_POSTMASTER,
                             "(result of earlier verification reused).");
    if (k->postmaster.word == CALLOUT_ACCEPT)
        c->postmaster = false;
    enum callout_word word = callout_cache_address(c->e, c->arena, c->key);
    if (word == CALLOUT_REJECT)
        return fail_by_cache(c, "recipient", ACL_CALLED_ADDRESS,
                             "Previous (cached) callout verification failure");
    return word == CALLOUT_ACCEPT && !c->postmaster && !wants_connection(c) ? STEP_DONE
                                                                            : STEP_NEXT;
}

/* --- around it --- */

/* That of the message as far as it is known. Where the connection is to become the delivery's, it is the one with which it will be sent: not
 * what an untrusted caller claims. */
static struct str
sender_of_message(struct call *c)
{
    const struct message *m = c->e->eval->message;
    const struct session *s = c->e->eval->session;
    if (m == NULL || !str_is_set(m->sender))
        return STR_EMPTY;
    if (!c->o->hold || m->sender.n == 0 || s->sender_host_address.n > 0 ||
        c->e->caller.trusted || receive_may_send_as(c->e, m->sender))
        return m->sender;
    return address_qualify(c->arena, c->e->caller.login, c->e->conf->main->qualify_domain);
}

static struct str
sender_of(struct call *c)
{
    const struct acl_callout *o = c->o;
    struct why why;
    if (o->use_sender)
        return sender_of_message(c);
    if (o->use_postmaster)
        return str_printf(c->arena, "postmaster@%.*s",
                          STR_ARG(c->e->conf->main->qualify_domain));
    if (o->use_tptsender &&
        transport_setup_return_path(&c->d, c->to->transport, &c->view, &why) == OUT_OK)
        return c->view.return_path;
    return str_is_set(o->mail_from) ? o->mail_from : STR_EMPTY;
}

static struct str
random_address(struct call *c)
{
    struct vm *vm = c->e->vm;
    struct str local_part;
    if (!c->o->random)
        return STR_NULL;
    if (vm_expand_x(vm, &c->e->conf->main->callout_random_local_part, &local_part) == VM_OK)
        return str_printf(c->arena, "%.*s@%.*s", STR_ARG(local_part), STR_ARG(c->to->domain));
    maillog(c->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "failed to expand callout_random_local_part: %.*s", STR_ARG(vm_error(vm)));
    return STR_NULL;
}

static struct message *
message_of(struct call *c)
{
    struct message *m = c->e->eval->message;
    if (m != NULL)
        return m;
    m = ARENA_NEW(c->arena, struct message);
    m->arena = c->arena;
    m->sender = STR_EMPTY;
    m->body_fd = -1;
    m->size = -1;
    return m;
}

static void
prepare(struct call *c)
{
    struct eval *e = c->e->eval;
    if (e->session == NULL)
        e->session = ARENA_NEW(c->arena, struct session);
    if (e->session->arena == NULL)
        e->session->arena = c->arena;
    c->d = (struct delivery){
        .engine = c->e, .arena = c->arena, .message = message_of(c), .session = e->session};
    c->job = transport_setup_base(&c->d, c->to->transport, &c->to, 1);
    c->job.body_fd = -1;
    transport_setup_view(&c->view, c->to->transport, &c->to, 1);
    e->address = &c->view;
}

static void
call_hosts(struct call *c)
{
    int64_t wait_s = seconds_or(c->o->wait_s, ACL_CALLOUT_WAIT_S);
    int64_t until_ms = await_now_ms() + seconds_or(c->o->maxwait_s, 4 * wait_s) * MS;
    for (size_t at = 0; at < c->hosts.v.n;) {
        if (at > 0 && await_now_ms() > until_ms)
            break;
        if (try_host(c, &at) == STEP_DONE)
            return;
    }
    defer(c);
}

/* What the callout asks. True: the cache has the answer. */
static bool
is_known(struct call *c)
{
    c->out->in_callout = c->out->details = true;
    c->from = sender_of(c);
    c->job.return_path = c->from;
    c->domain = str_lower(c->arena, c->to->domain);
    c->key = c->from.n > 0
                 ? str_printf(c->arena, "%.*s/<%.*s>", STR_ARG(c->to->text), STR_ARG(c->from))
                 : c->to->text;
    c->random = random_address(c);
    c->postmaster = str_is_set(c->o->postmaster_from);
    if (c->o->no_cache)
        return false;
    callout_cache_domain(c->e, c->arena, c->domain, &c->known);
    return look_up(c) == STEP_DONE;
}

static void
call(struct call *c)
{
    struct why why;
    c->out->why = (struct why){.outcome = OUT_DEFER};
    if (remote_hosts_choose(&c->d, c->to->transport, c->to, false, &c->hosts, &why))
        call_hosts(c);
    else
        defer(c);
    if (c->learned && !c->o->no_cache)
        callout_cache_put_domain(c->e, c->domain, &c->known);
}

/* --- a further recipient of a message that is delivered while it comes in --- */

/* The connection that is held, if a delivery to the address would use it. */
static struct smtp_client *
held_client(struct call *c)
{
    struct smtp_target target;
    struct why why;
    const struct driver_instance *t = c->to->transport;
    if (!remote_hosts_choose(&c->d, t, c->to, false, &c->hosts, &why) || c->hosts.v.n == 0 ||
        (!str_is_set(c->hosts.v.v[0].address) &&
         remote_hosts_find(&c->d, t, &c->hosts, 0) != OUT_OK))
        return NULL;
    c->host = c->hosts.v.v[0];
    return aim(c, &target, &why) ? cutthrough_client(c->e, c->to, &target) : NULL;
}

/* True: the next hop has taken it. Else the connection is gone. */
static bool
join(struct call *c)
{
    const struct transport_generic *g = c->to->transport->generic.fields;
    struct message *m = c->e->eval->message;
    struct smtp_client *s = held_client(c);
    enum answer got = ANSWER_YES;
    if (s == NULL || smtp_utf8_choose(s, &c->job) == SMTP_UTF8_REFUSED) {
        cutthrough_drop(m);
        return false;
    }
    c->out->in_callout = c->out->details = true;
    got = ask_recipient(c, s, transport_rcpt_address(c->arena, c->to, g->rcpt_include_affixes));
    remember(c, got);
    if (got == ANSWER_YES) {
        cutthrough_add(c->e, c->to);
        (void)succeed(c);
        return true;
    }
    cutthrough_drop(m);
    c->out->outcome = got == ANSWER_NO ? OUT_FAIL : OUT_DEFER;
    return false;
}

/* The message holds a connection, and the callout asks what a delivery would. */
static bool
may_join(const struct call *c)
{
    const struct message *m = c->e->eval->message;
    return is_recipient(c) && c->o->use_sender && m != NULL && m->acl != NULL &&
           m->acl->held != NULL && m->recipients.n > 0;
}

/* The connection of a cutthrough delivery has to be told of each recipient; one that is held is of no use to a message with others. */
static void
run(struct call *c)
{
    const struct message *m = c->e->eval->message;
    bool joins = may_join(c);
    bool cached = !joins || !m->acl->cutthrough;
    if (cached && is_known(c))
        return;
    if (joins) {
        if (join(c) || c->o->only_cutthrough)
            return;
        c->hosts = (struct remote_hosts){.own = false};
        if (!cached && is_known(c))
            return;
    }
    call(c);
}

/* A host that could be asked: the router's, or the transport's own. */
static bool
has_hosts(struct call *c)
{
    const struct driver_instance *t = c->to->transport;
    if (t == NULL || transport_driver_of(t) != &transport_smtp)
        return false;
    return c->to->hosts.n > 0 || str_is_set(transport_smtp_options(t)->hosts.text);
}

void
callout_run(struct engine *e, struct arena *a, const struct acl_verify *q, struct address *to,
            struct acl_verified *out)
{
    struct call c = {.e = e, .arena = a, .q = q, .o = q->callout, .to = to, .out = out};
    struct address *before = e->eval->address;
    struct session *session = e->eval->session;
    if (to->transport == NULL && to->hosts.n > 0) {
        out->in_callout = out->details = true;
        defer(&c);
        return;
    }
    if (!has_hosts(&c))
        return;
    if (e->callouts_skipped) {
        (void)fprintf(stderr, ">>> callout skipped: -bhc makes them\n");
        return;
    }
    if (c.o->only_cutthrough && !may_join(&c) && !cutthrough_may_begin(e, c.o, to))
        return;
    prepare(&c);
    run(&c);
    e->eval->address = before;
    e->eval->session = session;
}
