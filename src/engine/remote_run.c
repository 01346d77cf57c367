/* One run of a remote transport; see remote_run.h. Source: specification, chapters "The smtp transport" (hosts_max_try,
 * delay_after_cutoff), "SMTP processing". */
#include "engine/remote_run.h"

#include "conf/conf.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/held_connection.h"
#include "engine/local_reply.h"
#include "engine/local_slot.h"
#include "engine/maillog.h"
#include "engine/mua_wrapper.h"
#include "engine/remote_hosts.h"
#include "engine/remote_kept.h"
#include "engine/remote_pool.h"
#include "engine/remote_retry.h"
#include "engine/remote_wait.h"
#include "engine/retry_hints.h"
#include "engine/run_memory.h"
#include "engine/transport_setup.h"
#include "engine/turned.h"
#include "transports/smtp_transaction.h"

#include <string.h>
#include <unistd.h>

/* How the hosts of a run have fared. */
struct tally {
    size_t total, tried, unexpired, waiting, failed, deferred, busy;
    bool all_expired; /* so far */
};

/* What became of one try, for the retry records: they change when the run is over. */
struct note {
    struct remote_try host;
    struct smtp_end end;
    bool again; /* what the queue run remembers of it */
};

struct run {
    struct delivery *d;
    const struct driver_instance *transport;
    const struct transport_smtp *opt;
    struct address **batch;
    size_t n;
    bool fallback;
    enum remote_after after;
    struct transport_answer *answers;
    bool *open;  /* an address: another host may take it */
    bool *taken; /* it had its turn with the host at hand */
    struct address view;
    struct transport_job job;
    struct remote_hosts hosts;
    struct tally tally;
    VEC(struct note) notes;
    VEC(struct str) postponed; /* names of hosts that wait for an error of this message alone */
    bool setup_failed;
    size_t max_rcpt;
    bool from_mx;          /* the host at hand */
    bool more_hosts;       /* others follow */
    bool held;             /* the connection at hand has this envelope already: */
    struct smtp_mail mail; /* what MAIL said */
    /* A connection that is used again, client NULL: none; and the place among those to the destination. */
    struct remote_kept kept;
};

/* --- answers --- */

static bool
is_open(const struct run *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->open[i])
            return true;
    return false;
}

/* For those that another host might have taken. */
static void
answer_open(struct run *r, const struct why *why, bool closes)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!r->open[i])
            continue;
        r->answers[i] = (struct transport_answer){.why = *why, .host_port = r->view.host_port};
        r->open[i] = !closes;
    }
}

static void
answer_all(struct run *r, const struct why *why)
{
    for (size_t i = 0; i < r->n; i++)
        r->answers[i] = (struct transport_answer){.why = *why, .no_retry = true};
}

/* "H=name [address]:port: text: error" of a host that did not do, when another may. */
static void
log_host(struct run *r, const struct host_target *host, int64_t port, const struct why *why)
{
    struct engine *e = r->d->engine;
    struct buf b = buf_in(r->d->arena, 0);
    buf_adds(&b, STR_JOIN(r->d->arena, STR_LIT("H="), host->name, STR_LIT(" ["), host->address,
                          STR_LIT("]")));
    if (maillog_selected(e, LOG_SELECTOR_OUTGOING_PORT))
        buf_printf(&b, ":%lld", (long long)port);
    if (str_is_set(why->log))
        buf_printf(&b, ": %.*s", STR_ARG(why->log));
    if (why->sys_errno > 0) {
        buf_addz(&b, str_is_set(why->log) ? ": " : " ");
        buf_addz(&b, strerror(why->sys_errno));
    }
    if (why->sys_errno == WHY_EVENT)
        buf_addz(&b, " Event requests alternate response");
    if (delivery_is_logged(r->batch[0]))
        maillog_line(e, MAILLOG_MAIN, r->d->id, buf_str(&b));
    maillog_message(e, &r->d->entry, buf_str(&b));
}

/* --- one host --- */

static void
raise_deferral(struct run *r, const char *name, const struct why *why, int64_t number)
{
    if (!smtp_client_has_event(&r->job))
        return;
    bool both = str_is_set(why->log) && why->sys_errno > 0;
    struct str text = str_printf(r->d->arena, "%.*s%s%s", STR_ARG(why->log), both ? ": " : "",
                                 why->sys_errno > 0 ? strerror(why->sys_errno) : "");
    const struct event event = {.name = name, .data = text, .number = number};
    (void)smtp_client_event(&r->job, &event);
}

/* A host that did not do is told in the log, save where the line of the address says all there is. */
static bool
is_host_logged(const struct smtp_end *end)
{
    if (end->fate == SMTP_MESSAGE_FAIL)
        return end->why.sys_errno == WHY_UTF8;
    if (end->fate == SMTP_ANSWERED || end->fate == SMTP_SETUP_DEFER || end->quiet)
        return false;
    return end->why.sys_errno != WHY_TLS_FAILED && end->why.sys_errno != WHY_AUTH_FAILED;
}

/* What concerns all addresses that are left. False: no further message can go to this host. */
static bool
take_end(struct run *r, const struct remote_try *t, const struct smtp_end *end, bool again)
{
    vec_push(r->d->arena, &r->notes, ((struct note){.host = *t, .end = *end, .again = again}));
    if (is_host_logged(end))
        log_host(r, &t->host, t->port, &end->why);
    if (end->doubtful)
        delivery_note_doubt(r->d, r->batch[0],
                            str_printf(r->d->arena, "H=%.*s [%.*s]", STR_ARG(t->host.name),
                                       STR_ARG(t->host.address)));
    if (end->fate == SMTP_HOST_DEFER)
        raise_deferral(r, "msg:host:defer", &end->why, end->why.sys_errno);
    if (end->fate == SMTP_SETUP_DEFER)
        r->setup_failed = true;
    if (end->fate == SMTP_HOST_DEFER)
        remote_wait_add(r->d, r->transport->name, t->host.name);
    return end->fate == SMTP_ANSWERED || end->fate == SMTP_MESSAGE_FAIL;
}

/* Events show the recipient that they are about. */
static void
raise_recipient(struct run *r, size_t i)
{
    static const char *const names[] = {"msg:rcpt:host:defer", "msg:rcpt:defer"};
    struct address *outer = r->job.eval->address, view = r->view;
    view.local_part = r->batch[i]->local_part;
    view.domain = r->batch[i]->domain;
    r->job.eval->address = &view;
    const struct why *w = &r->answers[i].why;
    /* The number that retry records have: where the host came from, and the end of the code. */
    int64_t number = retry_detail_of_reply(w->smtp_code, r->from_mx);
    r->answers[i].detail = number;
    for (size_t k = 0; k < 2; k++)
        raise_deferral(r, names[k], w, number);
    r->job.eval->address = outer;
}

/* The message's own log says which recipients were refused; events tell which were put off. before: who had had a turn. */
static void
log_refused(struct run *r, const bool *before)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct why *w = &r->answers[i].why;
        if (!r->taken[i] || before[i])
            continue;
        if (r->answers[i].recipient_error)
            raise_recipient(r, i);
        if (r->answers[i].recipient_error && r->more_hosts && delivery_is_logged(r->batch[i]))
            maillog(r->d->engine, MAILLOG_MAIN, r->d->id, "H=%.*s [%.*s] %.*s",
                    STR_ARG(w->host), STR_ARG(w->host_ip), STR_ARG(w->log));
        if (w->outcome == OUT_FAIL && str_is_set(w->host) && w->smtp_code > 0)
            maillog_message(r->d->engine, &r->d->entry,
                            str_printf(r->d->arena, "H=%.*s [%.*s] %.*s", STR_ARG(w->host),
                                       STR_ARG(w->host_ip), STR_ARG(w->log)));
    }
}

/* A recipient that is still to have its turn with this host. */
static bool
has_more(const struct run *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->open[i] && !r->taken[i])
            return true;
    return false;
}

/* For those whose turn did not come. */
static void
answer_rest(struct run *r, const struct why *why)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->open[i] && !r->taken[i])
            r->answers[i] =
                (struct transport_answer){.why = *why, .host_port = r->view.host_port};
}

enum transacted {
    TRANSACT_ON,    /* more can go to this host */
    TRANSACT_OVER,  /* no more can */
    TRANSACT_AGAIN, /* the server wanted no more over this connection: nothing was done */
};

/* What is left of a transaction. A server that did not wait for it is one that takes no more. */
static void
finish_held(struct run *r, struct smtp_client *c, const struct smtp_turns *turns,
            struct smtp_end *end)
{
    r->held = false;
    smtp_transaction_finish(c, &r->job, turns, &r->mail, r->answers, end);
    end->stale = c->broken && !end->doubtful;
}

/* One transaction. */
static enum transacted
transact(struct run *r, const struct remote_try *t, struct smtp_client *c)
{
    const struct smtp_turns turns = {.open = r->open, .taken = r->taken};
    struct smtp_end end;
    bool *before = ARENA_ARRAY(r->d->arena, bool, r->n);
    memcpy(before, r->taken, r->n);
    if (r->held)
        finish_held(r, c, &turns, &end);
    else
        smtp_transaction(c, &r->job, &turns, r->max_rcpt, r->answers, &end);
    if (end.stale) {
        memcpy(r->taken, before, r->n);
        return TRANSACT_AGAIN;
    }
    for (size_t i = 0; i < r->n && r->after == REMOTE_KEEP; i++)
        if (r->taken[i] && !before[i] && r->answers[i].why.outcome == OUT_OK)
            delivery_taken(r->d, r->batch[i]); /* in a child it is for who reads its answers */
    if (end.fate == SMTP_ANSWERED || end.fate == SMTP_HOST_DEFER)
        log_refused(r, before);
    if (take_end(r, t, &end, false))
        return TRANSACT_ON;
    answer_rest(r, &end.why);
    return TRANSACT_OVER;
}

/* A connection; without TLS, if that is what failed and it may be done without. NULL: *end. */
static struct smtp_client *
open_client(struct run *r, const struct smtp_target *target, struct smtp_end *end)
{
    if (turned_leads_to(r->d->engine, target))
        return turned_client(r->d->engine, &r->job, target, end);
    struct smtp_client *c = smtp_client_open(&r->job, target, end);
    if (c != NULL || !end->tls_failed || !smtp_client_may_go_clear(&r->job, target))
        return c;
    struct smtp_target clear = *target;
    clear.clear = true;
    raise_deferral(r, "msg:host:defer", &end->why, end->why.sys_errno);
    maillog(r->d->engine, MAILLOG_MAIN, r->d->id,
            "%.*s: delivering unencrypted to H=%.*s [%.*s] (not in hosts_require_tls)",
            STR_ARG(end->why.log), STR_ARG(target->host->name), STR_ARG(target->host->address));
    return smtp_client_open(&r->job, &clear, end);
}

/* The connection that is used again, if it can be; or that of a callout, where everything but the message was said. */
static struct smtp_client *
adopt(struct run *r, const struct smtp_target *target)
{
    struct smtp_client *c = r->kept.client;
    struct smtp_end end;
    if (c == NULL && held_connection_fits(r->d, &r->job, target)) {
        c = held_connection_open(r->d, &r->job, target, &r->mail);
        r->held = c != NULL;
        return c;
    }
    if (c == NULL)
        return NULL;
    smtp_client_adopt(c, &r->job);
    if (smtp_transaction_reset(c, r->d->arena, &end))
        return c;
    c->broken = true;
    smtp_client_close(c, &r->job);
    return NULL;
}

/* What becomes of the connection when all recipients had their turn. */
static void
leave(struct run *r, struct smtp_client *c)
{
    if (turned_keeps(r->d->engine, c))
        return;
    if (c != NULL && r->after != REMOTE_CLOSE) {
        remote_kept_put(r->d, &r->job, c, r->kept.place);
        r->kept.place = REMOTE_PLACE_NONE;
    } else {
        smtp_client_close(c, &r->job);
    }
}

static void
close_client(struct run *r, struct smtp_client *c)
{
    turned_forget(r->d->engine, c);
    smtp_client_close(c, &r->job);
}

/* As many transactions as the recipients need, over as many connections as those need. */
static void
deliver_to(struct run *r, const struct remote_try *t, const struct smtp_target *target)
{
    struct smtp_end end = {.fate = SMTP_ANSWERED};
    struct smtp_target to = *target;
    struct smtp_client *c = adopt(r, target);
    to.early = true;
    memset(r->taken, false, r->n);
    while (has_more(r)) {
        if (c == NULL)
            c = open_client(r, &to, &end);
        if (c == NULL || !smtp_transaction_reset(c, r->d->arena, &end))
            break;
        enum transacted done = transact(r, t, c);
        if (done == TRANSACT_ON && remote_kept_may_go_on(c))
            continue;
        bool over = done == TRANSACT_OVER || (done == TRANSACT_ON && c->broken);
        to.early = to.early && done != TRANSACT_AGAIN;
        if (turned_keeps(r->d->engine, c) && over)
            return;
        close_client(r, c);
        c = NULL;
        if (over)
            return;
    }
    if (!has_more(r)) {
        leave(r, c);
        return;
    }
    /* The connection could not be made, or not be used again. */
    (void)take_end(r, t, &end, false);
    answer_open(r, &end.why, end.fate == SMTP_HOST_FAIL);
    run_memory_failed(r->d->engine->run, r->transport->name, t->key, &end);
    close_client(r, c);
}

/* The host could not be reached for another message of this queue run, just now: that is the answer for this one too. */
static void
answer_again(struct run *r, const struct remote_try *t, const struct smtp_end *end)
{
    bool last = r->after == REMOTE_KEEP && !r->more_hosts && !smtp_client_has_event(&r->job);
    if (last && is_host_logged(end) && delivery_is_logged(r->batch[0]))
        maillog_hold(r->d->engine); /* the line of the address comes at once */
    (void)take_end(r, t, end, true);
    answer_open(r, &end->why, false);
}

/* --- which host --- */

static bool
is_this_host(struct run *r, const struct host_target *host)
{
    struct engine *e = r->d->engine;
    struct list_answer answer;
    struct str names;
    if (list_is_local_address(e->eval, e->vm, host->address))
        return true;
    const struct xstr *option = &e->conf->main->hosts_treat_as_local;
    if (!str_is_set(option->text) || vm_expand_x(e->vm, option, &names) != VM_OK)
        return false;
    const struct list_question q = {.kind = LIST_DOMAIN,
                                    .subject = host->name,
                                    .list = names,
                                    .what = STR_LIT("hosts_treat_as_local"),
                                    .keep_domain = true};
    return list_match(e->eval, e->vm, &q, &answer) == OUT_OK;
}

/* False: it is not to be used. */
static bool
check_local(struct run *r, const struct host_target *host)
{
    if (!r->hosts.own || r->opt->allow_localhost || !is_this_host(r, host))
        return true;
    struct why why = {
        .outcome = OUT_DEFER,
        .sys_errno = WHY_LOCAL_HOST,
        .log = str_printf(r->d->arena, "%.*s transport found host %.*s to be local",
                          STR_ARG(r->transport->name), STR_ARG(host->name)),
    };
    answer_open(r, &why, false);
    r->setup_failed = true;
    return false;
}

/* hosts_max_try: false when enough have been tried, save that a worse MX gets its chance: then *next is where it begins. */
static bool
may_try(struct run *r, const struct remote_try *t, size_t at, size_t *next)
{
    *next = at + 1;
    if (r->opt->hosts_max_try_hardlimit > 0 &&
        (int64_t)r->tally.tried >= r->opt->hosts_max_try_hardlimit) {
        *next = r->hosts.v.n;
        return false;
    }
    r->tally.tried++;
    if (t->expired || ++r->tally.unexpired < (size_t)r->opt->hosts_max_try ||
        r->opt->hosts_max_try <= 0)
        return true;
    size_t i = at + 1;
    while (i < r->hosts.v.n && r->hosts.v.v[i].preference == t->host.preference)
        i++;
    if (i < r->hosts.v.n) {
        *next = i;
        r->tally.unexpired--;
    } else if (!retry_overdue(r->d, t->host.name, t->domain, NULL)) {
        *next = r->hosts.v.n;
    }
    return true;
}

/* serialize_hosts, and a place among the connections to the destination: one that is open has its own. False: others are connected to
 * it. */
static bool
take_turn(struct run *r, const struct smtp_target *target, int *slot)
{
    const struct host_target *host = target->host;
    *slot = -1;
    if (str_is_set(r->opt->serialize_hosts.text) &&
        smtp_client_in_list(&r->job, host, &r->opt->serialize_hosts, "serialize_hosts") &&
        !local_slot_serialize(r->d, host->name, slot))
        return false;
    r->kept = (struct remote_kept){.place = REMOTE_PLACE_NONE};
    if (turned_leads_to(r->d->engine, target) ||
        remote_kept_take(r->d->engine, r->transport, target, &r->kept) ||
        remote_pool_place(r->d->engine, target, &r->kept.place))
        return true;
    if (*slot >= 0)
        close(*slot);
    return false;
}

/* A host whose address cannot be had counts as one that failed, or messages would wait for it for ever. */
static void
note_lookup(struct run *r, const struct host_target *host, const struct why *why)
{
    struct note n = {.host = {.host = *host, .domain = r->batch[0]->domain},
                     .end = {.fate = SMTP_HOST_DEFER, .why = *why}};
    n.host.key = n.host.message_key = str_printf(r->d->arena, "R:%.*s", STR_ARG(host->name));
    n.end.why.sys_errno = WHY_UNKNOWN; /* whatever it was, no rule is for it alone */
    vec_push(r->d->arena, &r->notes, n);
}

/* Finds the addresses of a host that has none. False: it has none. */
static bool
find_addresses(struct run *r, size_t at)
{
    struct host_target host = r->hosts.v.v[at];
    enum outcome o = remote_hosts_find(r->d, r->transport, &r->hosts, at);
    if (o == OUT_OK)
        return true;
    struct why why = {
        .outcome = OUT_DEFER,
        .sys_errno = o == OUT_DEFER ? WHY_DNS : WHY_NO_HOST,
        .log = o == OUT_DEFER
                   ? str_printf(r->d->arena,
                                "host lookup for %.*s did not complete (DNS timeout?)",
                                STR_ARG(host.name))
                   : str_printf(r->d->arena, "failed to lookup IP address for %.*s",
                                STR_ARG(host.name)),
    };
    answer_open(r, &why, false);
    note_lookup(r, &host, &why);
    r->tally.total++;
    r->tally.failed += o != OUT_DEFER;
    r->tally.deferred += o == OUT_DEFER;
    r->tally.all_expired = false;
    return false;
}

/* The host may be tried. last: the pass over those that are past their time. */
static bool
is_ready(struct run *r, struct remote_try *t, bool last)
{
    enum remote_ready ready =
        r->d->engine->turned != NULL ? REMOTE_READY : remote_retry_check(r->d, t);
    if (last)
        return ready == REMOTE_EXPIRED && t->last_try < r->d->message->received_time;
    r->tally.total++;
    if (ready != REMOTE_EXPIRED && !t->expired)
        r->tally.all_expired = false;
    if (ready != REMOTE_READY)
        r->tally.waiting++;
    if (t->of_message)
        vec_push(r->d->arena, &r->postponed, t->host.name);
    return ready == REMOTE_READY;
}

/* Tries one entry of the list; returns where to go on. */
static size_t
try_host(struct run *r, size_t at, bool last)
{
    const struct smtp_end *known;
    struct smtp_target target;
    struct why why;
    size_t next = at + 1;
    int slot;
    if (!str_is_set(r->hosts.v.v[at].address))
        return last || !find_addresses(r, at) ? at + 1 : at;
    struct remote_try t = {.host = r->hosts.v.v[at], .domain = r->batch[0]->domain};
    if (!check_local(r, &t.host))
        return at + 1;
    transport_setup_host(&r->view, &t.host, t.host.port);
    if (!remote_hosts_target(r->d, r->transport, &t.host, &target, &why)) {
        answer_open(r, &why, false);
        r->setup_failed = true;
        return r->hosts.v.n;
    }
    t.port = target.port;
    t.from = target.from;
    transport_setup_host(&r->view, &t.host, t.port);
    r->from_mx = t.host.preference >= 0;
    r->more_hosts = at + 1 < r->hosts.v.n;
    remote_retry_keys(r->d, r->transport, &t);
    if (remote_kept_differs(r->d->engine, r->transport, &target)) {
        r->tally.total++;
        r->tally.all_expired = false;
        return at + 1;
    }
    if (!is_ready(r, &t, last))
        return at + 1;
    known = run_memory_find(r->d->engine->run, r->transport->name, t.key);
    if (known != NULL) {
        if (may_try(r, &t, at, &next))
            answer_again(r, &t, known);
        return next;
    }
    if (!take_turn(r, &target, &slot)) {
        r->tally.busy++;
        return at + 1;
    }
    if (may_try(r, &t, at, &next))
        deliver_to(r, &t, &target);
    else
        smtp_client_close(r->kept.client, &r->job);
    remote_pool_leave(r->d->engine, r->kept.place);
    if (slot >= 0)
        close(slot);
    return r->setup_failed ? r->hosts.v.n : next;
}

static void
try_hosts(struct run *r)
{
    r->tally.all_expired = true;
    for (size_t at = 0; at < r->hosts.v.n && is_open(r);)
        at = try_host(r, at, false);
    if (r->tally.tried > 0 || !r->tally.all_expired || r->opt->delay_after_cutoff ||
        r->setup_failed)
        return;
    for (size_t at = 0; at < r->hosts.v.n && is_open(r);)
        at = try_host(r, at, true);
}

/* --- around it --- */

/* Nothing was tried: why. */
static struct why
untried(struct run *r)
{
    const struct tally *t = &r->tally;
    const char *words = "some host address lookups failed and retry time not reached for other "
                        "hosts or connection limit reached";
    struct why why = {.outcome = OUT_DEFER, .sys_errno = DELIVERY_ERRNO_HOST_RETRY};
    if (t->total > 0 && t->all_expired && t->waiting == t->total) {
        why.outcome = OUT_FAIL;
        why.sys_errno = 0;
        why.log = why.peer = str_printf(
            r->d->arena, "all hosts for '%.*s' have been failing for a long time%s",
            STR_ARG(r->batch[0]->domain),
            r->opt->delay_after_cutoff ? " (and retry time not reached)"
                                       : " and were last tried after this message arrived");
        return why;
    }
    if (t->waiting == t->total)
        words = "retry time not reached for any host";
    else if (t->failed == t->total)
        words = "all host address lookups failed permanently";
    else if (t->deferred == t->total)
        words = "all host address lookups failed temporarily";
    else if (t->busy == t->total)
        words = "connection limit reached for all hosts";
    else if (t->failed + t->deferred == t->total)
        words = "all host address lookups failed";
    why.log = str_printf(r->d->arena, "%s for '%.*s'", words, STR_ARG(r->batch[0]->domain));
    return why;
}

/* Writes the retry records; of several tries with the same record the last one counts. True: all hosts that failed have been failing
 * for too long. */
static bool
note_tries(struct run *r)
{
    size_t failures = 0, over = 0;
    if (r->d->engine->turned != NULL)
        return false; /* that it hangs up says nothing of the next time */
    for (size_t i = 0; i < r->notes.n; i++) {
        const struct note *n = &r->notes.v[i];
        bool again = false;
        for (size_t k = i + 1; k < r->notes.n; k++)
            again = again || str_eq(r->notes.v[k].host.key, n->host.key);
        if (again)
            continue;
        failures += n->end.fate == SMTP_HOST_DEFER || n->end.fate == SMTP_MESSAGE_DEFER;
        over += remote_retry_note(r->d, &n->host, &n->end, n->again);
    }
    return failures > 0 && failures == over;
}

/* What is left when all hosts were considered. */
static void
finish(struct run *r)
{
    bool expired = note_tries(r) && r->tally.waiting == 0;
    bool none =
        r->tally.tried == 0 && r->tally.failed + r->tally.deferred == 0 && !r->setup_failed;
    struct why why = none ? untried(r) : (struct why){.outcome = OUT_DEFER};
    for (size_t i = 0; i < r->n; i++) {
        struct transport_answer *a = &r->answers[i];
        if (!r->open[i])
            continue;
        if (none)
            *a = (struct transport_answer){.why = why, .no_retry = true};
        else if (!a->recipient_error)
            a->hosts_expired = expired;
        if (mua_wrapper_is_on(r->d) && !r->setup_failed)
            a->why.outcome = OUT_FAIL; /* there is no other time */
    }
}

static bool
is_postponed(const struct run *r, struct str host)
{
    for (size_t i = 0; i < r->postponed.n; i++)
        if (str_eq(r->postponed.v[i], host))
            return true;
    return false;
}

/* Who waits for a host after this run, and who no longer does. */
static void
note_waiting(struct run *r)
{
    if (r->tally.tried > 0 && is_open(r))
        return; /* failures of hosts were noted when they happened */
    bool open = is_open(r);
    for (size_t i = 0; i < r->hosts.v.n; i++) {
        struct str host = r->hosts.v.v[i].name;
        if (!open)
            remote_wait_remove(r->d, r->transport->name, host);
        else if (!is_postponed(r, host))
            remote_wait_add(r->d, r->transport->name, host);
    }
}

static bool
read_max_rcpt(struct run *r, struct why *why)
{
    struct str text;
    r->max_rcpt = 0;
    if (mua_wrapper_is_on(r->d))
        return true;
    if (vm_expand_x(r->d->engine->vm, &r->opt->max_rcpt, &text) == VM_OK) {
        size_t n = 0;
        text = str_trim(text);
        for (size_t i = 0; i < text.n && ascii_digit(text.p[i]) && n < 1000000; i++)
            n = n * 10 + (size_t)(text.p[i] - '0');
        r->max_rcpt = n;
        return true;
    }
    *why = (struct why){.outcome = OUT_DEFER,
                        .sys_errno = WHY_UNKNOWN,
                        .log = str_printf(r->d->arena, "failed to expand max_rcpt: %.*s",
                                          STR_ARG(vm_error(r->d->engine->vm)))};
    return false;
}

static bool
check_lines(struct run *r, struct why *why)
{
    if (transport_smtp_takes_lines(r->opt, r->d->message))
        return true;
    *why = (struct why){.outcome = OUT_FAIL,
                        .log = str_printf(r->d->arena,
                                          "message has lines too long for transport"
                                          " (received %lld, limit %lld)",
                                          (long long)r->d->message->max_received_line,
                                          (long long)r->opt->message_linelength_limit)};
    why->peer = why->log;
    return false;
}

static struct transport_job
job_of(struct run *r)
{
    const struct delivery *d = r->d;
    struct transport_job job = transport_setup_base(d, r->transport, r->batch, r->n);
    job.body_fd = d->entry.body;
    job.body_start = d->entry.body_start;
    job.return_path = r->view.return_path;
    job.calls = d->engine->calls;
    job.hints = retry_store(d->engine);
    job.all_or_none = mua_wrapper_is_on(d);
    return job;
}

static bool
prepare(struct run *r, struct why *why)
{
    struct delivery *d = r->d;
    return transport_setup_return_path(d, r->transport, &r->view, why) == OUT_OK &&
           transport_setup_size(d, r->transport, why) == OUT_OK && check_lines(r, why) &&
           read_max_rcpt(r, why) &&
           remote_hosts_choose(d, r->transport, r->batch[0], r->fallback, &r->hosts, why);
}

void
remote_run(struct delivery *d, struct address **batch, size_t n, bool fallback,
           enum remote_after after, struct transport_answer *answers)
{
    struct run r = {.d = d, .transport = batch[0]->transport, .batch = batch, .n = n};
    struct eval *e = d->engine->eval;
    struct address *outer = e->address;
    struct map *vars = e->router_vars;
    struct why why;
    r.opt = transport_smtp_options(r.transport);
    r.fallback = fallback;
    r.after = after;
    r.answers = answers;
    r.open = ARENA_ARRAY(d->arena, bool, n);
    r.taken = ARENA_ARRAY(d->arena, bool, n);
    memset(r.open, true, n);
    /* Nobody has got anything until a host says so. */
    why = (struct why){
        .outcome = OUT_DEFER, .sys_errno = WHY_UNKNOWN, .log = STR_LIT("no host was tried")};
    answer_all(&r, &why);
    transport_setup_view(&r.view, r.transport, batch, n);
    e->address = &r.view;
    e->router_vars = r.view.router_vars;
    e->event_action =
        &((const struct transport_generic *)r.transport->generic.fields)->event_action;
    e->event_where = r.transport->name;
    transport_setup_debug(d, r.transport);
    if (prepare(&r, &why)) {
        r.job = job_of(&r);
        local_rewrite_set(d->engine, &r.job);
        try_hosts(&r);
        finish(&r);
        note_waiting(&r);
    } else {
        answer_all(&r, &why);
    }
    d->session->sending_address = STR_NULL;
    d->session->sending_port = 0;
    e->address = outer;
    e->router_vars = vars;
    e->event_action = NULL;
}
