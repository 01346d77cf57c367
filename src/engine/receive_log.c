/* The line of arrival. Source: specification, sections "Logging message reception", "Reducing or increasing what is
 * logged". */
#include "acl/acl_state.h"
#include "base/arena.h"
#include "base/num.h"
#include "conf/main_options.h"
#include "conf/vars.h"
#include "engine/receive_state.h"
#include "filter/vm.h"
#include "mail/arc.h"
#include "mail/dkim_result.h"
#include "mail/dmarc.h"
#include "mail/spf.h"

#include <inttypes.h>

enum { FAKE_REJECT = 550 }; /* control = fakereject: accepted, and told otherwise */

static bool
on(const struct receiving *r, enum log_selector s)
{
    return maillog_selected(r->e, s);
}

static void
field(struct buf *b, const char *name, struct str value)
{
    if (str_is_set(value) && value.n > 0)
        buf_printf(b, " %s=%.*s", name, STR_ARG(value));
}

/* "host (helo) [ip]:port" or what is known of it. */
static void
add_host(const struct receiving *r, struct buf *b)
{
    const struct session *s = r->s;
    if (s->sender_fullhost.n > 0) {
        if (on(r, LOG_SELECTOR_DNSSEC) && s->sender_host_dnssec)
            buf_addz(b, " DS");
        field(b, "H", s->sender_fullhost);
        if (on(r, LOG_SELECTOR_INCOMING_INTERFACE) && s->interface_address.n > 0)
            buf_printf(b, " I=[%.*s]:%" PRId64, STR_ARG(s->interface_address),
                       s->interface_port);
    }
    if (s->fast_open)
        buf_addz(b, s->fast_data ? " TFO*" : " TFO");
    if (s->sender_ident.n > 0)
        field(b, "U", s->sender_ident);
    if (!on(r, LOG_SELECTOR_CONNECTION_ID))
        return;
    if (s->connection_id.n > 0)
        field(b, "Ci", s->connection_id);
    else /* what came without a connection has one of its own */
        buf_printf(b, " Ci=%lld%09ld", (long long)r->started.tv_sec, r->started.tv_nsec);
}

static void
add_tls(const struct receiving *r, struct buf *b)
{
    maillog_add_tls(r->e, b, &r->s->tls_in, true);
}

/* " L": PIPELINING, from the first packet (L*) or not (L.), or not at all although it was offered (L-). */
static void
add_pipelining(const struct receiving *r, struct buf *b)
{
    const struct session *s = r->s;
    if (!s->pipelining_offered || !on(r, LOG_SELECTOR_PIPELINING))
        return;
    buf_printf(b, " L%s%s",
               s->early_used      ? "*"
               : s->early_offered ? "."
                                  : "",
               s->pipelining_used ? "" : "-");
}

static void
add_authentication(const struct receiving *r, struct buf *b)
{
    const struct session *s = r->s;
    if (s->sender_host_authenticated.n == 0)
        return;
    field(b, "A", s->sender_host_authenticated);
    if (s->authenticated_id.n > 0)
        buf_printf(b, ":%.*s", STR_ARG(s->authenticated_id));
    if (on(r, LOG_SELECTOR_SMTP_MAILAUTH) && r->m->authenticated_sender.n > 0)
        buf_printf(b, ":%.*s", STR_ARG(r->m->authenticated_sender));
}

static void
add_reception_time(const struct receiving *r, struct buf *b)
{
    struct timespec now;
    if (!on(r, LOG_SELECTOR_RECEIVE_TIME))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t us = maillog_between(r->started.tv_sec, r->started.tv_nsec / 1000, now);
    field(b, "RT", maillog_duration(r->a, r->e, us));
}

struct str
receive_log_message_id(const struct receiving *r)
{
    const struct header_list *l = r->m->headers;
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].type != HEADER_TYPE_MESSAGE_ID ||
            str_istarts(l->v[i].text, "resent-") != r->resent)
            continue;
        struct str id = str_trim(header_body(&l->v[i]));
        size_t open = str_chr(id, '<', 0), close = str_rchr(id, '>');
        if (open != STR_NPOS && close != STR_NPOS && open < close)
            return str_sub(id, open + 1, close - open - 1);
        return id;
    }
    return STR_NULL;
}

static void
add_message_id(const struct receiving *r, struct buf *b)
{
    if (r->own_message_id) {
        if (on(r, LOG_SELECTOR_MSG_ID_CREATED))
            field(b, "id*", receive_log_message_id(r));
    } else if (on(r, LOG_SELECTOR_MSG_ID)) {
        field(b, "id", receive_log_message_id(r));
    }
}

/* True if there is or was such a line. */
static bool
had_subject(const struct receiving *r)
{
    const struct header_list *l = r->m->headers;
    for (size_t i = 0; i < l->n; i++) {
        if (str_ieqz(header_name(&l->v[i]), "subject"))
            return true;
    }
    return false;
}

/* T="…", quotes and backslashes escaped. */
static void
add_subject(const struct receiving *r, struct buf *b)
{
    struct str text;
    if (!on(r, LOG_SELECTOR_SUBJECT) || !had_subject(r) ||
        vm_expand(r->e->vm, STR_LIT("$h_subject:"), &text) != VM_OK)
        return;
    buf_addz(b, " T=\"");
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, text.p[i]);
    }
    buf_addc(b, '"');
}

static void
add_envelope(const struct receiving *r, struct buf *b)
{
    if (on(r, LOG_SELECTOR_RECEIVED_SENDER))
        buf_printf(b, " from <%.*s>", STR_ARG(r->original_sender));
    if (!on(r, LOG_SELECTOR_RECEIVED_RECIPIENTS) || r->to.n == 0)
        return;
    buf_addz(b, " for");
    for (size_t i = 0; i < r->to.n; i++)
        buf_printf(b, " %.*s", STR_ARG(r->to.v[i]));
}

/* A mark for what passed; with the verbose selector the result. */
static void
add_verdict(const struct receiving *r, struct buf *b, const char *name, struct str result,
            bool passed, enum log_selector mark, enum log_selector verbose)
{
    if (on(r, verbose))
        field(b, name, result);
    else if (on(r, mark) && passed)
        buf_printf(b, " %s", name);
}

static void
add_verdicts(const struct receiving *r, struct buf *b)
{
    const struct spf_check *spf = r->m->spf;
    const struct dmarc_check *dmarc = r->m->dmarc;
    if (spf != NULL)
        add_verdict(r, b, "SPF", spf_result_name(spf->result), spf->result == SPF_PASS,
                    LOG_SELECTOR_SPF, LOG_SELECTOR_SPF_VERBOSE);
    if (dmarc != NULL)
        add_verdict(r, b, "DMARC", dmarc_verdict_status(dmarc->verdict),
                    dmarc->verdict == DMARC_PASS, LOG_SELECTOR_DMARC,
                    LOG_SELECTOR_DMARC_VERBOSE);
}

/* What both logs have, from the sender on. */
static void
add_common(const struct receiving *r, struct buf *b)
{
    if (r->m->sender.n > 0)
        buf_adds(b, r->m->sender);
    else
        buf_addz(b, "<>");
    field(b, "R", r->rq->reference);
    add_host(r, b);
    field(b, "P", r->m->received_protocol);
    add_pipelining(r, b);
    add_tls(r, b);
    add_authentication(r, b);
    if (r->s->proxy && on(r, LOG_SELECTOR_PROXY))
        field(b, "PRX", r->s->proxy_local);
    if (r->s->prdr)
        buf_addz(b, " PRDR");
    if (r->rq->framing == RECEIVE_CHUNKS)
        buf_addz(b, " K");
    buf_printf(b, " S=%" PRId64, r->out->size);
    if (r->m->queue_name.n > 0)
        field(b, "Q", r->m->queue_name);
    if (on(r, LOG_SELECTOR_8BITMIME))
        buf_printf(b, " M8S=%" PRId64, r->m->body_8bitmime);
    add_reception_time(r, b);
    if (r->m->dkim != NULL && on(r, LOG_SELECTOR_DKIM))
        field(b, "DKIM", r->m->dkim->passed);
    if (on(r, LOG_SELECTOR_DKIM) && r->m->arc != NULL && r->m->arc->state == ARC_PASS)
        buf_addz(b, " ARC");
    add_verdicts(r, b);
    add_message_id(r, b);
}

static void
log_message(struct receiving *r, struct str common)
{
    if (r->m->recipients.n > 0)
        maillog_message(r->e, &r->entry,
                        str_printf(r->a, "Received from %.*s", STR_ARG(common)));
}

void
receive_log_message(struct receiving *r)
{
    struct arena_mark mark = arena_mark(vm_scratch(r->e->vm));
    struct buf b = buf_in(r->a, 0);
    if (r->e->conf->main->message_logs) {
        add_common(r, &b);
        add_subject(r, &b);
        log_message(r, buf_str(&b));
    }
    vm_release(r->e->vm, mark);
}

void
receive_log_arrival(struct receiving *r)
{
    struct arena_mark mark = arena_mark(vm_scratch(r->e->vm));
    struct buf b = buf_in(r->a, 0);
    bool fake = r->m->acl != NULL && r->m->acl->fake_code == FAKE_REJECT;
    buf_addz(&b, fake ? "(= " : "<= ");
    add_common(r, &b);
    add_subject(r, &b);
    if (!r->out->in_lane)
        log_message(r, str_sub(buf_str(&b), strlen("<= "), b.n));
    add_envelope(r, &b);
    maillog_line(r->e, MAILLOG_MAIN | MAILLOG_TABS, r->m->id, buf_str(&b));
    vm_release(r->e->vm, mark);
}
