/* Conditions that are lists, and those whose facility is not there yet. */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/list.h"
#include "mail/address.h"
#include "mail/dkim_result.h"

/* --- lists of names --- */

/* Asks a list. *data: what matched, kept; STR_NULL when nothing did. */
static enum acl_test
ask(struct acl_call *c, const struct acl_item *item, struct list_question *q, struct str *data)
{
    struct list_answer a = {.value = STR_NULL};
    q->what = acl_word_row(item->word)->name;
    q->remember = true;
    q->fixed_text = !str_is_tainted(q->list) && q->list.p == item->arg.text.p;
    enum outcome o = list_match(c->r->eval, c->r->vm, q, &a);
    *data = o == OUT_OK && str_is_set(a.value) ? str_dup(c->keep, a.value) : STR_NULL;
    if (o == OUT_DEFER || o == OUT_ERROR)
        return acl_defer(c, "%.*s", STR_ARG(vm_error(c->r->vm)));
    return o == OUT_OK ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}

static const struct address *
recipient(const struct acl_call *c)
{
    return c->r->eval->address;
}

enum acl_test
acl_cond_domains(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct eval *e = c->r->eval;
    struct str data;
    struct list_question q = {.kind = LIST_DOMAIN, .list = arg, .host_name = STR_NULL};
    q.subject = recipient(c) == NULL ? STR_EMPTY : recipient(c)->domain;
    enum acl_test t = ask(c, item, &q, &data);
    if (e->address != NULL)
        e->address->domain_data = data;
    e->domain_data = data;
    return t;
}

enum acl_test
acl_cond_local_parts(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct eval *e = c->r->eval;
    struct str data;
    struct list_question q = {.kind = LIST_LOCALPART, .list = arg, .host_name = STR_NULL};
    if (recipient(c) == NULL)
        q.subject = STR_EMPTY;
    else if (str_is_set(
                 recipient(c)->original_local_part)) /* +caseful wants it as it was given */
        q.subject = recipient(c)->original_local_part;
    else
        q.subject = recipient(c)->local_part;
    enum acl_test t = ask(c, item, &q, &data);
    if (e->address != NULL)
        e->address->local_part_data = data;
    e->local_part_data = data;
    return t;
}

enum acl_test
acl_cond_recipients(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct list_question q = {.kind = LIST_ADDRESS, .list = arg, .host_name = STR_NULL};
    q.subject = recipient(c) == NULL ? STR_EMPTY : recipient(c)->text;
    struct str data;
    enum acl_test t = ask(c, item, &q, &data);
    c->r->eval->recipient_data = data;
    return t;
}

static struct str
sender(const struct acl_call *c)
{
    const struct message *m = c->r->eval->message;
    return m == NULL || !str_is_set(m->sender) ? STR_EMPTY : m->sender;
}

enum acl_test
acl_cond_senders(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct list_question q = {.kind = LIST_ADDRESS, .list = arg, .host_name = STR_NULL};
    q.subject = sender(c);
    struct str data;
    enum acl_test t = ask(c, item, &q, &data);
    c->r->eval->sender_data = data;
    return t;
}

/* $domain stays the recipient's. */
enum acl_test
acl_cond_sender_domains(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct str local_part, domain, data;
    address_split(sender(c), &local_part, &domain);
    struct list_question q = {.kind = LIST_DOMAIN, .list = arg, .host_name = STR_NULL};
    q.subject = str_is_set(domain) ? domain : STR_EMPTY;
    q.keep_domain = true;
    return ask(c, item, &q, &data);
}

enum acl_test
acl_cond_hosts(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct session *s = c->r->eval->session;
    struct list_question q = {.kind = LIST_HOST, .list = arg, .host_name = STR_NULL};
    struct str data;
    bool remote = s != NULL && str_is_set(s->sender_host_address);
    q.subject = remote ? s->sender_host_address : STR_EMPTY;
    if (remote && str_is_set(s->sender_host_name))
        q.host_name =
            str_is_set(s->sender_host_names) ? s->sender_host_names : s->sender_host_name;
    enum acl_test t = ask(c, item, &q, &data);
    /* it holds until the next test, in whatever message that is */
    if (str_is_set(data) && s != NULL && s->arena != NULL)
        data = str_dup(s->arena, data);
    c->r->eval->host_data = data;
    return t;
}

enum acl_test
acl_ask_text(struct acl_call *c, const struct acl_item *item, struct str subject,
             struct str arg)
{
    struct list_question q = {.kind = LIST_LOCALPART, .list = arg, .host_name = STR_NULL};
    struct str data;
    q.subject = subject;
    return ask(c, item, &q, &data);
}

enum acl_test
acl_cond_authenticated(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct session *s = c->r->eval->session;
    if (s == NULL || !str_is_set(s->sender_host_authenticated))
        return ACL_TEST_FALSE;
    return acl_ask_text(c, item, s->sender_host_authenticated, arg);
}

enum acl_test
acl_cond_encrypted(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct session *s = c->r->eval->session;
    if (s == NULL || !str_is_set(s->tls_in.cipher))
        return ACL_TEST_FALSE;
    return str_eqz(arg, "*") ? ACL_TEST_TRUE : acl_ask_text(c, item, s->tls_in.cipher, arg);
}

/* --- DKIM --- */

static const struct dkim_results *
dkim_results(const struct acl_call *c)
{
    const struct message *m = c->r->eval->message;
    return m == NULL ? NULL : m->dkim;
}

enum acl_test
acl_cond_dkim_signers(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct dkim_results *r = dkim_results(c);
    struct list_question q = {.kind = LIST_DOMAIN, .list = arg, .host_name = STR_NULL};
    struct str data;
    q.subject = r == NULL || !str_is_set(r->cur_signer) ? STR_EMPTY : r->cur_signer;
    q.keep_domain = true;
    return ask(c, item, &q, &data);
}

/* In the ACL of DKIM that of one signature; later a list, of which any one will do. */
enum acl_test
acl_cond_dkim_status(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct dkim_results *r = dkim_results(c);
    struct str all = r == NULL || !str_is_set(r->status) ? STR_EMPTY : r->status, data;
    struct strlist_split s = strlist_split_start(all, ':');
    struct list_question q = {.kind = LIST_DOMAIN, .list = arg, .host_name = STR_NULL};
    enum acl_test t = ACL_TEST_FALSE;
    q.keep_domain = true;
    while (t == ACL_TEST_FALSE && strlist_split_next(&s, vm_scratch(c->r->vm), &q.subject))
        t = ask(c, item, &q, &data);
    return t;
}

/* --- what comes later --- */

enum acl_test
acl_cond_atrn_domains(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct acl_up *up = c->r->up;
    (void)item;
    if (up == NULL || up->atrn_domains == NULL)
        return acl_error(c, "no client asks for domains");
    enum outcome o = up->atrn_domains(up->peer_ctx, arg);
    if (o == OUT_DEFER || o == OUT_ERROR)
        return acl_defer(c, "%.*s", STR_ARG(vm_error(c->r->vm)));
    return o == OUT_OK ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}

enum acl_test
acl_cond_later(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    (void)arg;
    return acl_error(c, "ACL condition \"%.*s\" is not available in this version of remex",
                     STR_ARG(acl_word_row(item->word)->name));
}
