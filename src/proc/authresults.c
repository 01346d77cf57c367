/* Authentication-Results; see authresults.h. */
#include "proc/authresults.h"

#include "auths/auth.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "mail/arc.h"
#include "mail/dkim_result.h"
#include "mail/dmarc.h"
#include "mail/spf.h"

/* A value that could be read as more than one is quoted: what a client says must not add results to those that are ours. */
static void
add_value(struct buf *b, struct str value)
{
    bool plain = true;
    for (size_t i = 0; i < value.n && plain; i++)
        plain = (unsigned char)value.p[i] > ' ' && strchr("()\",;\\\x7f", value.p[i]) == NULL;
    if (plain) {
        buf_adds(b, value);
        return;
    }
    buf_addc(b, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, (unsigned char)value.p[i] < ' ' ? ' ' : value.p[i]);
    }
    buf_addc(b, '"');
}

/* " name=value", unless there is no value. */
static void
add_property(struct buf *b, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    buf_printf(b, " %s=", name);
    add_value(b, value);
}

/* What came from this machine without SMTP is its user's. */
static void
add_local(struct buf *b, const struct eval *e, struct str id)
{
    const struct session *s = e->session;
    if (s->sender_host_address.n > 0 || e->message == NULL ||
        !str_eqz(e->message->received_protocol, "local"))
        return;
    buf_addz(b, ";\n\tlocal=pass (non-smtp, ");
    buf_adds(b, id);
    buf_addc(b, ')');
    if (s->authenticated_id.n > 0) {
        buf_addz(b, " u=");
        add_value(b, s->authenticated_id);
    }
}

/* The mechanism of an authenticator: its public name, or that of its driver when it has none (as with
 * certificates). */
static struct str
mechanism(const struct eval *e, struct str name, bool *by_certificate)
{
    *by_certificate = false;
    if (e->conf == NULL)
        return name;
    for (size_t i = 0; i < e->conf->auths.n; i++) {
        const struct driver_instance *d = e->conf->auths.v[i];
        if (!str_eq(d->name, name))
            continue;
        *by_certificate = str_eqz(d->driver->name, "tls");
        const struct auth_generic *g = d->generic.fields;
        return str_is_set(g->public_name) ? g->public_name : name;
    }
    return name;
}

/* Does the name of the peer lead back to its address? Nothing when nobody asked. */
static void
add_iprev(struct buf *b, const struct session *s)
{
    const char *result = s->host_lookup_deferred ? "temperror"
                         : s->host_lookup_failed ? "fail"
                                                 : "pass";
    bool found = s->sender_host_name.n > 0;
    if (!found && !s->host_lookup_deferred && !s->host_lookup_failed)
        return;
    buf_printf(b, ";\n\tiprev=%s", found ? "pass" : result);
    if (found)
        buf_printf(b, " (%.*s)", STR_ARG(s->sender_host_name));
    add_property(b, "smtp.remote-ip", s->sender_host_address);
}

static void
add_auth(struct buf *b, const struct eval *e, const struct session *s)
{
    if (s->sender_host_authenticated.n == 0)
        return;
    bool by_certificate;
    struct str how = mechanism(e, s->sender_host_authenticated, &by_certificate);
    buf_printf(b, ";\n\tauth=pass (%.*s)", STR_ARG(how));
    add_property(b, by_certificate ? "x509.auth" : "smtp.auth", s->authenticated_id);
    if (e->message != NULL)
        add_property(b, "smtp.mailfrom", e->message->authenticated_sender);
}

/* What the condition spf found out; nothing when nobody asked. */
static void
add_spf(struct buf *b, const struct message *m)
{
    const struct spf_check *c = m != NULL ? m->spf : NULL;
    if (c == NULL || c->result == SPF_INVALID)
        return;
    buf_printf(b, ";\n\tspf=%.*s%s", STR_ARG(spf_result_name(c->result)),
               c->guessed ? " (best guess record for domain)" : "");
    add_property(b, c->of_helo ? "smtp.helo" : "smtp.mailfrom", c->domain);
}

/* What the condition dmarc_status found out; nothing when it had nothing to do. */
static void
add_dmarc(struct buf *b, const struct message *m)
{
    const struct dmarc_check *c = m != NULL ? m->dmarc : NULL;
    struct str result = c != NULL ? dmarc_verdict_result(c->verdict) : STR_NULL;
    if (!str_is_set(result))
        return;
    buf_printf(b, ";\n\tdmarc=%.*s", STR_ARG(result));
    add_property(b, "header.from", c->from);
}

/* What `verify = arc` found out; nothing when nobody asked. */
static void
add_arc(struct buf *b, const struct message *m, const struct session *s)
{
    const struct arc_check *c = m != NULL ? m->arc : NULL;
    if (c == NULL || c->state == ARC_UNCHECKED)
        return;
    buf_printf(b, ";\n\tarc=%.*s", STR_ARG(arc_state_name(c->state)));
    if (c->state == ARC_FAIL)
        buf_printf(b, " (%.*s)", STR_ARG(c->reason));
    if (c->state != ARC_PASS)
        return;
    size_t n = c->chain->n;
    buf_printf(b, " (i=%zu) header.s=%.*s arc.oldest-pass=%u", n,
               STR_ARG(c->chain->set[n - 1].message.selector), c->oldest_pass);
    add_property(b, "smtp.remote-ip", s->sender_host_address);
}

enum vm_status
authresults_host(void *env, struct vm *vm, struct str id, struct str *out)
{
    const struct eval *e = env;
    struct buf b = buf_in(vm_scratch(vm), 0);
    buf_addz(&b, "Authentication-Results: ");
    buf_adds(&b, id);
    if (e->session != NULL) {
        size_t n = b.n;
        add_local(&b, e, id);
        add_iprev(&b, e->session);
        add_auth(&b, e, e->session);
        add_spf(&b, e->message);
        if (e->message != NULL && e->message->dkim != NULL)
            dkim_results_describe(&b, e->message->dkim);
        add_dmarc(&b, e->message);
        add_arc(&b, e->message, e->session);
        if (b.n > n)
            b.taint = str_taint_join(b.taint, STR_TAINTED);
    }
    *out = buf_str(&b);
    return VM_OK;
}
