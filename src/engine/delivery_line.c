/* Log lines of deliveries: the address with its ancestors, and the fields behind it. Source: specification, "Logging
 * deliveries", "Reducing or increasing what is logged". */
#include "base/buf.h"
#include "conf/conf.h"
#include "engine/delivery.h"
#include "engine/maillog.h"
#include "mail/address.h"
#include "mail/why_errno.h"
#include "transports/transport.h"

#include <string.h>

const struct address *
delivery_ancestor(const struct address *a)
{
    while (a->parent != NULL)
        a = a->parent;
    return a;
}

/* A good delivery that stays here is shown without its domain. */
static bool
shows_local_part(const struct address *a, enum outcome outcome)
{
    return outcome == OUT_OK && a->item == ADDRESS_ITEM_MAIL && a->log_as_local &&
           a->transport != NULL && transport_driver_of(a->transport)->place == TRANSPORT_LOCAL;
}

/* As the routers saw it: the local part without quotes and in the case that counts. */
static struct str
routed_text(struct arena *a, const struct address *addr)
{
    struct str local, domain;
    address_split(addr->text, &local, &domain);
    if (!str_is_set(domain))
        return addr->text;
    struct str text = str_printf(a, "%.*s@%.*s", STR_ARG(address_unquote_local_part(a, local)),
                                 STR_ARG(domain));
    char *lower = arena_alloc(a, text.n);
    for (uint32_t i = 0; i < text.n; i++)
        lower[i] = ascii_lower(text.p[i]);
    return str_from(lower, text.n);
}

/* What was delivered: affixes are shown where the transport sends them. */
static struct str
delivered_text(struct arena *a, const struct address *addr, bool local)
{
    const struct transport_generic *g = addr->transport->generic.fields;
    struct str part = addr->local_part;
    if (g->rcpt_include_affixes)
        part = STR_JOIN(a, addr->prefix, part, addr->suffix);
    return local ? part : STR_JOIN(a, part, STR_LIT("@"), addr->domain);
}

/* True if the remote host was told what the routers made of the address. */
static bool
is_remote(const struct address *a)
{
    return a->item == ADDRESS_ITEM_MAIL && a->transport != NULL && str_is_set(a->local_part) &&
           str_is_set(a->domain) &&
           transport_driver_of(a->transport)->place == TRANSPORT_REMOTE;
}

/* The same but for the case of the domain. */
static bool
is_same_address(struct str a, struct str b)
{
    struct str local_a, domain_a, local_b, domain_b;
    address_split(a, &local_a, &domain_a);
    address_split(b, &local_b, &domain_b);
    return str_eq(local_a, local_b) && str_ieq(domain_a, domain_b);
}

static void
add_address(struct delivery *d, struct buf *b, const struct address *a, enum outcome outcome)
{
    const struct address *top = delivery_ancestor(a);
    bool local = shows_local_part(a, outcome);
    bool unrouted = a->item == ADDRESS_ITEM_MAIL && outcome != OUT_OK;
    struct str shown = local || is_remote(a) ? delivered_text(d->arena, a, local)
                       : unrouted            ? routed_text(d->arena, a)
                                             : a->text;
    buf_adds(b,
             a->answer != NULL && str_is_set(a->answer->sent_to) ? a->answer->sent_to : shown);
    if (maillog_selected(d->engine, LOG_SELECTOR_ALL_PARENTS)) {
        for (const struct address *p = a->parent; p != NULL && p != top; p = p->parent)
            buf_printf(b, " (%.*s)", STR_ARG(p->text));
    } else if (a->item != ADDRESS_ITEM_MAIL && a->parent != NULL && a->parent != top) {
        buf_printf(b, " (%.*s)", STR_ARG(a->parent->text));
    }
    struct str first = str_is_set(top->list) ? top->list : top->text;
    bool converted = a->answer != NULL && str_is_set(a->answer->sent_to);
    bool same =
        !converted && (is_remote(a) ? is_same_address(first, shown) : str_eq(first, shown));
    if (local || a->item != ADDRESS_ITEM_MAIL || !same)
        buf_printf(b, " <%.*s>", STR_ARG(first));
}

static void
add_path(struct delivery *d, struct buf *b, const struct address *a)
{
    if (maillog_selected(d->engine, LOG_SELECTOR_SENDER_ON_DELIVERY))
        buf_printf(b, " F=<%.*s>",
                   STR_ARG(a->answer != NULL && str_is_set(a->answer->sent_from)
                               ? a->answer->sent_from
                               : d->message->sender));
    if (maillog_selected(d->engine, LOG_SELECTOR_RETURN_PATH_ON_DELIVERY) &&
        a->transport != NULL)
        buf_printf(b, " P=<%.*s>", STR_ARG(a->return_path));
}

static void
add_field(struct buf *b, const char *name, struct str value)
{
    buf_addz(b, name);
    buf_adds(b, value);
}

/* Queue, router and transport; what is delivered to nothing has its own word. */
static void
add_route(struct delivery *d, struct buf *b, const struct address *a)
{
    if (d->engine->queue.n > 0)
        buf_printf(b, " Q=%.*s", STR_ARG(d->engine->queue));
    if (a->router != NULL)
        add_field(b, " R=", a->router->name);
    if (a->transport != NULL)
        add_field(b, " T=", a->transport->name);
    else if (str_is_set(a->transport_name) && a->transport_name.n > 0)
        buf_printf(b, " T=%.*s", STR_ARG(a->transport_name));
}

int64_t
delivery_queue_time(const struct delivery *d, struct timespec now)
{
    int64_t complete = d->header.received_complete_us;
    if (complete > 0 && maillog_selected(d->engine, LOG_SELECTOR_QUEUE_TIME_EXCLUSIVE))
        return maillog_between(complete / 1000000, complete % 1000000, now);
    return maillog_between(d->message->received_time, d->message->received_time_us, now);
}

static void
add_times(struct delivery *d, struct buf *b, const struct address *a, enum outcome outcome)
{
    struct engine *e = d->engine;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (outcome == OUT_OK && maillog_selected(e, LOG_SELECTOR_QUEUE_TIME))
        buf_printf(b, " QT=%.*s",
                   STR_ARG(maillog_duration(d->arena, e, delivery_queue_time(d, now))));
    if (a->transport != NULL && a->answer->took_us > 0 &&
        maillog_selected(e, LOG_SELECTOR_DELIVER_TIME))
        buf_printf(b, " DT=%.*s", STR_ARG(maillog_duration(d->arena, e, a->answer->took_us)));
}

/* The host was found by answers that DNSSEC secured. */
static bool
is_secure(const struct address *a, struct str ip)
{
    for (size_t i = 0; i < a->hosts.n; i++)
        if (a->hosts.v[i].dnssec && str_eq(a->hosts.v[i].address, ip))
            return true;
    return false;
}

/* " PRX=[address]:port" of a SOCKS proxy. */
static void
add_proxy(struct delivery *d, struct buf *b, const struct transport_answer *w)
{
    if (!str_is_set(w->proxy_ip) || !maillog_selected(d->engine, LOG_SELECTOR_PROXY))
        return;
    buf_printf(b, " PRX=[%.*s]", STR_ARG(w->proxy_ip));
    if (maillog_selected(d->engine, LOG_SELECTOR_OUTGOING_PORT))
        buf_printf(b, ":%lld", (long long)w->proxy_port);
}

static void
add_fast_open(struct buf *b, const struct transport_answer *w)
{
    if ((w->how & TRANSPORT_HOW_FAST_OPEN) != 0)
        buf_addz(b, (w->how & TRANSPORT_HOW_FAST_DATA) != 0 ? " TFO*" : " TFO");
}

/* " H=name [address]:port I=[address]:port" of the host that a remote delivery was made to, or that refused it. */
static void
add_host(struct delivery *d, struct buf *b, const struct address *a)
{
    const struct transport_answer *w = a->answer;
    bool port = maillog_selected(d->engine, LOG_SELECTOR_OUTGOING_PORT);
    if (!str_is_set(w->why.host))
        return;
    bool secure =
        maillog_selected(d->engine, LOG_SELECTOR_DNSSEC) && is_secure(a, w->why.host_ip);
    buf_printf(b, " H=%.*s%s [%.*s]", STR_ARG(w->why.host), secure ? " DS" : "",
               STR_ARG(w->why.host_ip));
    if (port && w->host_port > 0)
        buf_printf(b, ":%lld", (long long)w->host_port);
    if ((w->how & TRANSPORT_HOW_REUSED) != 0)
        buf_addc(b, '*');
    add_proxy(d, b, w);
    add_fast_open(b, w);
    if (!str_is_set(w->own_ip) ||
        !maillog_selected(d->engine, LOG_SELECTOR_INCOMING_INTERFACE) ||
        !maillog_selected(d->engine, LOG_SELECTOR_OUTGOING_INTERFACE))
        return;
    buf_printf(b, " I=[%.*s]", STR_ARG(w->own_ip));
    if (port)
        buf_printf(b, ":%lld", (long long)w->own_port);
}

/* " PS=ea", of the first address of a delivery. */
static void
add_protocol(struct delivery *d, struct buf *b, const struct transport_answer *w)
{
    if (str_is_set(w->steps) && w->steps.n > 0 && !w->additional &&
        maillog_selected(d->engine, LOG_SELECTOR_PROTOCOL_DETAIL))
        buf_printf(b, " PS=%.*s", STR_ARG(w->steps));
}

/* " A=name:id:sender" */
static void
add_authentication(struct delivery *d, struct buf *b, const struct transport_answer *w)
{
    if (!str_is_set(w->auth_name))
        return;
    buf_printf(b, " A=%.*s", STR_ARG(w->auth_name));
    if (!str_is_set(w->auth_id))
        return;
    buf_printf(b, ":%.*s", STR_ARG(w->auth_id));
    if (str_is_set(w->auth_sender) && maillog_selected(d->engine, LOG_SELECTOR_SMTP_MAILAUTH))
        buf_printf(b, ":%.*s", STR_ARG(w->auth_sender));
}

/* " (-1): text", " (13): Permission denied: text", with the host before the text. */
static void
add_deferral(struct delivery *d, struct buf *b, const struct address *a)
{
    const struct transport_answer *w = a->answer;
    struct str text = str_is_set(w->why.log) ? w->why.log : w->why.peer;
    buf_printf(b, " (%d)", w->why.sys_errno);
    if (w->why.sys_errno > 0)
        add_field(b, ": ", str_from_cstr(strerror(w->why.sys_errno)));
    if (w->why.sys_errno != WHY_AUTH_FAILED) /* its words say that it is about a host */
        add_host(d, b, a);
    if (str_is_set(text) && text.n > 0)
        buf_printf(b, ": %.*s", STR_ARG(text));
}

/* " : text", " : Permission denied: text"; what a host is to blame for has a blank before each colon. */
static void
add_failure(struct delivery *d, struct buf *b, const struct address *a)
{
    const struct transport_answer *w = a->answer;
    struct str text = str_is_set(w->why.log) ? w->why.log : w->why.peer;
    add_host(d, b, a);
    add_protocol(d, b, w);
    maillog_add_tls(d->engine, b, &w->tls, false);
    buf_addc(b, ' ');
    if (w->why.sys_errno > 0)
        buf_printf(b, ": %s%s", strerror(w->why.sys_errno),
                   str_is_set(w->why.host) && text.n > 0 ? " " : "");
    if (str_is_set(text) && text.n > 0)
        buf_printf(b, ": %.*s", STR_ARG(text));
}

static void
add_success(struct delivery *d, struct buf *b, const struct address *a)
{
    const struct transport_answer *w = a->answer;
    if (maillog_selected(d->engine, LOG_SELECTOR_DELIVERY_SIZE) && w->size > 0)
        buf_printf(b, " S=%lld", (long long)w->size);
    if (a->hosts.n > 0 && a->transport != NULL &&
        transport_driver_of(a->transport)->place == TRANSPORT_LOCAL)
        buf_printf(b, " H=%.*s", STR_ARG(a->hosts.v[0].name));
    if (str_is_set(w->shadow))
        buf_printf(b, " ST=%.*s", STR_ARG(w->shadow));
    add_host(d, b, a);
    add_protocol(d, b, w);
    maillog_add_tls(d->engine, b, &w->tls, false);
    add_authentication(d, b, w);
    if ((w->how & TRANSPORT_HOW_PIPELINED) != 0 &&
        maillog_selected(d->engine, LOG_SELECTOR_PIPELINING))
        buf_addz(b, (w->how & TRANSPORT_HOW_EARLY) != 0 ? " L*" : " L");
    if ((w->how & TRANSPORT_HOW_PRDR) != 0)
        buf_addz(b, " PRDR");
    if ((w->how & TRANSPORT_HOW_CHUNKED) != 0)
        buf_addz(b, " K");
    if (str_is_set(w->dkim) && maillog_selected(d->engine, LOG_SELECTOR_DKIM_VERBOSE))
        buf_printf(b, " DKIM=%.*s", STR_ARG(w->dkim));
    if (str_is_set(w->confirmation) && !str_is_set(w->log_note) &&
        maillog_selected(d->engine, LOG_SELECTOR_SMTP_CONFIRMATION))
        buf_printf(b, " C=\"%.*s\"", STR_ARG(w->confirmation));
    if (str_is_set(w->log_note) && w->log_note.n > 0)
        buf_printf(b, " %.*s", STR_ARG(w->log_note));
}

struct str
delivery_line(struct delivery *d, const struct address *a, enum outcome outcome)
{
    struct buf b = buf_in(d->arena, 0);
    add_address(d, &b, a, outcome);
    if (outcome != OUT_DEFER)
        add_path(d, &b, a);
    add_route(d, &b, a);
    if (outcome == OUT_OK)
        add_success(d, &b, a);
    if (outcome == OUT_FAIL && str_is_set(a->answer->log_note))
        buf_printf(&b, " %.*s", STR_ARG(a->answer->log_note));
    add_times(d, &b, a, outcome);
    if (outcome == OUT_DEFER)
        buf_addz(&b, a->answer->routing_skipped ? " routing defer" : " defer");
    if (outcome == OUT_DEFER)
        add_deferral(d, &b, a);
    else if (outcome == OUT_FAIL)
        add_failure(d, &b, a);
    return buf_str(&b);
}

struct str
delivery_refusal_line(struct delivery *d, const struct address *a, const char *how)
{
    struct buf b = buf_in(d->arena, 0);
    add_address(d, &b, a, OUT_OK);
    if (!maillog_selected(d->engine, LOG_SELECTOR_SENDER_ON_DELIVERY))
        buf_printf(&b, " F=<%.*s>", STR_ARG(d->message->sender));
    add_path(d, &b, a);
    buf_printf(&b, " %s:", how);
    add_route(d, &b, a);
    add_success(d, &b, a);
    return buf_str(&b);
}

struct str
delivery_message_line(struct delivery *d, const struct address *a)
{
    const struct address *top = delivery_ancestor(a);
    if (top == a)
        return a->text;
    return str_printf(d->arena, "%.*s <%.*s>", STR_ARG(a->text), STR_ARG(top->text));
}

void
delivery_note_doubt(struct delivery *d, const struct address *a, struct str who)
{
    struct str line = str_printf(d->arena,
                                 "%.*s: the message was sent whole and got no answer; the "
                                 "server may have taken it, and get it again",
                                 STR_ARG(who));
    if (maillog_selected(d->engine, LOG_SELECTOR_POSSIBLE_REPEAT) && delivery_is_logged(a))
        maillog_line(d->engine, MAILLOG_MAIN, d->id, line);
    maillog_message(d->engine, &d->entry, line);
}
