/* Retry times of hosts; see remote_retry.h. */
#include "engine/remote_retry.h"

#include "conf/conf.h"
#include "mail/ip.h"

#include <errno.h>
#include <string.h>

enum { SMTP_PORT = 25 };

/* retry_include_ip_address, which may be text. */
static bool
includes_address(struct delivery *d, const struct transport_smtp *o)
{
    struct str text;
    const struct opt_xbool *x = &o->retry_include_ip_address;
    if (!str_is_set(x->text.text))
        return x->on;
    return vm_expand_x(d->engine->vm, &x->text, &text) != VM_OK ||
           !(str_ieqz(text, "no") || str_ieqz(text, "false"));
}

void
remote_retry_keys(struct delivery *d, const struct driver_instance *transport,
                  struct remote_try *t)
{
    struct buf b = buf_in(d->arena, 0);
    bool literal = str_eq(t->host.name, t->host.address);
    buf_addz(&b, literal ? "T:[" : "T:");
    buf_adds(&b, t->host.name);
    buf_addz(&b, literal ? "]" : "");
    if (includes_address(d, transport_smtp_options(transport))) {
        buf_addc(&b, ':');
        buf_adds(&b, t->host.address);
    }
    if (t->port != SMTP_PORT)
        buf_printf(&b, ":%lld", (long long)t->port);
    if (t->from.n != 0) /* from another address it may be reached */
        buf_printf(&b, "/%.*s", STR_ARG(ip_text(d->arena, &t->from)));
    t->key = buf_str(&b);
    t->message_key = STR_JOIN(d->arena, t->key, STR_LIT(":"), d->id);
}

enum remote_ready
remote_retry_check(struct delivery *d, struct remote_try *t)
{
    struct retry_record r;
    int64_t now = (int64_t)d->started.tv_sec;
    bool forced = d->engine->forced || d->reason == DELIVERY_FORCED;
    t->known = retry_load(d, t->key, &t->record);
    r = t->record;
    t->expired = t->known && r.expired;
    t->last_try = t->known ? r.last_try : 0;
    if (forced)
        return REMOTE_READY;
    if (t->known && now < r.next_try &&
        (r.expired || !retry_overdue(d, t->host.name, t->domain, &r)))
        return r.expired ? REMOTE_EXPIRED : REMOTE_WAITS;
    t->of_message = retry_load(d, t->message_key, &r) && now < r.next_try &&
                    !retry_overdue(d, t->host.name, t->domain, &r);
    return t->of_message ? REMOTE_WAITS : REMOTE_READY;
}

static int64_t
detail_of(const struct remote_try *t, const struct smtp_end *end)
{
    if (end->fate == SMTP_MESSAGE_DEFER && end->why.smtp_code > 0)
        return retry_detail_of_reply(end->why.smtp_code, t->host.preference >= 0);
    int64_t from = t->host.preference >= 0 ? RETRY_DETAIL_MX : RETRY_DETAIL_A;
    return end->connecting && end->why.sys_errno == ETIMEDOUT ? from | RETRY_DETAIL_CONNECT
                                                              : from;
}

static struct str
text_of(struct delivery *d, const struct remote_try *t, const struct smtp_end *end)
{
    if (!str_is_set(t->host.address))
        return end->why.log;
    if (str_is_set(end->why.log))
        return str_printf(d->arena, "H=%.*s [%.*s]: %.*s", STR_ARG(t->host.name),
                          STR_ARG(t->host.address), STR_ARG(end->why.log));
    return str_from_cstr(end->why.sys_errno > 0 ? strerror(end->why.sys_errno) : "");
}

bool
remote_retry_note(struct delivery *d, const struct remote_try *t, const struct smtp_end *end,
                  bool again)
{
    bool of_message = end->fate == SMTP_MESSAGE_DEFER;
    bool as_before = again && t->known && !of_message;
    const struct retry_failure f = {
        .key = of_message ? t->message_key : t->key,
        .subject = t->host.name,
        .second = t->domain,
        .number = end->why.sys_errno,
        .code = end->why.smtp_code,
        .detail = detail_of(t, end),
        .text = as_before ? STR_NULL : text_of(d, t, end),
        .of_message = of_message,
        .again = again,
        .old = as_before ? &t->record : NULL,
    };
    switch (end->fate) {
    case SMTP_ANSWERED:
    case SMTP_MESSAGE_FAIL:
        retry_forget(d, t->key);
        retry_forget(d, t->message_key);
        return false;
    case SMTP_MESSAGE_DEFER:
        retry_forget(d, t->key);
        return retry_failed(d, &f);
    case SMTP_HOST_DEFER:
        return retry_failed(d, &f);
    case SMTP_HOST_FAIL:
    case SMTP_SETUP_DEFER:
        break;
    }
    return false;
}
