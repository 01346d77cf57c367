/* Cutthrough delivery; see cutthrough.h. */
#include "engine/cutthrough.h"

#include "acl/acl_state.h"
#include "base/arena.h"
#include "engine/local_reply.h"
#include "engine/peer.h"
#include "engine/receive_state.h"
#include "engine/remote_kept.h"
#include "engine/transport_setup.h"
#include "engine/verify.h"
#include "transports/message_write.h"
#include "transports/smtp_transaction.h"

struct cutthrough {
    struct arena *arena;        /* of the message */
    struct smtp_client *client; /* NULL: it was dropped */
    struct smtp_mail mail;      /* what it was told of the sender: */
    struct str sender;
    struct address_vec to; /* recipients that it took, in the order of those of the message */
    struct header_list headers; /* as they were before the last ACLs */
};

static struct cutthrough *
held_by(const struct message *m)
{
    struct cutthrough *t = m != NULL && m->acl != NULL ? m->acl->held : NULL;
    return t != NULL && t->client != NULL ? t : NULL;
}

static void
drop(void *ctx)
{
    struct cutthrough *t = ctx;
    smtp_client_close(t->client, NULL);
    t->client = NULL;
}

void
cutthrough_drop(struct message *m)
{
    struct cutthrough *t = held_by(m);
    if (t != NULL)
        drop(t);
}

/* --- the envelope --- */

static bool
is_cutthrough(const struct message *m)
{
    return m->acl != NULL && m->acl->cutthrough;
}

/* There is no answer for each recipient; and what is sent while the message comes in does not depend on the whole of it. */
static bool
is_plain(const struct message *m, const struct driver_instance *transport)
{
    const struct transport_generic *g = transport->generic.fields;
    const struct transport_smtp *o = transport_smtp_options(transport);
    if (transport_smtp_is_lmtp(o) || !is_cutthrough(m))
        return !transport_smtp_is_lmtp(o);
    return !str_is_set(g->transport_filter.text) && !str_is_set(o->dkim_domain.text) &&
           !str_is_set(o->arc_sign.text) && !str_is_set(g->message_size_limit.text);
}

bool
cutthrough_may_begin(const struct engine *e, const struct acl_callout *o,
                     const struct address *to)
{
    const struct message *m = e->eval->message;
    const struct session *s = e->eval->session;
    if (m == NULL || s == NULL || s->rcpt_count != 1 || !o->use_sender || e->callouts_skipped ||
        e->dont_deliver)
        return false;
    bool asked = o->hold || is_cutthrough(m);
    return asked && (m->acl == NULL || m->acl->held == NULL) && is_plain(m, to->transport);
}

void
cutthrough_begin(const struct engine *e, struct smtp_client *c, const struct smtp_mail *mail,
                 struct str sender, struct address *to)
{
    struct message *m = e->eval->message;
    struct cutthrough *t = ARENA_NEW(m->arena, struct cutthrough);
    *t = (struct cutthrough){
        .arena = m->arena, .client = c, .mail = *mail, .sender = str_dup(m->arena, sender)};
    vec_push(t->arena, &t->to, to);
    acl_message_of(m)->held = t;
    arena_on_free(m->arena, drop, t);
}

struct smtp_client *
cutthrough_client(const struct engine *e, const struct address *to,
                  const struct smtp_target *target)
{
    struct cutthrough *t = held_by(e->eval->message);
    if (t == NULL || t->to.v[0]->transport != to->transport)
        return NULL;
    const struct remote_kept k = {.client = t->client, .transport = to->transport->name};
    if (!smtp_client_is_quiet(t->client) || !remote_kept_fits(&k, to->transport, target))
        return NULL;
    t->client->eval = e->eval;
    return t->client;
}

void
cutthrough_add(const struct engine *e, struct address *to)
{
    struct cutthrough *t = held_by(e->eval->message);
    if (t != NULL)
        vec_push(t->arena, &t->to, to);
}

void
cutthrough_not_accepted(const struct engine *e)
{
    struct message *m = e->eval->message;
    struct cutthrough *t = held_by(m);
    if (t != NULL && t->to.n > m->recipients.n)
        drop(t);
}

enum { CODE_N = 4 }; /* "550-" */

/* What a server said, without the code at the start of each line. */
static struct str
words_of(struct arena *a, struct str reply)
{
    struct buf b = buf_in(a, 0);
    for (size_t at = 0; at < reply.n;) {
        size_t end = str_chr(reply, '\n', at);
        end = end == STR_NPOS ? reply.n : end;
        if (b.n > 0)
            buf_addc(&b, '\n');
        if (end - at > CODE_N)
            buf_adds(&b, str_sub(reply, at + CODE_N, end - at - CODE_N));
        at = end + 1;
    }
    return str_tainted(buf_str(&b));
}

/* --- a recipient --- */

/* The next hop has refused it. */
static void
refuse(struct arena *a, const struct acl_message *acl, const struct acl_verified *v, bool first,
       struct acl_answer *out)
{
    if (v->outcome == OUT_FAIL && str_is_set(v->reply)) {
        out->result = ACL_DENY;
        return;
    }
    if (!acl->cutthrough_defer_pass)
        return;
    out->result = ACL_DEFER;
    out->details = first && v->reply.n > CODE_N;
    if (out->details)
        out->message = str_tainted(
            str_printf(a, "%.*s %.*s", CODE_N - 1, v->reply.p, STR_ARG(words_of(a, v->reply))));
}

void
cutthrough_recipient(struct engine *e, struct str address, struct acl_answer *out)
{
    static const struct acl_callout callout = {.wait_s = -1,
                                               .connect_s = -1,
                                               .maxwait_s = -1,
                                               .no_cache = true,
                                               .use_sender = true,
                                               .only_cutthrough = true};
    struct message *m = e->eval->message;
    struct cutthrough *t = held_by(m);
    const struct acl_message *acl = m->acl;
    struct acl_verified v;
    if (!is_cutthrough(m)) {
        if (t != NULL && t->to.n <= m->recipients.n) /* it knows nothing of this one */
            drop(t);
        return;
    }
    bool first = e->eval->session->rcpt_count == 1;
    if ((t == NULL && !first) || (t != NULL && t->to.n > m->recipients.n))
        return;
    struct acl_verify q = {
        .kind = ACL_VERIFY_RECIPIENT, .address = address, .callout = &callout};
    verify_address(e, &q, &v);
    t = held_by(m);
    if (t != NULL && t->to.n > m->recipients.n)
        return;
    cutthrough_drop(m);
    if (v.in_callout && v.outcome != OUT_OK)
        refuse(m->arena, acl, &v, first, out);
}

/* --- the message --- */

/* All recipients are in the envelope, and it says nothing of reports. */
static bool
is_whole(const struct cutthrough *t, const struct message *m)
{
    for (size_t i = 0; i < m->recipients.n; i++)
        if (m->recipients.v[i].dsn_flags != 0 || m->recipients.v[i].orcpt.n > 0)
            return false;
    return t->to.n == m->recipients.n;
}

/* DSN requests have to be seen to here; answers for each recipient, and chunks, are not possible. */
static bool
is_simple(const struct receiving *r)
{
    const struct cutthrough *t = r->m->acl->held;
    const struct transport_smtp *o = transport_smtp_options(t->to.v[0]->transport);
    return is_whole(t, r->m) && r->rq->framing == RECEIVE_SMTP &&
           (!r->s->prdr || r->m->recipients.n < 2) && transport_smtp_takes_lines(o, r->m);
}

void
cutthrough_prepare(struct receiving *r)
{
    struct cutthrough *t = held_by(r->m);
    if (t == NULL)
        return;
    bool now = is_cutthrough(r->m);
    if (now ? !is_simple(r) : !is_whole(t, r->m))
        drop(t);
    if (t->client == NULL || !now)
        return;
    acl_apply_headers(r->m, r->s);
    for (size_t i = 0; i < r->m->headers->n; i++)
        vec_push(t->arena, &t->headers, r->m->headers->v[i]);
}

/* The message may still go as it is: nobody wants it kept here. */
static bool
may_go(const struct receiving *r, const struct cutthrough *t)
{
    const struct acl_message *acl = r->m->acl;
    return t->to.n == r->m->recipients.n && !r->out->frozen && !r->scan_froze &&
           !r->scan_queued && !acl->queue_only && acl->fake_code == 0;
}

/* Sends it; the answers are in the addresses. */
static void
transact(struct receiving *r, struct cutthrough *t, struct delivery *d, struct smtp_end *end)
{
    struct eval *e = r->e->eval;
    struct address *outer = e->address, view;
    struct map *vars = e->router_vars;
    struct header_list *whole = r->m->headers;
    struct header_texts *texts = r->m->texts;
    struct smtp_client *c = t->client;
    struct transport_answer *answers = ARENA_ARRAY(t->arena, struct transport_answer, t->to.n);
    struct transport_job job = transport_setup_base(d, t->to.v[0]->transport, t->to.v, t->to.n);
    job.body_fd = r->m->body_fd;
    job.body_start = r->m->body_start;
    job.return_path = t->sender;
    job.calls = r->e->calls;
    transport_setup_view(&view, job.transport, t->to.v, t->to.n);
    view.return_path = job.return_path;
    transport_setup_host(&view, &c->host, c->port);
    e->address = &view;
    e->router_vars = view.router_vars;
    c->eval = e;
    r->m->headers = &t->headers;
    r->m->texts = NULL;
    local_rewrite_set(d->engine, &job);
    const struct smtp_turns turns = {.open = ARENA_ARRAY(t->arena, bool, t->to.n),
                                     .taken = ARENA_ARRAY(t->arena, bool, t->to.n)};
    smtp_transaction_finish(c, &job, &turns, &t->mail, answers, end);
    r->m->headers = whole;
    r->m->texts = texts;
    e->address = outer;
    e->router_vars = vars;
    for (size_t i = 0; i < t->to.n; i++) {
        t->to.v[i]->answer = &answers[i];
        t->to.v[i]->return_path = t->sender;
        answers[i].additional = false;
    }
}

/* The lines of the log, last recipient first. how: of a refusal; NULL: it was delivered. */
static void
log_addresses(struct receiving *r, struct cutthrough *t, struct delivery *d, const char *how)
{
    struct str peer = peer_text(t->arena, r->e, true);
    for (size_t i = t->to.n; i-- > 0;) {
        struct address *a = t->to.v[i];
        if (!delivery_is_logged(a))
            continue;
        if (how == NULL) {
            maillog(r->e, MAILLOG_MAIN, r->m->id, ">> %.*s",
                    STR_ARG(delivery_line(d, a, OUT_OK)));
            continue;
        }
        a->answer->confirmation = smtp_client_line(t->arena, t->client->reply.text);
        maillog(r->e, MAILLOG_MAIN, r->m->id, "%.*s%s%.*s", STR_ARG(peer),
                peer.n > 0 ? " " : "", STR_ARG(delivery_refusal_line(d, a, how)));
    }
}

/* Nothing of it stays here. */
static bool
passed_on(struct receiving *r)
{
    r->out->end = RECEIVE_PASSED_ON;
    receive_log_arrival(r);
    maillog(r->e, MAILLOG_MAIN, r->m->id, "Completed");
    if (r->created)
        maillog_message_remove(r->e, &r->entry);
    return false;
}

/* The next hop did not take it. */
static bool
not_taken(struct receiving *r, struct cutthrough *t, struct delivery *d,
          const struct smtp_end *end)
{
    int code = end->why.smtp_code;
    bool pass = r->m->acl->cutthrough_defer_pass;
    struct str text = words_of(t->arena, t->client->reply.text);
    if (code / 100 == 5) {
        log_addresses(r, t, d, "rejected after DATA");
        return receive_refuse(r, RECEIVE_FAULT_NEXT_HOP, code, text, STR_NULL);
    }
    if (code / 100 == 4)
        log_addresses(r, t, d, "tmp-reject from cutthrough after DATA");
    if (!pass)
        return true;
    if (code / 100 == 4)
        return receive_refuse(r, RECEIVE_FAULT_NEXT_HOP, code, text, STR_NULL);
    return receive_refuse(r, RECEIVE_FAULT_NEXT_HOP, 450,
                          STR_LIT("Onward transmission not accepted"), STR_NULL);
}

/* All of them, or nobody. */
static bool
all_delivered(const struct cutthrough *t)
{
    for (size_t i = 0; i < t->to.n; i++)
        if (t->to.v[i]->answer->why.outcome != OUT_OK)
            return false;
    return true;
}

bool
cutthrough_send(struct receiving *r)
{
    struct cutthrough *t = held_by(r->m);
    struct smtp_end end;
    bool spool;
    if (t == NULL || !is_cutthrough(r->m))
        return true;
    if (!may_go(r, t)) {
        drop(t);
        return true;
    }
    struct delivery d = {
        .engine = r->e, .arena = t->arena, .message = r->m, .session = r->s, .id = r->m->id};
    transact(r, t, &d, &end);
    if (all_delivered(t)) {
        log_addresses(r, t, &d, NULL);
        spool = passed_on(r);
    } else {
        spool = not_taken(r, t, &d, &end);
    }
    drop(t);
    return spool;
}

/* --- a connection that is held --- */

/* As RCPT had them, one a line. */
static struct str
recipients_of(struct arena *a, const struct cutthrough *t)
{
    struct buf b = buf_in(a, HELD_TEXT_MAX + 1);
    for (size_t i = 0; i < t->to.n; i++) {
        const struct transport_generic *g = t->to.v[i]->transport->generic.fields;
        if (i > 0)
            buf_addc(&b, '\n');
        buf_adds(&b, transport_rcpt_address(a, t->to.v[i], g->rcpt_include_affixes));
    }
    return buf_str(&b);
}

bool
cutthrough_hand_over(struct engine *e, struct arena *a, struct str id,
                     struct held_connection *out)
{
    struct message *m = e->eval->message;
    struct cutthrough *t = held_by(m);
    if (t == NULL || !str_eq(m->id, id) || !is_whole(t, m))
        return false;
    out->arena = NULL;
    out->id = id;
    out->sender = t->sender;
    out->recipients = recipients_of(a, t);
    if (!held_connection_pack(a, t->client, &t->mail, t->to.v[0]->transport->name, out))
        return false;
    t->client->fd = -1; /* it goes on elsewhere */
    drop(t);
    return true;
}
