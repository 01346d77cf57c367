/* The ACLs that see a whole message, and what they decide.
 *
 * Source: specification, "The non-SMTP ACLs", "The DATA ACLs", controls freeze and queue.
 */
#include "acl/acl_state.h"
#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/dkim_verify.h"
#include "engine/peer.h"
#include "engine/policy.h"
#include "engine/receive_state.h"

void
receive_policy_start(struct receiving *r)
{
    struct acl_answer answer;
    if (!r->rq->smtp && r->rq->framing != RECEIVE_BATCH_SMTP &&
        policy_has(r->e, ACL_PHASE_NOTSMTP_START))
        (void)policy_run(r->e, ACL_PHASE_NOTSMTP_START, &answer);
}

/* "F=<a@b> rejected by non-SMTP ACL: text"; stage: "by non-SMTP ACL". Of DKIM the reference names no sender: "rejected DKIM : text". */
static void
log_refusal(struct receiving *r, const struct acl_answer *a, const char *stage, bool sender)
{
    bool later = a->result == ACL_DEFER || a->result == ACL_ERROR;
    struct str text = str_is_set(a->log_message) ? a->log_message : a->message;
    struct buf b = buf_in(r->a, 0);
    if (r->rq->smtp) {
        buf_adds(&b, peer_text(r->a, r->e, true));
        maillog_add_tls(r->e, &b, &r->s->tls_in, false);
        buf_addc(&b, ' ');
    }
    if (sender)
        buf_printf(&b, "F=<%.*s> ", STR_ARG(r->m->sender));
    buf_printf(&b, "%srejected %s", later && r->rq->smtp ? "temporarily " : "", stage);
    if (text.n > 0)
        buf_printf(&b, ": %.*s", STR_ARG(text));
    else if (!r->rq->smtp)
        buf_addz(&b, ": NULL");
    if ((a->log_to & MAILLOG_REJECT) != 0)
        maillog_reject(r->e, a->log_to & ~(unsigned)MAILLOG_REJECT, r->m->id, buf_str(&b));
    else if (a->log_to != 0)
        maillog_line(r->e, a->log_to, r->m->id, buf_str(&b));
}

static bool
refuse(struct receiving *r, const struct acl_answer *a, const char *stage, bool sender)
{
    bool later = a->result == ACL_DEFER || a->result == ACL_ERROR;
    struct str peer = a->message;
    if (peer.n == 0 && !r->rq->smtp)
        peer = STR_LIT("local configuration problem");
    if (later && !a->details && !r->e->conf->main->smtp_return_error_details)
        peer = r->rq->smtp ? STR_NULL : STR_LIT("local configuration problem");
    r->out->acl = *a;
    log_refusal(r, a, stage, sender);
    return receive_refuse(r, RECEIVE_FAULT_ACL, later ? 451 : 550, peer, STR_NULL);
}

bool
receive_policy_refuse(struct receiving *r, const struct acl_answer *a, const char *stage)
{
    return refuse(r, a, stage, true);
}

/* freeze and queue. */
static void
take_controls(struct receiving *r)
{
    const struct acl_message *acl = r->m->acl;
    if (acl == NULL || r->e->conf->main->mua_wrapper) /* which has no queue */
        return;
    r->out->frozen = acl->freeze;
    r->out->queue_only = acl->queue_only;
    r->out->route_only = acl->first_pass_route;
}

/* acl_smtp_data_prdr, with an answer for each of them. */
static bool
ask_for_recipients(struct receiving *r)
{
    return r->rq->each_recipient == NULL || r->rq->each_recipient(r->rq->source.ctx) ||
           receive_refuse(r, RECEIVE_FAULT_ACL, 550,
                          str_printf(r->a, "id=%.*s message rejected for all recipients",
                                     STR_ARG(r->m->id)),
                          STR_NULL);
}

/* What ACLs have to tell others, whatever becomes of the message. */
static void
send_letters(struct receiving *r)
{
    struct acl_message *acl = r->m->acl;
    struct str id;
    for (size_t i = 0; acl != NULL && i < acl->letters.n; i++) {
        const struct acl_letter *l = &acl->letters.v[i];
        const struct receive_own own = {
            .arena = r->a,
            .sender = l->sender,
            .recipients = l->recipients.v,
            .recipients_n = l->recipients.n,
            .text = l->text,
            .body_fd = -1,
            .reference = r->m->id,
            .uid = r->e->mail_uid,
            .gid = r->e->mail_gid,
            .error_message = l->sender.n == 0,
        };
        if (receive_own_message(r->e, &own, &id))
            vec_push(r->a, &r->out->own, id);
    }
    if (acl != NULL)
        acl->letters.n = 0;
}

/* False: the message is refused. */
static bool
take_answer(struct receiving *r, enum acl_phase phase, const struct acl_answer *a,
            const char *stage)
{
    switch (a->result) {
    case ACL_ACCEPT:
        if (r->rq->smtp && str_is_set(a->message))
            r->out->why.peer = a->message;
        break;
    case ACL_DISCARD:
        r->m->recipients.n = 0;
        r->discard_why = a->log_message;
        if (r->rq->smtp && str_is_set(a->message))
            r->out->why.peer = a->message;
        acl_message_of(r->m)->discarded_by =
            str_printf(r->a, "%.*s ACL", STR_ARG(acl_phase_title(phase)));
        break;
    case ACL_DENY:
    case ACL_DROP:
    case ACL_DEFER:
    case ACL_ERROR:
        return refuse(r, a, stage, phase != ACL_PHASE_DKIM);
    }
    return true;
}

/* acl_smtp_data, acl_not_smtp. */
static bool
ask_for_message(struct receiving *r)
{
    enum acl_phase phase = r->rq->smtp ? ACL_PHASE_DATA : ACL_PHASE_NOTSMTP;
    struct acl_answer answer;
    (void)policy_run(r->e, phase, &answer);
    acl_apply_headers(r->m, r->s);
    send_letters(r);
    return take_answer(r, phase, &answer, r->rq->smtp ? "after DATA" : "by non-SMTP ACL");
}

static bool
ask_dkim(struct receiving *r)
{
    struct acl_answer answer;
    if (r->dkim == NULL)
        return true;
    dkim_check_end(r->dkim, r->body_longest);
    (void)dkim_check_judge(r->dkim, &answer);
    return take_answer(r, ACL_PHASE_DKIM, &answer, "DKIM ");
}

/* Who is asked about a message that is there as a whole, in this order: DKIM, MIME parts, recipients, message. Each may refuse it. */
static bool (*const asked[])(struct receiving *r) = {
    ask_dkim,
    receive_mime,
    ask_for_recipients,
    ask_for_message,
};

bool
receive_policy_end(struct receiving *r)
{
    acl_apply_headers(r->m, r->s);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0] && !r->decided; i++)
        if (!asked[i](r))
            return false;
    take_controls(r);
    return true;
}

static void
log_control(struct receiving *r, const char *text)
{
    maillog(r->e, MAILLOG_MAIN, r->m->id, "%s", text);
    maillog_message(r->e, &r->entry, str_from_cstr(text));
}

/* freeze_tell: a letter to whom it names. Not for messages that are such letters themselves. */
static void
tell_frozen(struct receiving *r, const char *by)
{
    const struct conf_main *c = r->e->conf->main;
    struct str list = c->freeze_tell.text, from, id;
    if (!str_is_set(list) || str_trim(list).n == 0 || r->rq->own)
        return;
    if (vm_expand_x(r->e->vm, &c->dsn_from, &from) != VM_OK)
        from = str_printf(r->a, "Mail Delivery System <Mailer-Daemon@%.*s>",
                          STR_ARG(c->qualify_domain));
    struct str reference = receive_log_message_id(r);
    const struct receive_own own = {
        .arena = r->a,
        .sender = STR_EMPTY,
        .text = str_printf(r->a,
                           "Auto-Submitted: auto-replied\nFrom: %.*s\nTo: %.*s\n"
                           "References: <%.*s>\nSubject: Message frozen on arrival\n\n"
                           "Message %.*s was frozen on arrival by %s.\nThe sender is <%.*s>.\n",
                           STR_ARG(from), STR_ARG(list), STR_ARG(reference), STR_ARG(r->m->id),
                           by, STR_ARG(r->m->sender)),
        .body_fd = -1,
        .reference = r->m->id,
        .uid = r->e->mail_uid,
        .gid = r->e->mail_gid,
        .error_message = true,
    };
    if (receive_own_message(r->e, &own, &id))
        vec_push(r->a, &r->out->own, id);
}

void
receive_policy_log(struct receiving *r)
{
    const struct acl_message *acl = r->m->acl;
    bool tell = maillog_selected(r->e, LOG_SELECTOR_DELAY_DELIVERY);
    if (r->e->conf->main->mua_wrapper)
        return;
    if (r->scan_froze) {
        log_control(r, "frozen by local_scan()");
        tell_frozen(r, "local_scan()");
    }
    if (r->scan_queued && tell)
        log_control(r, "no immediate delivery: queued by local_scan()");
    if (acl == NULL)
        return;
    if (acl->freeze) {
        log_control(r, "frozen by ACL");
        if (acl->freeze_tell)
            tell_frozen(r, "ACL");
    }
    if ((acl->queue_only || acl->first_pass_route) && tell)
        log_control(r, "no immediate delivery: queued by ACL");
}
