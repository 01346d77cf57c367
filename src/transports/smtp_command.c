/* MAIL and RCPT; see smtp_command.h. Source: RFC 5321 section 4.1.1, RFC 1870, 3461, 4954, 6531. */
#include "transports/smtp_command.h"

#include "filter/expand.h"
#include "mail/dsn.h"
#include "mail/xtext.h"
#include "transports/message_write.h"
#include "transports/smtp_utf8.h"

struct str
smtp_command_address(const struct smtp_client *c, struct arena *a, struct str address)
{
    return c->downconvert ? smtp_utf8_down(a, address) : address;
}

bool
smtp_command_auth(const struct smtp_client *c, const struct transport_job *job,
                  struct str *auth)
{
    const struct transport_smtp *o = c->opt;
    struct str value = job->message != NULL ? job->message->authenticated_sender : STR_NULL;
    enum vm_status st = VM_OK;
    if (str_is_set(o->authenticated_sender.text)) {
        struct str text;
        st = vm_expand_x(job->vm, &o->authenticated_sender, &text);
        if (st == VM_OK)
            value = text;
    }
    bool said = c->authenticated || o->authenticated_sender_force;
    *auth = said && str_is_set(value) ? str_dup(job->arena, value) : STR_NULL;
    return st == VM_OK || st == VM_FORCED;
}

struct str
smtp_command_mail(const struct smtp_client *c, const struct transport_job *job,
                  const struct smtp_mail *m)
{
    struct buf b = buf_in(job->arena, 0);
    const struct message *msg = job->message;
    buf_printf(&b, "MAIL FROM:<%.*s>",
               STR_ARG(smtp_command_address(c, job->arena, job->return_path)));
    if (c->peer.size && c->opt->size_addition >= 0 && !m->no_size)
        buf_printf(&b, " SIZE=%lld",
                   (long long)((msg->size < 0 ? 0 : msg->size) + c->opt->size_addition));
    if (m->prdr)
        buf_addz(&b, " PRDR");
    if (m->smtputf8)
        buf_addz(&b, " SMTPUTF8");
    if (m->dsn && msg->dsn_ret != DSN_RET_NONE)
        buf_addz(&b, msg->dsn_ret == DSN_RET_HDRS ? " RET=HDRS" : " RET=FULL");
    if (m->dsn && msg->dsn_envid.n > 0)
        buf_printf(&b, " ENVID=%.*s", STR_ARG(msg->dsn_envid));
    if (m->auth.n > 0)
        buf_printf(&b, " AUTH=%.*s", STR_ARG(xtext_encode(job->arena, m->auth)));
    return buf_str(&b);
}

static void
add_notify(struct buf *b, int64_t flags)
{
    static const struct {
        int64_t bit;
        const char *word;
    } words[] = {{DSN_SUCCESS, "SUCCESS"}, {DSN_FAILURE, "FAILURE"}, {DSN_DELAY, "DELAY"}};
    const char *before = " NOTIFY=";
    if ((flags & DSN_NEVER) != 0) {
        buf_addz(b, " NOTIFY=NEVER");
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((flags & words[i].bit) != 0) {
            buf_addz(b, before);
            buf_addz(b, words[i].word);
            before = ",";
        }
}

struct str
smtp_command_rcpt(const struct smtp_client *c, const struct transport_job *job,
                  const struct address *to, size_t *parameters)
{
    const struct transport_generic *g = job->transport->generic.fields;
    struct buf b = buf_in(job->arena, 0);
    struct str text = transport_rcpt_address(job->arena, to, g->rcpt_include_affixes);
    buf_printf(&b, "RCPT TO:<%.*s>", STR_ARG(smtp_command_address(c, job->arena, text)));
    *parameters = b.n;
    if (c->lmtp && c->opt->lmtp_ignore_quota && c->peer.ignore_quota)
        buf_addz(&b, " IGNOREQUOTA");
    if (c->peer.dsn && !to->dsn_lasthop) {
        add_notify(&b, to->dsn_flags);
        if (to->orcpt.n > 0)
            buf_printf(&b, " ORCPT=%.*s", STR_ARG(to->orcpt));
    }
    return buf_str(&b);
}
