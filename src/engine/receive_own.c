/* Messages that remex writes itself: bounces, warnings, replies. They take the way of every message, with a text that is
 * at hand for input.
 */
#include "base/arena.h"
#include "base/utf8.h"
#include "conf/main_options.h"
#include "engine/gecos.h"
#include "engine/receive_state.h"
#include "sys/account.h"

#include <string.h>
#include <unistd.h>

struct own_text {
    struct str rest;
    int fd;
};

static ssize_t
get_text(void *ctx, char *p, size_t n)
{
    struct own_text *t = ctx;
    if (t->rest.n == 0)
        return t->fd < 0 ? 0 : read(t->fd, p, n);
    struct str part = str_sub(t->rest, 0, n);
    memcpy(p, part.p, part.n);
    t->rest = str_sub(t->rest, part.n, t->rest.n);
    return (ssize_t)part.n;
}

static struct str
login_of(struct arena *a, uid_t uid)
{
    const struct passwd *pw = account_user_of_id(a, uid);
    return pw != NULL ? str_dup(a, str_from_cstr(pw->pw_name)) : str_printf(a, "%u", uid);
}

static struct message *
new_message(const struct engine *e, struct arena *a, const struct receive_own *own)
{
    struct message *m = ARENA_NEW(a, struct message);
    m->arena = a;
    m->sender = str_is_set(own->sender) ? own->sender : STR_EMPTY;
    m->originator_uid = own->uid;
    m->originator_gid = own->gid;
    m->received_protocol = STR_LIT("local");
    if (own->error_message)
        m->authenticated_sender = e->conf->main->bounce_sender_authentication;
    for (size_t i = 0; own->recipients != NULL && i < own->recipients_n; i++) {
        struct recipient one = {.address = own->recipients[i]};
        vec_push(a, &m->recipients, one);
        m->smtputf8 = m->smtputf8 || utf8_has_8bit(one.address);
    }
    return m;
}

/* Nobody is told of what is wrong with such a message. */
static void
log_refusal(struct engine *e, const struct receive_own *own, const struct message *m,
            const struct receive_result *out)
{
    struct str why = str_is_set(out->why.log) ? out->why.log : out->why.peer, id;
    if (out->end == RECEIVE_REFUSED && out->fault == RECEIVE_FAULT_ACL) {
        const struct receive_report c = {.fault = out->fault,
                                         .to = STR_EMPTY,
                                         .id = m->id,
                                         .reference = own->reference,
                                         .why = why,
                                         .body_fd = -1,
                                         .arena = own->arena};
        (void)receive_report_by_mail(e, &c, &id);
        maillog(e, MAILLOG_MAIN, own->reference, "Child mail process returned status 1");
        return;
    }
    maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, own->reference,
            "a message of our own was not accepted: %.*s", STR_ARG(why));
}

bool
receive_is_trusted_user(const struct engine *e, int64_t uid)
{
    const struct opt_ids *ids = &e->conf->main->trusted_users;
    for (uint32_t i = 0; i < ids->n; i++) {
        if (ids->v[i] == uid)
            return true;
    }
    return uid == 0 || uid == (int64_t)e->mail_uid;
}

bool
receive_own_message(struct engine *e, const struct receive_own *own, struct str *id)
{
    struct arena *a = arena_new();
    struct own_text text = {.rest = own->text, .fd = own->body_fd};
    struct session *s = ARENA_NEW(a, struct session);
    struct receive_result out;
    s->arena = a;
    s->sender_ident = login_of(a, own->uid);
    struct receive_request rq = {
        .message = new_message(e, a, own),
        .session = s,
        .framing = RECEIVE_TO_END,
        .source = {.get = get_text, .ctx = &text},
        .local = true,
        .own = true,
        .sender_given = true,
        .extract_recipients = own->recipients == NULL,
        .unqualified_sender = true,
        .unqualified_recipient = true,
        .reference = own->reference,
        .held = own->held,
        .held_ctx = own->held_ctx,
        .login = s->sender_ident,
        /* who may choose a sender has no name of their own in From: */
        .full_name = receive_is_trusted_user(e, own->uid)
                         ? STR_EMPTY
                         : gecos_full_name(a, e->vm, e->conf->main, own->uid),
    };
    struct map *acl_c = e->eval->acl_c, *acl_m = e->eval->acl_m;
    e->eval->acl_c = e->eval->acl_m = NULL; /* those of the message at hand */
    receive_message(e, &rq, &out);
    e->eval->acl_c = acl_c;
    e->eval->acl_m = acl_m;
    bool ok = out.end == RECEIVE_ACCEPTED;
    if (ok)
        *id = str_dup(own->arena, rq.message->id);
    else
        log_refusal(e, own, rq.message, &out);
    arena_free(a);
    return ok;
}
